/**
 * What compression takes of memory and time. Measured in processes of their own:
 * where tests share one, others grow it meanwhile.
 *
 * All else that a process and its machine do only adds to that: a collection that
 * comes late, memory that is handed out in larger pieces, a neighbour that takes
 * the processor's caches. So the line is for the least of several fresh processes,
 * and a fault, which is there in each of them, is far above it.
 */
import { assert, assertEquals, test } from "../harness.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  runtimePath,
} from "../harness/child.ts";

const LIMIT = 1_048_576;
const MEBIBYTE = 1_048_576;

/** Fresh processes that may try to stay below the lines. */
const MOST_TRIES = 5;

const FLAGS: Readonly<Record<typeof currentRuntime, readonly string[]>> = {
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
};

interface Growth {
  readonly grownBytes: number;
}

async function measure<T>(scenario: string): Promise<T> {
  await using child = new Child(runtimePath(currentRuntime) ?? "", [
    ...FLAGS[currentRuntime],
    checkoutPath("tests/runtime/zlib_memory_child.ts"),
    scenario,
  ]);
  const report = await child.json<T>(50_000);
  await child.assertEnds();
  return report;
}

/** Measures in fresh processes until one is good, and returns all reports. */
async function measureUntil<T>(
  scenario: string,
  isGood: (report: T) => boolean,
): Promise<T[]> {
  const reports: T[] = [];
  while (reports.length < MOST_TRIES) {
    const report = await measure<T>(scenario);
    reports.push(report);
    if (isGood(report)) break;
  }
  return reports;
}

/** Fails unless the process that grew least grew by less than `mostBytes`. */
function assertLeastGrowth(reports: readonly Growth[], mostBytes: number) {
  const grown = reports.map(({ grownBytes }) => grownBytes);
  assert(
    Math.min(...grown) < mostBytes,
    `it grew by ${grown.join(", ")} bytes`,
  );
}

test("PM-1: 1 GiB out of 1 MiB takes no more than the limit", async () => {
  interface Report extends Growth {
    readonly result: string;
    readonly cpuMs: number;
    readonly bombBytes: number;
  }
  // zlib is given the bomb with the trailer, in a copy. The rest is what it inflates
  // into at a time, and pages: huge ones are 2 MiB each.
  const most = ({ bombBytes }: Report) => LIMIT + bombBytes + 4 * MEBIBYTE;
  // 2 to 5, and where nothing stops it 700.
  const mostMs = 50;
  const reports = await measureUntil<Report>(
    "bomb",
    (report) => report.grownBytes < most(report) && report.cpuMs < mostMs,
  );
  for (const { result, bombBytes, grownBytes } of reports) {
    assertEquals(result, "message-too-big");
    assert(bombBytes < 1_200_000, `${bombBytes}`);
    // Only where nothing stops it, and then it is 1 GiB.
    assert(grownBytes < 64 * MEBIBYTE, `it grew by ${grownBytes} bytes`);
  }
  assertLeastGrowth(reports, most(reports[0]!));
  const cpuMs = reports.map((report) => report.cpuMs);
  assert(Math.min(...cpuMs) < mostMs, `${cpuMs} ms of processor time`);
});

test("PM-9: contexts give back what they took", async () => {
  // Kept, they grow it by 280 to 350 MB; without, V8 lets up to 120 MB pass before
  // it collects.
  const most = 190_000_000;
  const reports = await measureUntil<Growth & { released: number }>(
    "contexts",
    ({ grownBytes }) => grownBytes < most,
  );
  for (const { released } of reports) assertEquals(released, 8_500);
  assertLeastGrowth(reports, most);
});

test("PM-2: small bombs on many connections take the memory of one", async () => {
  // The limit and the context of each, as it were, is 1 GiB.
  const most = 64 * MEBIBYTE;
  const reports = await measureUntil<
    Growth & { alive: number; results: string[] }
  >("bombs", ({ grownBytes }) => grownBytes < most);
  for (const { alive, results } of reports) {
    assertEquals(results, ["message-too-big"]);
    assertEquals(alive, 1_500);
  }
  assertLeastGrowth(reports, most);
});
