import { nowMs } from "../../connection/clock.ts";
import { flushSoon } from "../../connection/flush.ts";
import { Keepalive } from "../../connection/keepalive.ts";
import { connectionSettings } from "../../connection/options.ts";
import { Ticker, tickerFor } from "../../connection/ticker.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { memoryTransport, SinkLog } from "../harness/memory_transport.ts";
import { runtime, settle } from "./rig.ts";

test("a ticker tells all its members, until they leave", async () => {
  const ticker = new Ticker(5, runtime);
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const a = {
    place: -1,
    tick(): void {
      told.push("a");
      if (told.filter((name) => name === "a").length === 2) {
        ticker.delete(a);
        ticker.delete(b);
        resolve();
      }
    },
  };
  const b = { place: -1, tick: () => void told.push("b") };
  ticker.add(a);
  ticker.add(b);
  ticker.add(b);
  await promise;
  const { length } = told;
  assertEquals(told, ["b", "a", "b", "a"]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(told.length, length);
  // It starts again for the next one.
  await new Promise<void>((resolve) => {
    const c = { place: -1, tick: () => (ticker.delete(c), resolve()) };
    ticker.add(c);
  });
});

test("KA-5: a ticker that was held up skips a turn, so that what waits is read first", async () => {
  const periodMs = 20;
  const ticker = new Ticker(periodMs, runtime);
  const told = Promise.withResolvers<number>();
  const member = {
    place: -1,
    tick(now: number): void {
      ticker.delete(member);
      told.resolve(now);
    },
  };
  ticker.add(member);
  // Holds this process up, well past twice the period and 50 ms.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
  const heldUntilMs = nowMs();
  assert(
    await told.promise - heldUntilMs >= periodMs - 3,
    "no turn was skipped",
  );
});

test("tickers are shared, and fine enough for the shortest time", () => {
  assertStrictEquals(
    tickerFor([20_000], runtime),
    tickerFor([17_000], runtime),
  );
  assertStrictEquals(
    tickerFor([0, Infinity], runtime),
    tickerFor([1e9, 10_000], runtime),
  );
  assert(tickerFor([100], runtime) !== tickerFor([20_000], runtime));
  assertStrictEquals(tickerFor([1], runtime), tickerFor([0.001, 40], runtime));
});

function watch(pingIntervalMs: number, pingTimeoutMs: number) {
  const [near, far] = memoryTransport();
  near.start(new SinkLog());
  far.start(new SinkLog());
  const settings = connectionSettings("test", {
    pingIntervalMs,
    pingTimeoutMs,
  });
  const base = nowMs();
  const keepalive = new Keepalive(pingIntervalMs);
  const peer = { settings, transport: near, isPaused: false };
  const at = (ms: number) => keepalive.check(base + ms, peer);
  return { keepalive, near, base, at };
}

test("KA-1: silence leads to a Ping, and more of it to an end", () => {
  const { at } = watch(1000, 500);
  // Up to a quarter earlier, so that Pings spread, and no more than that.
  assertEquals([at(0), at(700)], ["wait", "wait"]);
  assertEquals(at(1010), "ping");
  assertEquals([at(1011), at(1500)], ["wait", "wait"]);
  assertEquals(at(1510), "dead");
});

test("KA-2: a sign of life at the last moment counts", () => {
  const { keepalive, at } = watch(1000, 500);
  assertEquals(at(1010), "ping");
  keepalive.alive();
  assertEquals([at(1511), at(2000)], ["wait", "wait"]);
  assertEquals([at(2530), at(3031)], ["ping", "dead"]);
});

test("a Ping behind a long message does not time out while that is taken", () => {
  const { near, at } = watch(1000, 500);
  assertEquals(at(1010), "ping");
  for (let ms = 1400; ms < 4000; ms += 400) {
    near.write(new Uint8Array(10));
    assertEquals([ms, at(ms)], [ms, "wait"]);
  }
  assertEquals([at(4200), at(4301)], ["wait", "dead"]);
});

test("0 sends no Ping, or waits for ever for the answer", () => {
  assertEquals(watch(0, 500).at(1e9), "wait");
  const patient = watch(1000, 0);
  assertEquals([patient.at(1010), patient.at(1e9)], ["ping", "wait"]);
});

test("Pings of many connections spread over a quarter of the interval", () => {
  const due = Array.from({ length: 60 }, () => {
    const { at } = watch(1000, 0);
    let ms = 700;
    while (at(ms) === "wait") ms += 10;
    return ms;
  });
  const [first, last] = [Math.min(...due), Math.max(...due)];
  assert(first >= 740 && last <= 1010, `${first} to ${last}`);
  assert(last - first > 100, `${first} to ${last}`);
});

/** Notes when it is flushed. */
function flushable(log: string[], name: string) {
  return {
    isDirty: false,
    onQuiet(): void {
      log.push(name);
    },
  };
}

test("flushSoon() flushes each once, before the event loop goes on", async () => {
  const log: string[] = [];
  const [a, b] = [flushable(log, "a"), flushable(log, "b")];
  flushSoon(a);
  flushSoon(b);
  flushSoon(a);
  assertEquals([log, a.isDirty], [[], true]);
  const timer = settle();
  for (let i = 0; i < 20; i++) await undefined;
  assertEquals([log, a.isDirty, b.isDirty], [["a", "b"], false, false]);
  await timer;
});

test("flushSoon() waits while more is being sent", async () => {
  const log: string[] = [];
  const a = flushable(log, "a");
  for (let i = 0; i < 10; i++) {
    flushSoon(a);
    await undefined;
    await undefined;
    await undefined;
    assertEquals([i, log.length], [i, 0]);
  }
  await settle();
  assertEquals(log, ["a"]);
});

test("a flush may lead to another", async () => {
  const log: string[] = [];
  const b = flushable(log, "b");
  const a = flushable(log, "a");
  a.onQuiet = () => {
    log.push("a");
    flushSoon(b);
  };
  flushSoon(a);
  await settle();
  assertEquals(log, ["a", "b"]);
});

test("a peer that is not read counts as dead when it takes nothing", () => {
  const transport = { bufferedBytes: 0, writtenBytes: 0 };
  const settings = connectionSettings("test", {
    pingIntervalMs: 1000,
    pingTimeoutMs: 500,
  });
  const keepalive = new Keepalive(settings.pingIntervalMs);
  const peer = { settings, transport, isPaused: true };
  const base = nowMs();
  const at = (ms: number) => keepalive.check(base + ms, peer);
  assertEquals([at(5000), at(50_000)], ["wait", "wait"]);
  transport.bufferedBytes = 1;
  assertEquals([at(50_001), at(51_499)], ["wait", "wait"]);
  assertEquals(at(51_501), "dead");
  transport.writtenBytes = 1;
  assertEquals(at(51_502), "wait");
  peer.isPaused = false;
  assertEquals(at(51_503), "wait");
});
