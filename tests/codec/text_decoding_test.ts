import { plainDecoding } from "../../codec/text_decoding.ts";
import { assertStrictEquals, test } from "../harness.ts";
import { concat, hex } from "../harness/bytes.ts";

test("plainDecoding decodes a range, and keeps a byte order mark", () => {
  for (const text of ["", "abc", "é€😀", "\ufeffBOM"]) {
    const payload = concat(text);
    const bytes = concat("<", payload, ">");
    const decoded = plainDecoding.utf8(bytes, 1, 1 + payload.length);
    assertStrictEquals(decoded, text);
  }
  assertStrictEquals(plainDecoding.ascii(concat("<abc>"), 1, 4), "abc");
});

test("UT-1: plainDecoding refuses what is not UTF-8", () => {
  const cases = ["ff", "c0 af", "ed a0 80", "f4 90 80 80", "41 80", "e2 82"];
  for (const bad of cases) {
    const bytes = concat("ab", hex(bad));
    assertStrictEquals(plainDecoding.utf8(bytes, 0, bytes.length), undefined);
  }
});

test("a text with U+FFFD in it is as good as any, and told from one that is broken", () => {
  const whole = concat("x\ufffdéy");
  assertStrictEquals(plainDecoding.utf8(whole, 0, whole.length), "x\ufffdéy");
  const broken = concat("x\ufffd", hex("c3"), "y");
  assertStrictEquals(plainDecoding.utf8(broken, 0, broken.length), undefined);
  // The same bytes, up to where a character is cut off.
  const cut = concat("\ufffd", hex("e2 82"));
  assertStrictEquals(plainDecoding.utf8(cut, 0, cut.length), undefined);
});
