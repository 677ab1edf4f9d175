/** Frames as lines (WS16). */
import { frameLogger, type FrameLoggerOptions } from "../../connection.ts";
import { FrameTracer } from "../../connection/frame_tracer.ts";
import { assertEquals, assertMatch, assertThrows, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { closePayload, frame } from "../harness/frame.ts";
import { Rig } from "./rig.ts";

/** What is written of frames, without the time. */
async function written(
  direction: "received" | "sent",
  ...frames: Uint8Array[]
): Promise<string[]> {
  await using rig = new Rig();
  const lines: string[] = [];
  const logger = frameLogger({ write: (line) => void lines.push(line) });
  const tracer = new FrameTracer(
    direction,
    (frame) => logger(frame, rig.connection),
  );
  tracer.read(concat(...frames));
  return lines.map((line) => {
    assertMatch(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z debug \S/);
    return line.slice(31).replace(rig.connection.id, "ID");
  });
}

test("WS16: frameLogger writes a line for each frame, with name and direction", async () => {
  assertEquals(
    await written(
      "received",
      frame({ payload: "hel\n", fin: false, mask: true }),
      frame({ opcode: "ping" }),
      frame({ opcode: "continuation", payload: "lo" }),
      frame({ opcode: "binary", payload: Uint8Array.of(1, 255) }),
      frame({ payload: "zip", rsv: 4 }),
      frame({ opcode: "close", payload: closePayload(1001, "bye\x1b") }),
    ),
    [
      'ID < text "hel\\u{a}" [4 bytes, continued]',
      "ID < ping [0 bytes]",
      "ID < continuation lo [2 bytes]",
      "ID < binary 01 ff [2 bytes]",
      "ID < text 7a 69 70 [3 bytes, compressed]",
      'ID < close 1001 "bye\\u{1b}" [6 bytes]',
    ],
  );
  assertEquals(await written("sent", frame({ opcode: "close" })), [
    "ID > close [0 bytes]",
  ]);
});

test("WS16: frameLogger writes to the console where nothing else is said", async () => {
  await using rig = new Rig();
  const { log } = console;
  const lines: string[] = [];
  console.log = (line) => void lines.push(line);
  try {
    const logger = frameLogger();
    new FrameTracer("sent", (frame) => logger(frame, rig.connection))
      .read(frame({ payload: "x" }));
  } finally {
    console.log = log;
  }
  assertEquals(lines.map((line) => line.slice(-20)), [
    ' > text "x" [1 bytes]'.slice(-20),
  ]);
});

test("AP-1: frameLogger refuses options that are unknown or wrong", () => {
  for (const options of [null, 5, { level: "debug" }, { write: "x" }]) {
    assertThrows(() => frameLogger(options as FrameLoggerOptions), TypeError);
  }
});
