/** The runner is believed by everyone: what it counts, and what it takes for a crash. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { assert, assertEquals, test } from "../harness.ts";
import {
  bunCounts,
  denoCounts,
  nodeCounts,
  skippedNames,
  withoutPasses,
} from "./counts.mjs";
import { uncovered } from "./coverage.mjs";
import { unpackDebian } from "./debian.mjs";
import { run } from "./process.mjs";

test("denoCounts() reads the last summary", () => {
  assertEquals(
    denoCounts("x ... ok (1ms)\n\nok | 3 passed (2 steps) | 0 failed (9ms)\n"),
    { passed: 3, failed: 0, skipped: 0 },
  );
  assertEquals(
    denoCounts("FAILED | 1 passed | 2 failed | 4 ignored (100ms)\n\nerror:"),
    { passed: 1, failed: 2, skipped: 4 },
  );
  // A test that ended the process: no summary, exit code 0.
  assertEquals(denoCounts("running 2 tests from ./a_test.ts"), undefined);
});

test("bunCounts() reads the summary, and errors between tests", () => {
  assertEquals(
    bunCounts(" 9 pass\n 1 skip\n 2 fail\nRan 12 tests across 1 file. [1ms]"),
    { passed: 9, failed: 2, skipped: 1 },
  );
  assertEquals(
    bunCounts(" 9 pass\n 0 fail\n 1 error\nRan 9 tests across 2 files. [1ms]"),
    { passed: 9, failed: 1, skipped: 0 },
  );
  assertEquals(bunCounts("bun test v1.4.5\n"), undefined);
});

test("nodeCounts() counts a file without tests as failed", () => {
  const summary = (pass: number) =>
    `ℹ tests ${pass + 1}\nℹ pass ${pass}\nℹ fail 0\nℹ cancelled 1\n` +
    "ℹ skipped 2\nℹ todo 0\n";
  assertEquals(nodeCounts(`✔ a test (1ms)\n${summary(5)}`), {
    passed: 5,
    failed: 1,
    skipped: 2,
  });
  assertEquals(nodeCounts(`✔ tests/a_test.ts (91.2ms)\n${summary(5)}`), {
    passed: 4,
    failed: 2,
    skipped: 2,
  });
  assertEquals(nodeCounts("Segmentation fault"), undefined);
});

test("skippedNames() tells what was left out, from each runner's output", () => {
  const name = "a peer talks (skipped: no peer)";
  for (
    const line of [
      `${name} ... ignored (0ms)`,
      `(skip) ${name}`,
      `﹣ ${name} (0.6ms) # SKIP`,
    ]
  ) {
    assertEquals(skippedNames(`x\n${line}\ny`), [name]);
  }
});

test("withoutPasses() keeps what went wrong", () => {
  const passes = "✔ a (1ms)\n  ✔ b (1ms)\n(pass) c [1ms]\nd ... ok (1ms)";
  assertEquals(
    withoutPasses(`${passes}\n✖ e\n(fail) f\ng ... FAILED (1ms)`),
    "✖ e\n(fail) f\ng ... FAILED (1ms)",
  );
  // A file without a test counts as failed, and so has to be seen.
  assertEquals(
    withoutPasses("✔ tests/a_test.ts (1ms)\n✔ b"),
    "✔ tests/a_test.ts (1ms)",
  );
});

test("uncovered() names lines and branches of one file", () => {
  const lcov = "SF:/x/codec/mask.ts\nDA:1,1\nDA:2,0\nBRDA:3,0,0,1\n" +
    "BRDA:3,0,1,-\nend_of_record\nSF:/x/codec/a.ts\nDA:1,4\nend_of_record\n";
  assertEquals(uncovered(lcov, "codec/a.ts"), []);
  assertEquals(uncovered(lcov, "codec/mask.ts"), [
    "line 2",
    "a branch at line 3",
  ]);
  assertEquals(uncovered(lcov, "codec/b.ts"), undefined);
});

const NODE = process.env["SOCKEYE_NODE"] ?? "node";

test("run() keeps all output, and tells how a command ended", async () => {
  const { code, output, timedOut } = await run(NODE, [
    "-e",
    "console.log('out'); console.error('err'); process.exit(3)",
  ]);
  assertEquals([code, timedOut], [3, false]);
  assert(output.includes("out\n") && output.includes("err\n"), output);
  assertEquals((await run("/no/such/program", [])).code, -1);
});

test("run() stops a command that takes too long, and its children", async () => {
  const { code, timedOut } = await run(
    NODE,
    ["-e", "setInterval(() => {}, 1000)"],
    { timeoutMs: 300 },
  );
  assertEquals([code, timedOut], [-1, true]);
});

test("unpackDebian() leaves nothing behind where a package cannot be had", async () => {
  const folder = mkdtempSync(`${tmpdir()}/sockeye-run-`);
  try {
    const path = `${folder}/unpacked`;
    assertEquals(await unpackDebian("/no/such/apt", "nginx", path), false);
    assertEquals(existsSync(path), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
