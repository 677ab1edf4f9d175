/** Marks, pauses, half-closed streams and keepalive of one connection. */
import { prepareMessage } from "../../codec.ts";
import { ClosedError } from "../../connection.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { close, Rig, settle } from "./rig.ts";

const many = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

async function takeAll({ connection }: Rig): Promise<unknown[]> {
  const taken: unknown[] = [];
  await assertRejects(async () => {
    while (true) taken.push(await connection.receive());
  }, ClosedError);
  return taken;
}

test("BP-3: reading pauses at 16 messages, and goes on below a quarter", async () => {
  await using rig = new Rig();
  rig.send(...many(15));
  await settle();
  assertEquals(rig.near.paused, false);
  rig.send("15");
  await settle();
  assertEquals(rig.near.paused, true);
  for (let left = 15; left >= 0; left--) {
    assertEquals(await rig.connection.receive(), `${15 - left}`);
    assertEquals([left, rig.near.paused], [left, left >= 4]);
  }
});

test("BP-3: a loop that keeps up with its chunks never makes reading pause", async () => {
  const taken: string[] = [];
  await using rig = Rig.running(async (connection) => {
    for await (const message of connection) {
      taken.push(`${message}`);
      // As long as a turn of a loop with an await or two.
      for (let i = 0; i < 4; i++) await undefined;
    }
  });
  let pauses = 0;
  const pause = rig.near.pause.bind(rig.near);
  rig.near.pause = () => {
    pauses++;
    pause();
  };
  for (let chunk = 0; chunk < 3; chunk++) {
    rig.send(...many(100));
    await settle();
    assertEquals([taken.length, pauses], [100 * (chunk + 1), 0]);
  }
});

test("BP-3: a loop that stops makes reading pause, and loses nothing", async () => {
  const taken: string[] = [];
  const gate = Promise.withResolvers<void>();
  await using rig = Rig.running(async (connection) => {
    for await (const message of connection) {
      if (taken.push(`${message}`) === 50) await gate.promise;
    }
  });
  rig.send(...many(100));
  await settle();
  assertEquals([taken.length, rig.near.paused], [50, true]);
  gate.resolve();
  await settle();
  assertEquals([taken, rig.near.paused], [many(100), false]);
});

test("BP-3: reading pauses at 64 KiB, and goes on below a quarter", async () => {
  await using rig = new Rig();
  for (let i = 0; i < 4; i++) {
    assertEquals(rig.near.paused, false);
    rig.send({ opcode: "binary", payload: new Uint8Array(16_384) });
    await settle();
  }
  assertEquals(rig.near.paused, true);
  for (const left of [3, 2, 1]) {
    await rig.connection.receive();
    assertEquals([left, rig.near.paused], [left, left >= 1]);
  }
  await rig.connection.receive();
  assertEquals(rig.near.paused, false);
});

test("BP-3: reading pauses while an async hook is behind", async () => {
  const gates: (() => void)[] = [];
  await using rig = Rig.spied({
    message: () => new Promise<void>((resolve) => gates.push(resolve)),
  });
  rig.send("0");
  await settle();
  assertEquals(rig.near.paused, false);
  rig.send(...many(16));
  await settle();
  assertEquals([rig.near.paused, gates.length], [true, 1]);
  for (let i = 0; i < 17; i++) {
    gates[i]!();
    await settle();
  }
  assertEquals([rig.near.paused, rig.spy.calls.length], [false, 18]);
});

test("pause() and resume() are the user's, and the marks hold nonetheless", async () => {
  await using rig = Rig.spied({});
  rig.connection.pause();
  rig.connection.pause();
  rig.send("a");
  await settle();
  assertEquals(rig.spy.calls, ["open"]);
  rig.connection.resume();
  await settle();
  assertEquals(rig.spy.calls, ["open", "message a"]);

  await using other = new Rig();
  other.send(...many(20));
  await settle();
  other.connection.resume();
  assertEquals(other.near.paused, true);
});

test("a paused connection still closes", async () => {
  await using rig = new Rig();
  rig.connection.pause();
  rig.send("a");
  const closed = rig.connection.close();
  rig.send(close());
  rig.far.end();
  assertEquals((await closed).wasClean, true);
});

test("after close() what nobody takes does not pile up", async () => {
  await using rig = new Rig();
  void rig.connection.close();
  for (let i = 0; i < 20; i++) {
    rig.send(...many(50));
    await settle();
  }
  assertEquals(rig.near.paused, false);
  rig.send(close());
  rig.far.end();
  assertEquals((await rig.closed()).wasClean, true);
  // The first ones: there must be no gap in what can be taken.
  assertEquals(await takeAll(rig), many(16));
});

test("after close() one who takes loses all that follows what did not fit", async () => {
  await using rig = new Rig();
  void rig.connection.close();
  rig.send(...many(20));
  await settle();
  const taken = [];
  while (taken.length < 16) taken.push(await rig.connection.receive());
  rig.send("20", "21");
  await settle();
  rig.send(close());
  rig.far.end();
  await rig.closed();
  assertEquals([...taken, ...await takeAll(rig)], many(16));
});

test("one who is slow loses nothing before the peer's Close", async () => {
  // Half of the timeout later the Close frame is answered, whoever takes.
  await using rig = new Rig({
    closeTimeoutMs: 60,
    receiveHighWaterMessages: 4,
  });
  const first = rig.connection.receive();
  rig.send(...many(50), close());
  assertEquals(await first, "0");
  assertEquals((await rig.closed()).code, 1000);
  assertEquals(await takeAll(rig), many(50).slice(1));
});

test("CL-5: after the peer's FIN queued answers are still written", async () => {
  await using rig = Rig.spied({
    message: async (c, data) => {
      await settle();
      c.send(`re: ${data}`);
    },
  });
  rig.send("a", "b");
  rig.far.end();
  const info = await rig.closed();
  assertEquals([info.code, info.cause], [1006, "transport-error"]);
  assertEquals(rig.sent, ["re: a", "re: b"]);
  await settle();
  assertEquals(rig.spy.calls, [
    "open",
    "message a",
    "message b",
    "close transport-error",
  ]);
});

test("CL-5: a FIN in the middle of a frame", async () => {
  await using rig = Rig.spied({});
  rig.far.write(Uint8Array.of(0x81, 0x85, 1, 2));
  rig.far.end();
  const info = await rig.closed();
  assertEquals([info.code, info.wasClean], [1006, false]);
});

test("CL-6: a reset is one close, with the error", async () => {
  await using rig = Rig.spied({});
  rig.send("a");
  await settle();
  rig.far.reset();
  const info = await rig.closed();
  assertEquals([info.cause, info.code], ["transport-error", 1006]);
  assert(info.error instanceof Error);
  await settle();
  assertEquals(rig.spy.calls, ["open", "message a", "close transport-error"]);
});

test("a Close that arrived before the stream broke still counts", async () => {
  await using rig = Rig.spied({ message: () => settle() });
  rig.send("a", close(3000, "bye"));
  await Promise.resolve();
  await settle();
  rig.far.reset();
  const info = await rig.closed();
  assertEquals([info.code, info.reason, info.cause], [3000, "bye", "peer"]);
});

test("a silent peer is pinged, and any byte keeps it", async () => {
  await using rig = new Rig({ pingIntervalMs: 40, pingTimeoutMs: 10_000 });
  while (!rig.sent.includes("ping")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(rig.connection.latencyMs, undefined);
  rig.send({ opcode: "pong", payload: rig.frames[0]!.payload });
  await settle();
  assert(rig.connection.latencyMs! >= 0);
});

test("KA: a paused connection is not taken for dead", async () => {
  await using rig = new Rig({ pingIntervalMs: 20, pingTimeoutMs: 20 });
  rig.connection.pause();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assertEquals([rig.connection.readyState, rig.sent], [1, []]);
});

test("drained settles below the mark, and send tells when to wait", async () => {
  await using rig = new Rig({ sendHighWaterBytes: 1000 }, {
    capacityBytes: 100,
  });
  rig.far.pause();
  await rig.connection.drained;
  assertEquals(rig.connection.send(new Uint8Array(500)), true);
  assertEquals(rig.connection.send(new Uint8Array(1500)), false);
  let isDrained = false;
  const drained = rig.connection.drained.then(() => isDrained = true);
  await settle();
  assertEquals(isDrained, false);
  rig.far.resume();
  await drained;
  assert(rig.connection.bufferedAmount < 1000);
});

test("messages framed before leave with what else a turn sends, in order", async () => {
  await using rig = new Rig();
  const { connection } = rig;
  const prepared = ["a", "b", "c"].map((text) => prepareMessage(text));
  const { writes } = rig.near;
  assertEquals(connection.sendPrepared(prepared[0]!), true);
  assertEquals(connection.sendPrepared(prepared[1]!), true);
  // Nothing has left yet, and what waits is counted.
  assertEquals([rig.near.writes - writes, connection.bufferedAmount], [0, 6]);
  connection.send("own");
  connection.sendPrepared(prepared[2]!);
  assertEquals(connection.bufferedAmount, 6 + 5 + 3);
  await settle();
  assertEquals(rig.near.writes - writes, 1);
  assertEquals(rig.sent, ["a", "b", "own", "c"]);
  assertEquals(connection.bufferedAmount, 0);
});

test("BP-1: messages framed before count against the send buffer", async () => {
  await using rig = new Rig({ sendHighWaterBytes: 500, sendMaxBytes: 1000 });
  rig.far.pause();
  rig.near.capacityBytes = rig.far.capacityBytes = 0;
  const { connection } = rig;
  const message = prepareMessage(new Uint8Array(96));
  let accepted = 0;
  while (connection.sendPrepared(message)) accepted++;
  // 98 bytes each: the eleventh was taken at 980, the twelfth not at 1078.
  assertEquals(accepted, 11);
  assertEquals(connection.readyState, 2);
  rig.near.capacityBytes = rig.far.capacityBytes = Infinity;
  rig.far.resume();
  assertEquals(connection.sendPrepared(message), false);
  await settle();
  assertEquals(rig.sent, [...Array(11).fill("96 B"), "close 1013"]);
  connection.terminate();
  assertEquals((await rig.closed()).cause, "backpressure");
});

test("stats count messages, frames and bytes", async () => {
  await using rig = Rig.spied({ message: (c) => c.send("12345") });
  rig.send("ab", { opcode: "ping" }, { fin: false, payload: "c" }, {
    opcode: "continuation",
  });
  await settle();
  assertEquals(rig.connection.stats, {
    bytesReceived: 8 + 6 + 7 + 6,
    bytesSent: 2 + 7 + 7,
    payloadBytesReceived: 2 + 1,
    payloadBytesSent: 5 + 5,
    framesReceived: 4,
    framesSent: 3,
    messagesReceived: 2,
    messagesSent: 2,
    messagesDropped: 0,
  });
});

test("BP-1: a peer that is given up is not read any more", async () => {
  await using rig = new Rig({ sendMaxBytes: 100, closeTimeoutMs: 60_000 });
  rig.far.pause();
  rig.near.capacityBytes = rig.far.capacityBytes = 0;
  const { connection } = rig;
  while (connection.readyState === 1) connection.send(new Uint8Array(60));
  await settle();
  assertEquals(rig.near.paused, true);
  const { bytesReceived } = connection.stats;
  rig.near.capacityBytes = rig.far.capacityBytes = Infinity;
  rig.send("a", "b");
  await settle();
  assertEquals(connection.stats.bytesReceived, bytesReceived);
  connection.terminate();
  assertEquals((await rig.closed()).cause, "backpressure");
});
