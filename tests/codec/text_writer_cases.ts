/** What every writer of texts does. */
import type { TextWriter } from "../../codec/text_writer.ts";
import { assertEquals, test } from "../harness.ts";

const encoder = new TextEncoder();

/** Tests a writer under its name. */
export function testWriter(name: string, write: TextWriter): void {
  test(`the ${name} writer writes what TextEncoder would, or says that it cannot`, () => {
    const texts = ["", "a", "é", "€", "😀", "\ud800", "x\udc00y", "\ufeffBOM"];
    texts.push("a".repeat(300), "añ€😀".repeat(300));
    for (const text of texts) {
      const expected = encoder.encode(text);
      for (const spare of [4, 5, 600]) {
        const target = new Uint8Array(7 + expected.length + spare);
        assertEquals(write(text, target, 7), expected.length, text);
        assertEquals(target.subarray(7, 7 + expected.length), expected);
      }
      // Less than what it needs, down to nothing.
      for (let room = 0; room < Math.min(expected.length, 20); room++) {
        assertEquals(write(text, new Uint8Array(7 + room), 7), -1, text);
      }
    }
  });
}
