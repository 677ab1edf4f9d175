/** Time that passes when a test says so (B-12, TW22). */
import { nowMs } from "../../connection/clock.ts";
import { dial, HandshakeError } from "../../client.ts";
import { Handler, Site } from "../../server.ts";
import {
  connect,
  FakeClock,
  MemoryNetwork,
  RawPeer,
  settle,
} from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";

test("B-12: the clock stands still, and moves by hand", async () => {
  const before = performance.now();
  {
    using clock = new FakeClock();
    assert(clock.nowMs >= before && Number.isInteger(clock.nowMs));
    const startMs = nowMs();
    assertEquals(startMs, clock.nowMs);
    await clock.advance(3_600_000);
    assertEquals(nowMs() - startMs, 3_600_000);
    assertThrows(() => new FakeClock(), Error, "another FakeClock is in use");
  }
  // The real one is back, and no hour has passed.
  assert(nowMs() - before < 60_000);
});

test("WS38: a silent peer is pinged, then closed with 1011 and cause ping-timeout", async () => {
  using clock = new FakeClock();
  await using peer = await RawPeer.connect(Handler);
  const seconds = async (): Promise<number> => {
    for (let count = 1;; count++) {
      await clock.advance(1_000);
      if (peer.received.length > 0) return count;
    }
  };
  // Up to a quarter earlier, so that those of many connections spread.
  const untilPing = await seconds();
  assert(untilPing >= 15 && untilPing <= 21, `a Ping after ${untilPing} s`);
  const [ping, ...rest] = peer.takeFrames();
  assertEquals([ping?.opcode, ping?.payload.length, rest], ["ping", 4, []]);
  // One more until it is seen that the Ping has left.
  const untilClose = await seconds();
  assert(untilClose >= 20 && untilClose <= 21, `closed after ${untilClose} s`);
  assert(peer.connection.readyState > 1);
  const [close] = peer.takeFrames();
  assertEquals([close?.code, close?.text], [1011, "ping timeout"]);
  await clock.advance(1_000);
  const { cause, code, wasClean, sent } = await peer.connection.closed;
  assertEquals(
    [cause, code, wasClean, sent?.code],
    ["ping-timeout", 1006, false, 1011],
  );
});

test("WS38: any byte is a sign of life, and Pings go on at the interval", async () => {
  using clock = new FakeClock();
  await using peer = await RawPeer.connect(Handler, {
    handlerOptions: { pingIntervalMs: 10_000, pingTimeoutMs: 5_000 },
  });
  let pings = 0;
  for (let second = 0; second < 120; second++) {
    await clock.advance(1_000);
    for (const { opcode, payload } of peer.takeFrames()) {
      assertEquals(opcode, "ping");
      pings++;
      // Each other one is answered by a message instead.
      if (pings % 2 === 0) peer.sendFrame({ opcode: "pong", payload });
      else peer.sendFrame({ payload: "here I am" });
    }
  }
  assertEquals(peer.connection.readyState, 1);
  assert(pings >= 9 && pings <= 16, `${pings} Pings in two minutes`);
});

test("WS38: a round trip takes the time that the clock says", async () => {
  using clock = new FakeClock();
  await using pair = await connect(Handler, { pingIntervalMs: 0 });
  pair.wire.stall();
  const roundTrip = pair.server.ping();
  await clock.advance(250);
  pair.wire.flow();
  assertEquals(await roundTrip, 250);
  assertEquals(pair.server.latencyMs, 250);
});

test("the closing handshake is given up after closeTimeoutMs", async () => {
  using clock = new FakeClock();
  await using peer = await RawPeer.connect(Handler);
  const closed = peer.connection.close(4001);
  await clock.advance(9_000);
  assertEquals(peer.connection.readyState, 2);
  await clock.advance(2_000);
  assertEquals((await closed).cause, "close-timeout");
});

test("a shutdown waits for its deadline, and no longer", async () => {
  using clock = new FakeClock();
  const site = new Site();
  site.addHandler("/", Handler);
  await using peer = await RawPeer.connect(site);
  let isOver = false;
  const shutdown = site.shutdown({ timeoutMs: 3_000 })
    .then(() => isOver = true);
  await clock.advance(2_999);
  assertEquals(isOver, false);
  assertEquals(peer.takeFrames().map(({ code }) => code), [1001]);
  await clock.advance(1);
  await shutdown;
  assertEquals((await peer.connection.closed).cause, "close-timeout");
});

test("a request that does not come is answered 408, an answer that does not fails dial()", async () => {
  using clock = new FakeClock();
  const site = new Site({ openTimeoutMs: 4_000 });
  site.addHandler("/", Handler);
  await using silent = await RawPeer.connect(site, { upgrade: false });
  silent.write("GET / HTTP/1.1\r\n");
  await clock.advance(3_000);
  assertEquals(silent.received.length, 0);
  await clock.advance(1_500);
  assert((await silent.readHead()).startsWith("HTTP/1.1 408 "));

  await using server = await RawPeer.accept({ upgrade: false });
  let failed: unknown;
  server.dialled!.catch((error) => failed = error);
  await clock.advance(9_000);
  assertEquals(failed, undefined);
  await clock.advance(2_000);
  assert(failed instanceof HandshakeError);
  assertEquals(failed.reason, "open-timeout");
});

test("KA-5: what came while the loop was blocked for 30 s is read before anybody is given up", async () => {
  using clock = new FakeClock();
  const site = new Site();
  site.addHandler("/", Handler);
  const peers = await Promise.all(
    Array.from({ length: 20 }, () => RawPeer.connect(site)),
  );
  let pinged: RawPeer[] = [];
  while (pinged.length < 20) {
    await clock.advance(1_000);
    pinged = peers.filter((peer) => peer.received.length > 0);
  }
  // The Pongs are on their way: they wait where the kernel would keep them.
  for (const [index, peer] of peers.entries()) {
    peer.wire.stall();
    const [ping] = peer.takeFrames();
    if (index > 0) {
      peer.sendFrame({ opcode: "pong", payload: ping!.payload });
    }
  }
  // Timers come before what can be read, when the loop goes on.
  await clock.jump(30_000);
  for (const peer of peers) peer.wire.flow();
  await settle();
  assertEquals(site.connections.size, 20);
  // The one that has not answered is found out all the same.
  await clock.advance(21_000);
  assertEquals(site.connections.size, 19);
  assertEquals((await closedOf(peers[0]!, clock)).cause, "ping-timeout");
  for (const peer of peers) await peer[Symbol.asyncDispose]();
});

async function closedOf(peer: RawPeer, clock: FakeClock) {
  await clock.advance(1_000);
  return await peer.connection.closed;
}

test("a machine that slept an hour closes nobody who is there", async () => {
  using clock = new FakeClock();
  await using pair = await connect(Handler);
  await clock.advance(60_000);
  await clock.jump(3_600_000);
  assertEquals(pair.server.readyState, 1);
  await clock.advance(60_000);
  assertEquals([pair.server.readyState, pair.client.readyState], [1, 1]);
});

test("the program's own timers and dates follow, if they are to", async () => {
  using clock = new FakeClock({ globals: true });
  class Heartbeat extends Handler {
    #timer: ReturnType<typeof setInterval> | undefined;
    #beats = 0;

    override open(): void {
      this.#timer = setInterval(() => {
        this.connection.send(`heartbeat ${++this.#beats}`);
      }, 1_000);
    }

    override message(data: string): void {
      this.connection.send(`reply to ${data}`);
    }

    override close(): void {
      clearInterval(this.#timer);
    }
  }
  const started = Date.now();
  {
    await using pair = await connect(Heartbeat);
    const { client } = pair;
    await clock.advance(2_000);
    client.send("a");
    await clock.advance(1_000);
    const messages = [];
    for (let i = 0; i < 4; i++) messages.push(await client.receive());
    assertEquals(messages, [
      "heartbeat 1",
      "heartbeat 2",
      "reply to a",
      "heartbeat 3",
    ]);
  }
  assertEquals(clock.pendingTimers, 0);
  assertEquals(Date.now() - started, 3_000);
  assertEquals(new Date().getTime() - started, 3_000);
  assertEquals(new Date(5).getTime(), 5);
  assert(new Date() instanceof Date);
  assert(Date().includes(`${new Date(started).getFullYear()}`));
  assertEquals(performance.now(), clock.nowMs);

  const calls: unknown[] = [];
  const timers = [
    setTimeout((...args: unknown[]) => calls.push(args), 10, "a", "b"),
    setTimeout(() => calls.push("never"), 10),
    setTimeout(() => calls.push("soon")),
    setInterval(() => calls.push("again"), 0),
  ];
  clearTimeout(timers[1]);
  await clock.advance(1);
  clearInterval(timers[3]);
  clearTimeout(undefined);
  await clock.advance(10);
  assertEquals(calls, ["soon", "again", ["a", "b"]]);
  // Whatever a timer is on this runtime, it can be let go.
  const { unref, ref, hasRef } = timers[0] as unknown as Record<
    string,
    unknown
  >;
  const kinds = [unref, ref, hasRef].map((method) => typeof method);
  assert(kinds.every((kind) => kind === kinds[0]));
});

test("after the clock everything is as it was", async () => {
  const before = [setTimeout, setInterval, clearTimeout, Date, performance.now];
  const clock = new FakeClock({ globals: true });
  assert(setTimeout !== before[0]);
  setTimeout(() => assert(false, "called after the end"), 5);
  clock[Symbol.dispose]();
  clock[Symbol.dispose]();
  assertEquals(
    [setTimeout, setInterval, clearTimeout, Date, performance.now],
    before,
  );
  await assertRejects(() => clock.advance(1), Error, "disposed of");
});

test("a clock refuses what cannot be meant", async () => {
  const wrong = { gobals: true } as unknown as { globals: boolean };
  assertThrows(() => new FakeClock(wrong), TypeError, "unknown option: gobals");
  const kind = { globals: 1 } as unknown as { globals: boolean };
  assertThrows(() => new FakeClock(kind), TypeError, "not a boolean");
  using clock = new FakeClock();
  await assertRejects(() => clock.advance(-1), RangeError, "out of range");
  await assertRejects(() => clock.jump(NaN), RangeError, "out of range");
  const moving = clock.advance(5);
  await assertRejects(() => clock.advance(5), Error, "moving already");
  await moving;
});

test("a clock works with a program that dials by itself", async () => {
  using clock = new FakeClock();
  using network = new MemoryNetwork();
  const site = new Site();
  site.addHandler("/", Handler);
  await using _server = await site.listen({ port: 8080 });
  const connection = await dial("ws://example.com:8080/");
  network.wires[0]!.stall();
  await clock.advance(60_000);
  assertEquals((await connection.closed).cause, "ping-timeout");
  assertEquals(site.connections.size, 0);
});
