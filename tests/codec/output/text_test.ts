/** Texts, written as UTF-8 into the block that they leave from. */
import { Output } from "../../../codec/output.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  test,
} from "../../harness.ts";
import { concat, sameBytes, toHex } from "../../harness/bytes.ts";
import { parseFrame, parseFrames } from "../../harness/frame.ts";
import { BINARY, takeAll, TEXT } from "./written.ts";

test("writeText() encodes as TextEncoder does, at all lengths that matter", () => {
  const encoder = new TextEncoder();
  const lengths = [0, 1, 41, 42, 79, 80, 81, 124, 125, 126, 127, 300];
  const long = [21_839, 21_840, 21_841, 65_535, 65_536];
  // One character at the end, or at the start, is other than ASCII.
  const last = ["", "é", "€", "😀", "\ud83d", "\udc00"];
  for (const masked of [false, true]) {
    for (const length of [...lengths, ...long]) {
      const texts = ["a", "é", "€", "\ud800"].map((one) => one.repeat(length));
      texts.push(...last.map((one) => "a".repeat(length) + one));
      texts.push(...last.map((one) => one + "a".repeat(length)));
      for (const text of texts) {
        const output = new Output(masked);
        output.writeText(TEXT, text);
        const size = output.byteLength;
        const bytes = concat(...takeAll(output));
        assertStrictEquals(bytes.length, size);
        const parsed = parseFrame(bytes)!;
        assertStrictEquals(parsed.size, size);
        assertStrictEquals(parsed.maskKey !== undefined, masked);
        const name = `${JSON.stringify(text.slice(0, 2))}… × ${length}`;
        assert(sameBytes(parsed.payload, encoder.encode(text)), name);
      }
    }
  }
});

test("writeText() turns lone surrogates into U+FFFD", () => {
  const output = new Output(false);
  output.writeText(TEXT, "a\ud800b\udc00\ud800");
  assertEquals(
    toHex(output.take()!),
    "81 0b 61 ef bf bd 62 ef bf bd ef bf bd",
  );
});

test("text beyond half a megabyte, and memory that may move, go out whole", () => {
  const output = new Output(false);
  const text = "long ".repeat(120_000);
  output.writeText(TEXT, text);
  const shared = new Uint8Array(new SharedArrayBuffer(600_000)).fill(7);
  output.writeFrame(BINARY, shared, false);
  const frames = parseFrames(concat(...takeAll(output)));
  assertEquals(new TextDecoder().decode(frames[0]!.payload), text);
  assertEquals(frames[1]!.payload.length, 600_000);
  assert(frames[1]!.payload.every((byte) => byte === 7));
});
