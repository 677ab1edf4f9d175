/** Frames that are read out of passing bytes, for people (WS16). */
import { type FrameTrace, FrameTracer } from "../../connection/frame_tracer.ts";
import { assertEquals, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { closePayload, frame } from "../harness/frame.ts";

/** What a tracer tells of bytes that pass in steps. */
function trace(bytes: Uint8Array, step = Infinity): FrameTrace[] {
  const frames: FrameTrace[] = [];
  const tracer = new FrameTracer("sent", (frame) => frames.push(frame));
  for (let at = 0; at < bytes.length; at += step) {
    tracer.read(bytes.subarray(at, at + step));
  }
  return frames;
}

/** The previews of what a tracer tells. */
function previews(...parts: Uint8Array[]): string[] {
  return trace(concat(...parts)).map(({ preview }) => preview);
}

const LONG = new Uint8Array(70_000).fill(0xab);

test("WS16: each frame is told once, however the bytes are cut, and none is changed", () => {
  const bytes = concat(
    frame({ payload: "hello", mask: true }),
    frame({ opcode: "binary", payload: LONG }),
    frame({ payload: "x".repeat(300), fin: false, mask: true }),
    frame({ opcode: "ping", payload: Uint8Array.of(1, 2) }),
    frame({ opcode: "continuation", payload: "" }),
    frame({ opcode: 3, rsv: 4, payload: "?" }),
    frame({
      opcode: "close",
      payload: closePayload(1001, "bye\n"),
      mask: true,
    }),
    frame({ payload: "after the end" }),
  );
  const copy = bytes.slice();
  const whole = trace(bytes);
  assertEquals(bytes, copy);
  assertEquals(whole, [
    {
      direction: "sent",
      opcode: "text",
      fin: true,
      rsv1: false,
      isMasked: true,
      payloadBytes: 5,
      preview: "hello",
    },
    {
      direction: "sent",
      opcode: "binary",
      fin: true,
      rsv1: false,
      isMasked: false,
      payloadBytes: 70_000,
      preview: `${Array(25).fill("ab").join(" ")}…`,
    },
    {
      direction: "sent",
      opcode: "text",
      fin: false,
      rsv1: false,
      isMasked: true,
      payloadBytes: 300,
      preview: `${"x".repeat(75)}…`,
    },
    {
      direction: "sent",
      opcode: "ping",
      fin: true,
      rsv1: false,
      isMasked: false,
      payloadBytes: 2,
      preview: "01 02",
    },
    {
      direction: "sent",
      opcode: "continuation",
      fin: true,
      rsv1: false,
      isMasked: false,
      payloadBytes: 0,
      preview: "",
    },
    {
      direction: "sent",
      opcode: "reserved",
      fin: true,
      rsv1: true,
      isMasked: false,
      payloadBytes: 1,
      preview: "3f",
    },
    {
      direction: "sent",
      opcode: "close",
      fin: true,
      rsv1: false,
      isMasked: true,
      payloadBytes: 6,
      preview: "03 e9 62 79 65 0a",
      code: 1001,
      reason: "bye\\u{a}",
    },
  ]);
  for (const step of [1, 2, 3, 7, 1_000]) {
    assertEquals(trace(bytes, step), whole, `${step}`);
  }
});

test("WS16: previews are elided at 75 bytes, and drive no terminal", () => {
  assertEquals(
    previews(
      frame({ payload: "a".repeat(75) }),
      frame({ payload: "a".repeat(76) }),
      frame({ opcode: "binary", payload: new Uint8Array(25) }),
      frame({ opcode: "binary", payload: new Uint8Array(26) }),
      frame({ payload: "\x1b[2J\r\n\u202e" }),
      // Cut in the middle of a character.
      frame({ payload: `${"a".repeat(74)}é` }),
    ),
    [
      "a".repeat(75),
      `${"a".repeat(75)}…`,
      Array(25).fill("00").join(" "),
      `${Array(25).fill("00").join(" ")}…`,
      "\\u{1b}[2J\\u{d}\\u{a}\\u{202e}",
      `${"a".repeat(74)}…`,
    ],
  );
});

test("WS16: fragments are shown as their message is, compressed text as bytes", () => {
  assertEquals(
    previews(
      frame({ payload: "te", fin: false }),
      frame({ opcode: "pong", payload: "p" }),
      frame({ opcode: "continuation", payload: "xt" }),
      frame({ opcode: "binary", payload: "te", fin: false }),
      frame({ opcode: "continuation", payload: "xt" }),
      frame({ payload: "te", rsv: 4, fin: false }),
      frame({ opcode: "continuation", payload: "xt" }),
    ),
    ["te", "70", "xt", "74 65", "78 74", "74 65", "78 74"],
  );
});

test("WS16: Close frames without code, or with half of one", () => {
  const [empty] = trace(frame({ opcode: "close" }));
  assertEquals([empty!.code, empty!.reason, empty!.preview], [
    undefined,
    undefined,
    "",
  ]);
  const [half] = trace(frame({ opcode: "close", payload: Uint8Array.of(3) }));
  assertEquals([half!.code, half!.preview], [undefined, "03"]);
});

test("WS16: an enormous length is told as soon as what is shown has come", () => {
  const bytes = frame({ payload: LONG, length: 2n ** 52n, lengthForm: 64 });
  const [only, ...others] = trace(bytes);
  assertEquals(only!.payloadBytes, 2 ** 52);
  assertEquals(others, []);
});
