/** Messages in fragments, and web streams of messages. */
import { ClosedError } from "../../connection.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { close, Rig, settle } from "./rig.ts";

const fragments = (rig: Rig) =>
  rig.frames.map(({ opcode, fin, payload }) => [
    opcode,
    fin,
    opcode === 2 ? payload.length : new TextDecoder().decode(payload),
  ]);

test("sendStream() sends one message, a fragment for each chunk", async () => {
  await using rig = new Rig();
  await rig.connection.sendStream(["a", "b", "c"]);
  await rig.connection.sendStream(async function* () {
    yield new Uint8Array(3);
  }());
  await rig.connection.sendStream([]);
  await settle();
  assertEquals(fragments(rig), [
    [1, false, "a"],
    [0, false, "b"],
    [0, true, "c"],
    [2, true, 3],
  ]);
});

test("what is sent meanwhile leaves after it, Pings in between", async () => {
  await using rig = new Rig();
  const gate = Promise.withResolvers<void>();
  const sent = rig.connection.sendStream(async function* () {
    yield "one";
    yield "two";
    await gate.promise;
    yield "three";
  }());
  assertEquals(rig.connection.send("after"), true);
  const second = rig.connection.sendStream(["x", "y"]);
  assertEquals(rig.connection.send(new Uint8Array(2)), true);
  assert(rig.connection.bufferedAmount >= 7);
  await settle();
  void rig.connection.ping();
  await settle();
  gate.resolve();
  await Promise.all([sent, second]);
  await settle();
  assertEquals(fragments(rig).filter(([opcode]) => opcode !== 9), [
    [1, false, "one"],
    [0, false, "two"],
    [0, true, "three"],
    [1, true, "after"],
    [1, false, "x"],
    [0, true, "y"],
    [2, true, 2],
  ]);
  assertEquals(rig.frames[1]!.opcode, 9);
  assertEquals(rig.connection.bufferedAmount, 0);
});

test("a character cut in two by chunks stays whole", async () => {
  await using rig = new Rig();
  await rig.connection.sendStream(["a\ud83d", "\udc1f", "\ud83d", "b\ud83d"]);
  await settle();
  assertEquals(
    rig.frames.map(({ payload }) => new TextDecoder().decode(payload)).join(""),
    "a🐟\ufffdb\ufffd",
  );
});

test("mixed or wrong chunks, and iterables that throw, close with 1011", async () => {
  const cases: [() => Iterable<unknown>, typeof Error][] = [
    [() => ["a", new Uint8Array(1)], TypeError],
    [() => ["a", 5, "b"], TypeError],
    [() => new Uint8Array(3), TypeError],
    [function* () {
      yield "a";
      throw new RangeError("mine");
    }, RangeError],
  ];
  for (const [make, type] of cases) {
    await using rig = new Rig();
    const chunks = make() as Iterable<string>;
    const error = await assertRejects(() => rig.connection.sendStream(chunks));
    assert(error instanceof type, `${error}`);
    await settle();
    assertEquals(rig.sent.at(-1), "close 1011");
  }
});

test("what is not iterable is refused at once, and harms nothing", async () => {
  await using rig = new Rig();
  for (const chunks of [null, undefined, 5, {}, true, new ArrayBuffer(3)]) {
    assertThrows(
      () => rig.connection.sendStream(chunks as unknown as string[]),
      TypeError,
    );
  }
  assertEquals(rig.connection.readyState, 1);
  await settle();
  assertEquals(rig.sent, []);
});

test("sendStream() pulls no faster than the peer reads, and lets go at the end", async () => {
  await using rig = new Rig({ closeTimeoutMs: 50 }, { capacityBytes: 1000 });
  rig.far.pause();
  let pulled = 0;
  let isOver = false;
  const sent = rig.connection.sendStream(function* () {
    try {
      while (true) {
        pulled++;
        yield new Uint8Array(10_000);
      }
    } finally {
      isOver = true;
    }
  }());
  for (let i = 0; i < 5; i++) await settle();
  assert(pulled >= 7 && pulled <= 10, `${pulled}`);
  rig.connection.terminate();
  await assertRejects(() => sent, ClosedError);
  assertEquals(isOver, true);
});

test("sendStream() on a closed connection rejects", async () => {
  await using rig = new Rig();
  rig.connection.terminate();
  await rig.closed();
  await assertRejects(() => rig.connection.sendStream(["a"]), ClosedError);
  void rig.connection.sendStream(["a"]); // nobody listens: no harm done
  await settle();
});

test("readable gives messages, and ends with an ordinary close", async () => {
  await using rig = new Rig();
  rig.send("a", { opcode: "binary", payload: "xyz" }, close(1001));
  rig.far.end();
  const received: unknown[] = [];
  for await (const message of rig.connection.readable) {
    received.push(typeof message === "string" ? message : message.length);
  }
  assertEquals(received, ["a", 3]);
});

test("readable errors after any other end", async () => {
  await using rig = new Rig();
  const reader = rig.connection.readable.getReader();
  rig.send("a", close(1011));
  rig.far.end();
  assertEquals((await reader.read()).value, "a");
  await assertRejects(() => reader.read(), ClosedError);
});

test("readable that is not read pauses the peer; cancelled, it closes", async () => {
  await using rig = new Rig();
  const { readable } = rig.connection;
  rig.send(...Array.from({ length: 40 }, () => "x"));
  await settle();
  assertEquals(rig.near.paused, true);
  await readable.cancel();
  await settle();
  assertEquals(rig.sent, ["close 1000"]);
});

test("writable sends chunks as messages, and closes with 1000", async () => {
  await using rig = new Rig();
  const writer = rig.connection.writable.getWriter();
  await writer.write("a");
  await writer.write(new Uint8Array(3));
  const closed = writer.close();
  await settle();
  assertEquals(rig.sent, ["a", "3 B", "close 1000"]);
  rig.send(close());
  rig.far.end();
  await closed;
});

test("writable that is aborted closes with 1011", async () => {
  await using rig = new Rig();
  await rig.connection.writable.abort(new Error("x"));
  await settle();
  assertEquals(rig.sent, ["close 1011"]);
});

test("writable waits for the peer, and fails with the connection", async () => {
  await using rig = new Rig({ closeTimeoutMs: 50 }, { capacityBytes: 1000 });
  rig.far.pause();
  const writer = rig.connection.writable.getWriter();
  writer.closed.catch(() => {});
  let isWritten = false;
  const written = writer.write(new Uint8Array(100_000)).then(() => {
    isWritten = true;
  });
  await settle();
  assertEquals(isWritten, false);
  rig.far.resume();
  await written;
  rig.connection.terminate();
  await assertRejects(() => writer.closed, ClosedError);
  await assertRejects(() => writer.write("x"));
});

test("writable loses nothing unheard while the connection closes", async () => {
  await using rig = new Rig({ closeTimeoutMs: 30 });
  const writer = rig.connection.writable.getWriter();
  writer.closed.catch(() => {});
  void rig.connection.close();
  await assertRejects(() => writer.write("dropped"), ClosedError);
});
