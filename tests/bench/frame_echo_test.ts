/** The server of the client bench must return what it was sent, however it is cut. */
import {
  CHUNK_START,
  FrameEcho,
  makeEchoMemory,
} from "../../bench/client/frame_echo.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import { cutAt, splits } from "../harness/split.ts";

const random = seededRandom(1);

/** Payloads of every form of length and every remainder of a word. */
const PAYLOADS = [0, 1, 2, 3, 4, 5, 7, 64, 125, 126, 301, 65_536, 70_001]
  .map((length) => random.bytes(length));

/** Room for all of it at once. */
const MEMORY_BYTES = 256 * 1024;

function echo(chunks: readonly Uint8Array[]): Uint8Array {
  const memory = makeEchoMemory(MEMORY_BYTES);
  const frames = new FrameEcho(memory);
  const echoed = new Uint8Array(MEMORY_BYTES);
  let length = 0;
  for (const chunk of chunks) {
    memory.bytes.set(chunk, CHUNK_START);
    frames.turn(chunk.length);
    echoed.set(memory.bytes.subarray(frames.start, frames.end), length);
    length += frames.end - frames.start;
  }
  return echoed.subarray(0, length);
}

function framesOf(payloads: readonly Uint8Array[], masks: boolean): Uint8Array {
  return concat(
    ...payloads.map((payload) =>
      frame({ opcode: "binary", mask: masks && random.bytes(4), payload })
    ),
  );
}

test("the echo unmasks, however the frames are cut", () => {
  const sent = framesOf(PAYLOADS, true);
  const expected = framesOf(PAYLOADS, false);
  for (const { name, chunks } of splits(sent)) {
    assertEquals(echo(chunks), expected, name);
  }
});

test("the echo unmasks, wherever a header is cut", () => {
  const payloads = PAYLOADS.filter(({ length }) => length < 1000);
  const sent = framesOf(payloads, true);
  const expected = framesOf(payloads, false);
  for (let at = 1; at < sent.length; at++) {
    assertEquals(echo(cutAt(sent, [at])), expected, `cut at ${at}`);
  }
});

test("the echo answers a Ping", () => {
  const ping = frame({ opcode: "ping", mask: true, payload: "hi" });
  assertEquals(echo([ping]), frame({ opcode: "pong", payload: "hi" }));
});

test("the echo knows a Close frame for the last one, and returns it", () => {
  const payload = Uint8Array.of(0x03, 0xe8);
  const memory = makeEchoMemory(MEMORY_BYTES);
  const frames = new FrameEcho(memory);
  assertEquals(frames.isClosing, false);
  const close = frame({ opcode: "close", mask: true, payload });
  memory.bytes.set(close, CHUNK_START);
  frames.turn(close.length);
  assertEquals(frames.isClosing, true);
  assertEquals(echo([close]), frame({ opcode: "close", payload }));
});

test("the echo refuses a Pong, which nobody asked for", () => {
  const pong = frame({ opcode: "pong", mask: true });
  assertThrows(() => echo([pong]), Error, "not asked for");
});
