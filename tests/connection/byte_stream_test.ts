/** AB17: a stream of bytes over messages, byte for byte on the wire. */
import {
  byteStream,
  type ByteStreamOptions,
  ClosedError,
} from "../../connection.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { close, Rig, settle } from "./rig.ts";

const bytes = (...values: number[]) => ({
  opcode: "binary" as const,
  payload: Uint8Array.from(values),
});

/** Takes all chunks as one list of bytes. */
async function readAll(
  readable: ReadableStream<Uint8Array>,
): Promise<number[]> {
  const all: number[] = [];
  const reader = readable.getReader();
  while (true) {
    const { done, value } = await reader.read();
    if (done) return all;
    all.push(...value);
  }
}

/** A rig with a stream of bytes and its writer, whose failure is nobody's. */
function open(
  options: ByteStreamOptions = {},
  ...how: ConstructorParameters<typeof Rig>
) {
  const rig = new Rig(...how);
  const { readable, writable } = byteStream(rig.connection, options);
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  return { rig, readable, writer };
}

function assertClosed(error: unknown, cause: string, code: number): void {
  assert(error instanceof ClosedError, `${error}`);
  assertEquals([error.info.cause, error.info.code], [cause, code]);
}

test("AB17: bytes come out as they went in, however they were cut", async () => {
  const { rig, readable } = open();
  await using _ = rig;
  const all = readAll(readable);
  rig.send(
    bytes(1, 2),
    bytes(),
    { ...bytes(3), fin: false },
    { opcode: "continuation", payload: Uint8Array.of(4) },
    bytes(5),
    close(1000),
  );
  rig.far.end();
  assertEquals(await all, [1, 2, 3, 4, 5]);
});

test("AB17: chunks of every kind leave as messages that no peer finds too big", async () => {
  const { rig, writer } = open({ messageBytes: 4 });
  await using _ = rig;
  await writer.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
  await writer.write(new Uint8Array());
  await writer.write(new ArrayBuffer(4));
  await writer.write(new DataView(Uint8Array.of(10, 11, 12).buffer, 1, 2));
  await settle();
  assertEquals(
    rig.frames.map(({ opcode, payload }) => [opcode, ...payload]),
    [[2, 1, 2, 3, 4], [2, 5, 6, 7, 8], [2, 9], [2, 0, 0, 0, 0], [2, 11, 12]],
  );
});

test("AB17: by default a chunk is cut at 64 KiB", async () => {
  const { rig, writer } = open();
  await using _ = rig;
  await writer.write(new Uint8Array(150_000));
  await settle();
  assertEquals(rig.sent, ["65536 B", "65536 B", "18928 B"]);
});

test("AB17: text closes with 1003, and readable fails", async () => {
  const { rig, readable, writer } = open();
  await using _ = rig;
  rig.send(bytes(1), "text", bytes(2));
  const reader = readable.getReader();
  assertEquals((await reader.read()).value, Uint8Array.of(1));
  const failed = assertRejects(() => reader.read());
  await settle();
  assertEquals(rig.sent, ["close 1003"]);
  rig.send(close(1003));
  rig.far.end();
  assertClosed(await failed, "local", 1003);
  assertClosed(await assertRejects(() => writer.closed), "local", 1003);
});

test("AB17: base64 both ways; bytes close with 1003, no base64 with 1007", async () => {
  const options = { encoding: "base64" } as const;
  {
    const { rig, readable, writer } = open({
      ...options,
      messageBytes: 20_000,
    });
    await using _ = rig;
    await writer.write(Uint8Array.of(0xfb, 0xff, 0));
    const long = Uint8Array.from({ length: 30_000 }, (_, index) => index);
    await writer.write(long);
    await settle();
    assertEquals(rig.sent[0], "+/8A");
    assertEquals(rig.sent.map((text) => atob(text).length), [
      3,
      20_000,
      10_000,
    ]);
    const all = readAll(readable);
    rig.send("+/8A", "", "AQ==", close());
    rig.far.end();
    assertEquals(await all, [0xfb, 0xff, 0, 1]);
  }
  for (
    const [message, code] of [
      [bytes(1), 1003],
      ["A", 1007],
      ["AQ=x", 1007],
      ["A-_A", 1007],
      ["\u{1f41f}", 1007],
    ] as const
  ) {
    const { rig, readable } = open(options);
    await using _ = rig;
    rig.send(message);
    const failed = assertRejects(() => readAll(readable));
    await settle();
    assertEquals(rig.sent, [`close ${code}`]);
    rig.send(close(code));
    rig.far.end();
    assertClosed(await failed, "local", code);
  }
});

test("AB17: the peer waits until its bytes are read", async () => {
  const { rig, readable } = open();
  await using _ = rig;
  for (let i = 0; i < 100; i++) rig.send(bytes(...new Uint8Array(1000)));
  await settle();
  assertEquals(rig.near.paused, true);
  const reader = readable.getReader();
  for (let taken = 0; taken < 100_000;) {
    taken += (await reader.read()).value!.length;
  }
  assertEquals(rig.near.paused, false);
});

test("AB17: writing waits until the peer reads", async () => {
  const { rig, writer } = open({}, {}, { capacityBytes: 1000 });
  await using _ = rig;
  rig.far.pause();
  let isWritten = false;
  const writing = writer.write(new Uint8Array(1_000_000))
    .then(() => void (isWritten = true));
  for (let i = 0; i < 5; i++) await settle();
  assertEquals(isWritten, false);
  // A part of it, not all of it in memory once more.
  assert(rig.connection.bufferedAmount < 200_000);
  rig.far.resume();
  await writing;
});

test("AB17: an ordinary close of the peer's is the end, any other an error", async () => {
  for (const code of [1000, 1005, 1001, 1011, 4000]) {
    const { rig, readable, writer } = open();
    await using _ = rig;
    rig.send(bytes(7), code === 1005 ? { opcode: "close" } : close(code));
    rig.far.end();
    const reader = readable.getReader();
    assertEquals((await reader.read()).value, Uint8Array.of(7));
    if (code === 1000 || code === 1005) {
      assertEquals((await reader.read()).done, true);
    } else {
      assertClosed(await assertRejects(() => reader.read()), "peer", code);
    }
    await rig.closed();
    assertClosed(await assertRejects(() => writer.closed), "peer", code);
  }
});

test("AB17: a connection that breaks, or is closed elsewhere, fails both", async () => {
  const broken = open();
  broken.rig.send(bytes(1));
  broken.rig.far.end();
  const error = await assertRejects(() => readAll(broken.readable));
  assertClosed(error, "transport-error", 1006);
  assertClosed(
    await assertRejects(() => broken.writer.closed),
    "transport-error",
    1006,
  );
  // What the peer says after our Close may be dropped: no end is certain.
  const { rig, readable } = open();
  await using _ = rig;
  void rig.connection.close(1000);
  rig.send(bytes(1), close(1000));
  rig.far.end();
  assertClosed(await assertRejects(() => readAll(readable)), "local", 1000);
});

test("AB17: closing writable closes, and what arrives before the answer counts", async () => {
  const { rig, readable, writer } = open();
  await using _ = rig;
  await writer.write(Uint8Array.of(1));
  const all = readAll(readable);
  const closing = writer.close();
  await settle();
  assertEquals(rig.sent, ["1 B", "close 1000"]);
  rig.send(bytes(2), close(1000));
  rig.far.end();
  assertEquals(await all, [2]);
  await closing;
});

test("AB17: close() of writable fails where the peer does not confirm", async () => {
  for (const answer of [close(1011), undefined]) {
    const { rig, readable, writer } = open({}, { closeTimeoutMs: 30 });
    await using _ = rig;
    const closing = assertRejects(() => writer.close());
    await settle();
    if (answer !== undefined) rig.send(answer);
    rig.far.end();
    assert(await closing instanceof ClosedError);
    await assertRejects(() => readAll(readable), ClosedError);
  }
});

test("AB17: abort and cancel tell the peer whether something went wrong", async () => {
  const aborted = open();
  await aborted.writer.abort(new Error("mine"));
  const given = open();
  await given.readable.cancel(new Error("mine"));
  const left = open();
  await left.readable.cancel();
  const wrong = open();
  const writing = wrong.writer.write("text" as unknown as Uint8Array);
  await assertRejects(() => writing, TypeError);
  await settle();
  assertEquals(
    [aborted, given, left, wrong].map(({ rig }) => rig.sent.join()),
    ["close 1011", "close 1011", "close 1000", "close 1011"],
  );
  for (const { rig } of [aborted, given, left, wrong]) {
    await rig[Symbol.asyncDispose]();
  }
});

const halfClose = true;

test("AB17: with halfClose each direction ends by itself, ours first", async () => {
  const { rig, readable, writer } = open({ halfClose });
  await using _ = rig;
  const all = readAll(readable);
  await writer.write(Uint8Array.of(1));
  await writer.close();
  await settle();
  assertEquals(rig.sent, ["1 B", "0 B"]);
  rig.send(bytes(2), bytes(3));
  await settle();
  rig.send(bytes());
  assertEquals(await all, [2, 3]);
  await settle();
  assertEquals(rig.sent, ["1 B", "0 B", "close 1000"]);
});

test("AB17: with halfClose each direction ends by itself, the peer's first", async () => {
  const { rig, readable, writer } = open({ halfClose });
  await using _ = rig;
  rig.send(bytes(2), bytes());
  assertEquals(await readAll(readable), [2]);
  await writer.write(Uint8Array.of(1));
  await settle();
  assertEquals(rig.sent, ["1 B"]);
  await writer.close();
  await settle();
  assertEquals(rig.sent, ["1 B", "0 B", "close 1000"]);
});

test("AB17: with halfClose a close before the end is an error, in base64 as well", async () => {
  for (const encoding of ["binary", "base64"] as const) {
    const { rig, readable, writer } = open({ halfClose, encoding });
    await using _ = rig;
    rig.send(encoding === "binary" ? bytes(1) : "AQ==", close(1000));
    rig.far.end();
    assertClosed(await assertRejects(() => readAll(readable)), "peer", 1000);
    assertClosed(await assertRejects(() => writer.closed), "peer", 1000);
  }
  const { rig, readable, writer } = open({ halfClose, encoding: "base64" });
  await using _ = rig;
  rig.send("AQ==", "");
  assertEquals(await readAll(readable), [1]);
  await writer.close();
  await settle();
  assertEquals(rig.sent, ["", "close 1000"]);
});

test("AB17: with halfClose a peer that goes on after its end is told 1002", async () => {
  const { rig, readable, writer } = open({ halfClose });
  await using _ = rig;
  rig.send(bytes(1), bytes());
  assertEquals(await readAll(readable), [1]);
  rig.send(bytes(2));
  await settle();
  assertEquals(rig.sent, ["close 1002"]);
  rig.send(close(1002));
  rig.far.end();
  assertClosed(await assertRejects(() => writer.closed), "local", 1002);
});

test("AB17: with halfClose the peer's Close is found after its end", async () => {
  const { rig, readable, writer } = open({ halfClose });
  await using _ = rig;
  rig.send(bytes());
  assertEquals(await readAll(readable), []);
  rig.send(close(1011));
  rig.far.end();
  await settle();
  assertEquals(rig.sent, ["close 1011"]);
  assertClosed(await assertRejects(() => writer.closed), "peer", 1011);
});

test("AB17: options of a byte stream are checked", async () => {
  await using rig = new Rig();
  const wrong: [unknown, typeof Error][] = [
    [null, TypeError],
    [5, TypeError],
    [{ encodings: "binary" }, TypeError],
    [{ encoding: "hex" }, TypeError],
    [{ encoding: 64 }, TypeError],
    [{ halfClose: 1 }, TypeError],
    [{ compress: "yes" }, TypeError],
    [{ messageBytes: "1" }, TypeError],
    [{ messageBytes: 0 }, RangeError],
    [{ messageBytes: 1.5 }, RangeError],
    [{ messageBytes: Infinity }, RangeError],
  ];
  for (const [options, type] of wrong) {
    assertThrows(
      () => byteStream(rig.connection, options as ByteStreamOptions),
      type,
    );
  }
  assertEquals(rig.connection.readyState, 1);
});
