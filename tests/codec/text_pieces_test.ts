import { plainDecoding } from "../../codec/text_decoding.ts";
import { TextPieces } from "../../codec/text_pieces.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, hex } from "../harness/bytes.ts";
import { cutAt, splits } from "../harness/split.ts";

/** What comes of each chunk, up to the first that is refused. */
function decoded(chunks: readonly Uint8Array[]): (string | undefined)[] {
  const pieces = new TextPieces(plainDecoding);
  const texts: (string | undefined)[] = [];
  for (const chunk of chunks) {
    // Between other bytes, which are none of its business.
    const around = concat(hex("ff"), chunk, hex("bf"));
    texts.push(pieces.push(around, 1, 1 + chunk.length));
    if (texts.at(-1) === undefined) return texts;
  }
  return pieces.end() ? texts : [...texts, undefined];
}

test("a text in pieces is the same text, however it is cut", () => {
  const text = "ascii, grüße, 漢字, 🐟🐟, \ufeffBOM, \u0000 and \ufffd";
  for (const { name, chunks } of splits(concat(text))) {
    assertStrictEquals(decoded(chunks).join(""), text, name);
  }
});

test("UT-1: every cut through a character, or two, waits for the rest of it", () => {
  for (const text of ["é", "€", "🐟", "aé", "€b", "a🐟b", "é🐟"]) {
    const bytes = concat(text);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const texts = decoded(cutAt(bytes, [first, second]));
        assertStrictEquals(texts.join(""), text, `${text} ${first} ${second}`);
      }
    }
  }
  assertEquals(decoded([hex("f0"), hex("9f"), hex("90"), hex("9f 61")]), [
    "",
    "",
    "",
    "🐟a",
  ]);
});

test("UT-1: a bad byte is found when it comes, a lacking one at the end", () => {
  assertEquals(decoded([hex("61"), hex("ff"), hex("61")]), ["a", undefined]);
  assertEquals(decoded([hex("e2"), hex("61")]), ["", undefined]);
  assertEquals(decoded([hex("ed"), hex("a0 80")]), ["", undefined]);
  assertEquals(decoded([hex("61 e2 82")]), ["a", undefined]);
});

test("after its end the next text begins anew", () => {
  const pieces = new TextPieces(plainDecoding);
  assertStrictEquals(pieces.push(hex("e2 82"), 0, 2), "");
  assertStrictEquals(pieces.end(), false);
  assertStrictEquals(pieces.push(hex("c3 a9"), 0, 2), "é");
  assertStrictEquals(pieces.end(), true);
});
