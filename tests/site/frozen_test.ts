/**
 * A broadcast to many, of whom some are stopped by the kernel (BP-6: a fifth of the
 * crowd for a twentieth of the time).
 */
import { type CloseInfo, Handler, Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { Child } from "../harness/child.ts";
import { stuff } from "./crowd.ts";
import { pause, until } from "./served.ts";

const LIVE = 195;
const FROZEN = [
  "/close",
  "/drop-new",
  "/drop-old",
  "/latest",
  "/latest",
] as const;
const MAX_BYTES = 262_144;
const MESSAGES = 300;

interface Received {
  readonly path: string;
  readonly numbers: number[];
}

function startClients(port: number, groups: Record<string, number>): Child {
  const args = Object.entries(groups).flatMap(([path, n]) => [path, `${n}`]);
  return Child.running("tests/site/frozen_child.ts", [`${port}`, ...args]);
}

/** Asks until everyone in a child has got a certain message. */
async function receivedBy(
  child: Child,
  isAll: (received: Received[]) => boolean,
): Promise<Received[]> {
  for (let tries = 0;; tries++) {
    child.say("");
    const received = await child.json<Received[]>();
    if (isAll(received)) return received;
    assert(
      tries < 100,
      `waited in vain, last has ${received[0]?.numbers.length}`,
    );
    await pause(100);
  }
}

test("BP-6: frozen processes delay nobody, and are dealt with as their policy says", async () => {
  const infos = new Map<string, CloseInfo>();
  class Member extends Handler {
    override open(): void {
      this.connection.subscribe("ticks");
    }
    override close(info: CloseInfo): void {
      infos.set(new URL(this.connection.request.url).pathname, info);
    }
  }
  // Who is frozen answers no Ping, and is to be given up by its policy alone.
  const site = new Site({
    broadcastMaxBytes: MAX_BYTES,
    closeTimeoutMs: 500,
    pingIntervalMs: 0,
  });
  site.addHandler("/live", Member);
  for (const policy of ["close", "drop-new", "drop-old", "latest"] as const) {
    site.addHandler(`/${policy}`, Member, { broadcastOverflow: policy });
  }
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  const counts: Record<string, number> = {};
  for (const path of FROZEN) counts[path] = (counts[path] ?? 0) + 1;
  await using live = startClients(port, { "/live": LIVE });
  await using frozen = startClients(port, counts);
  for (const child of [live, frozen]) assertEquals(await child.json(), "ready");
  assertEquals(site.topics.get("ticks")?.size, LIVE + FROZEN.length);

  frozen.signal("SIGSTOP");
  const slow = [...site.connections].filter((one) =>
    !one.request.url.endsWith("/live")
  );
  assertEquals(slow.length, FROZEN.length);
  // The kernel has no room for them any more.
  await Promise.all(slow.map((connection) => stuff(connection)));
  let most = 0;
  const tick = (n: number) => site.publish("ticks", `${n}`.padEnd(2_000, "."));
  for (let n = 0; n < MESSAGES; n++) {
    const { sent, skipped } = tick(n);
    assert(sent >= LIVE && sent + skipped <= LIVE + FROZEN.length);
    for (const connection of slow) {
      most = Math.max(most, connection.bufferedAmount);
    }
    await pause(10);
  }
  assert(most <= MAX_BYTES + 70_000, `${most} bytes waited`);

  const all = Array.from({ length: MESSAGES }, (_, n) => n);
  const isDone = ({ numbers }: Received) => numbers.at(-1) === MESSAGES - 1;
  for (
    const { numbers } of await receivedBy(live, (all) => all.every(isDone))
  ) {
    assertEquals(numbers, all);
  }
  // The one whose policy is to close is gone; nobody else is.
  await until(() => infos.size === 1, "the close hook");
  assertEquals(infos.get("/close")?.cause, "backpressure");
  assertEquals(site.connections.size, LIVE + FROZEN.length - 1);

  frozen.signal("SIGCONT");
  const rest = slow.filter(({ readyState }) => readyState === 1);
  await until(
    () => rest.every((one) => one.bufferedAmount === 0),
    "all to drain",
  );
  tick(MESSAGES);
  const isThere = ({ path, numbers }: Received) =>
    path === "/close" || numbers.at(-1) === MESSAGES;
  const got = await receivedBy(frozen, (all) => all.every(isThere));
  const dropped = new Map<string, number[]>();
  for (const connection of rest) {
    const path = new URL(connection.request.url).pathname;
    dropped.set(path, [
      ...dropped.get(path) ?? [],
      connection.stats.messagesDropped,
    ]);
  }
  for (const { path, numbers } of got) {
    if (path === "/close") continue;
    // In order, nothing twice, and what is missing has been counted.
    for (let at = 1; at < numbers.length; at++) {
      assert(numbers[at]! > numbers[at - 1]!, `${path}: ${numbers}`);
    }
    const missing = MESSAGES + 1 - numbers.length;
    assert(dropped.get(path)!.includes(missing), `${path}: ${missing} missing`);
    const newest = numbers.slice(0, -1).at(-1)!;
    if (path === "/drop-new") {
      assert(newest < MESSAGES - 50, `${path}: ${newest}`);
    } else assertEquals(newest, MESSAGES - 1, path);
    if (path === "/drop-old") {
      // As many of the newest as may wait, less the one that came after.
      const kept = Math.floor(MAX_BYTES / 2_004);
      assertEquals(
        numbers.slice(-kept - 1),
        [...all, MESSAGES].slice(-kept - 1),
      );
    }
  }
  assertEquals(infos.size, 1);
});
