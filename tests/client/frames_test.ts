/** Frames of a hostile server, and our own. */
import { dial } from "../../client.ts";
import { ClosedError, type CloseInfo } from "../../connection.ts";
import { ProtocolError } from "../../codec.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, frame, parseFrames } from "../harness/frame.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { opened } from "./dialing.ts";

const OPEN = [frame({ payload: "one" }), frame({ payload: "two" })];

test("CI-7: frames in the packet of the 101 are delivered", async () => {
  const early = concat(...OPEN, frame({ opcode: "ping", payload: "hi" }));
  await using end = await opened({}, early);
  assertEquals(await end.connection.receive(), "one");
  assertEquals(await end.connection.receive(), "two");
  const pong = await end.raw.readFrame();
  assertEquals([pong.opcode, pong.payload.length], [0xa, 2]);
});

test("CI-7: messages and a Close in the packet of the 101", async () => {
  const close = frame({ opcode: "close", payload: Uint8Array.of(3, 232) });
  await using end = await opened({}, concat(...OPEN, close));
  assertEquals((await end.raw.readFrame()).opcode, 8);
  end.raw.end();
  assertEquals((await end.connection.closed).wasClean, true);
  const received: unknown[] = [];
  for await (const message of end.connection) received.push(message);
  assertEquals(received, ["one", "two"]);
});

test("CI-7: many messages in the packet of the 101 wait until they are taken", async () => {
  const early = concat(
    ...Array.from({ length: 300 }, (_, i) => frame({ payload: `${i}` })),
  );
  await using end = await opened({}, early);
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 300; i++) {
    assertEquals(await end.connection.receive(), `${i}`);
  }
});

test("CI-7: the response and a frame, cut at each offset", async () => {
  await using server = await RawServer.listen();
  const [message] = OPEN;
  let length = Infinity;
  for (let at = 1; at < length; at++) {
    const dialing = dial(`ws://127.0.0.1:${server.port}/`);
    const raw = await server.accept();
    const bytes = concat(upgradeResponse(await raw.readHead()), message!);
    length = bytes.length;
    await raw.writeAll(bytes.subarray(0, at));
    // The client reads the first part before the second one leaves.
    await new Promise((resolve) => setTimeout(resolve));
    raw.write(bytes.subarray(at));
    const connection = await within(dialing, `dial(), cut at ${at}`);
    assertEquals(await connection.receive(), "one");
    connection.terminate();
    await connection.closed;
  }
  assert(length < Infinity && length > 100);
});

/** Sends bytes to a client; returns its Close frame's code, and its report. */
async function provoke(
  bytes: Uint8Array,
): Promise<{ code: number; info: CloseInfo }> {
  await using end = await opened();
  end.raw.write(bytes);
  const taken = assertRejects(() => end.connection.receive(), ClosedError);
  const close = await end.raw.readFrame();
  assertEquals([close.opcode, close.maskKey?.length], [8, 4]);
  // Section 7.1.7: the client may end the stream first, having failed it.
  await end.raw.readToEnd();
  end.raw.end();
  const info = await within(end.connection.closed, "the close");
  assertEquals((await taken).info, info);
  return { code: closeCode(close.payload), info };
}

const big = (length: bigint) => frame({ opcode: "binary", length });
const BREACHES: [name: string, Uint8Array, code: number, reason: string][] = [
  ["masked", frame({ mask: true, payload: "x" }), 1002, "mask-forbidden"],
  ["masked and empty", frame({ mask: true }), 1002, "mask-forbidden"],
  ["FR-1", big(2n ** 30n), 1009, "message-too-big"],
  ["FR-3: top bit", big(2n ** 63n), 1002, "length-too-big"],
  ["FR-3: all bits", big(2n ** 64n - 1n), 1002, "length-too-big"],
  ["FR-3: 2^63-1", big(2n ** 63n - 1n), 1009, "message-too-big"],
  ["FR-3: 2^53", big(2n ** 53n), 1009, "message-too-big"],
  ["FR-3: 2^53-1", big(2n ** 53n - 1n), 1009, "message-too-big"],
  ["FR-3: 2^32", big(2n ** 32n), 1009, "message-too-big"],
  ["FR-3: 2^31", big(2n ** 31n), 1009, "message-too-big"],
  ["FR-2", big(2n ** 20n + 1n), 1009, "message-too-big"],
  [
    "FR-4: 5 in 16 bits",
    frame({ payload: "hello", lengthForm: 16 }),
    1002,
    "length-not-minimal",
  ],
  [
    "FR-4: 5 in 64 bits",
    frame({ payload: "hello", lengthForm: 64 }),
    1002,
    "length-not-minimal",
  ],
  [
    "FR-4: 65,535 in 64 bits",
    frame({ length: 65_535, lengthForm: 64 }),
    1002,
    "length-not-minimal",
  ],
  ["reserved bits", frame({ rsv: 4 }), 1002, "reserved-bits"],
  ["reserved opcode", frame({ opcode: 3 }), 1002, "reserved-opcode"],
  [
    "FG-1",
    concat(
      frame({ fin: false, payload: "x" }),
      ...Array.from(
        { length: 16_384 },
        () => frame({ opcode: "continuation", fin: false, payload: "x" }),
      ),
    ),
    1008,
    "too-many-fragments",
  ],
  [
    "FG-4",
    concat(
      frame({ opcode: "binary", fin: false, payload: new Uint8Array(600_000) }),
      frame({ opcode: "continuation", length: 500_000 }),
    ),
    1009,
    "message-too-big",
  ],
  [
    "FG-7",
    frame({ opcode: "continuation" }),
    1002,
    "unexpected-continuation",
  ],
  [
    "UT-1: whole",
    frame({ payload: Uint8Array.of(0x61, 0xff) }),
    1007,
    "invalid-utf8",
  ],
  [
    "UT-1: before the end of the frame",
    frame({ fin: false, payload: Uint8Array.of(0x61, 0xff), length: 1000 }),
    1007,
    "invalid-utf8",
  ],
  [
    "UT-1: across fragments",
    concat(
      frame({ fin: false, payload: Uint8Array.of(0xf0, 0x9f) }),
      frame({ opcode: 0, fin: false, payload: Uint8Array.of(0x41) }),
    ),
    1007,
    "invalid-utf8",
  ],
  [
    "CL-3: Close of one byte",
    frame({ opcode: "close", payload: "x" }),
    1002,
    "invalid-close-length",
  ],
  [
    "CL-1: Close with 1005",
    frame({ opcode: "close", payload: Uint8Array.of(3, 237) }),
    1002,
    "invalid-close-code",
  ],
];

test("CI-10: a client answers breaches as a server does", async () => {
  for (const [name, bytes, code, reason] of BREACHES) {
    const seen = await provoke(bytes);
    const { info } = seen;
    assertEquals([name, seen.code], [name, code]);
    assertEquals(
      [name, info.code, info.sent?.code, info.wasClean],
      [name, 1006, code, false],
    );
    const cause = code === 1009 ? "too-big" : "protocol-error";
    assertEquals([name, info.cause], [name, cause]);
    assert(info.error instanceof ProtocolError);
    assertEquals([name, info.error.reason], [name, reason]);
  }
});

test("CI-10: what comes before a breach is delivered, what follows is not", async () => {
  await using end = await opened();
  end.raw.write(OPEN[0]!, frame({ rsv: 1 }), OPEN[1]!);
  assertEquals(await end.connection.receive(), "one");
  await assertRejects(() => end.connection.receive(), ClosedError);
});

test("CI-10: a message of exactly the limit is delivered", async () => {
  await using end = await opened();
  const payload = new Uint8Array(1_048_576).fill(7);
  end.raw.sendFrame({ opcode: "binary", mask: false, payload });
  assertEquals((await end.connection.receive()).length, payload.length);
});

test("CI-14: every frame of a client is masked, and right under its mask", async () => {
  await using end = await opened();
  const payload = Uint8Array.from({ length: 70_000 }, (_, i) => i * 7);
  end.connection.send("text");
  end.connection.send(payload);
  void end.connection.ping(new Uint8Array([1, 2, 3]));
  end.connection.close(3000, "bye");
  const bytes = await end.raw.readBytes(
    2 + 4 + 4 + 10 + 4 + 70_000 + 2 + 4 + 3 + 2 + 4 + 5,
  );
  const frames = parseFrames(bytes);
  assertEquals(frames.map(({ opcode }) => opcode), [1, 2, 9, 8]);
  assertEquals(frames.every(({ maskKey }) => maskKey !== undefined), true);
  assertEquals(frames[1]!.payload, payload);
  assertEquals(closeCode(frames[3]!.payload), 3000);
});
