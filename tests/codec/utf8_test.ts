import { Utf8Validator } from "../../codec/utf8.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, hex, toHex } from "../harness/bytes.ts";
import { type Random, seededRandom } from "../harness/random.ts";

const SEED = 0x0f8;
const fatal = new TextDecoder("utf-8", { fatal: true });

/** The platform's verdict. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    fatal.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Whether something can follow that makes `prefix` valid: the reference. */
function isExtendable(prefix: Uint8Array): boolean {
  // The lowest or the highest continuation bytes fit wherever any do.
  return ["", "80", "8080", "808080", "bf", "bfbf", "bfbfbf"]
    .some((rest) => isUtf8(concat(prefix, hex(rest))));
}

function isValid(bytes: Uint8Array): boolean {
  const validator = new Utf8Validator();
  return validator.push(bytes, 0, bytes.length) && validator.complete;
}

/** Index of the byte at which the validator gives up, or the length. */
function firstBad(bytes: Uint8Array): number {
  const validator = new Utf8Validator();
  for (let index = 0; index < bytes.length; index++) {
    if (!validator.push(bytes, index, index + 1)) return index;
  }
  return bytes.length;
}

/** Bytes next to all the borders that UTF-8 has. */
const BORDERS = hex(
  "00 41 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 f7 ff",
);

function randomText(random: Random): Uint8Array<ArrayBuffer> {
  const limits = [0x80, 0x800, 0xd800, 0x10000, 0x110000];
  const points = Array.from({ length: 1 + random.below(6) }, () => {
    const point = random.below(limits[random.below(limits.length)]!);
    return point >= 0xd800 && point < 0xe000 ? 0xfffd : point;
  });
  return concat(String.fromCodePoint(...points));
}

/** Valid, mutated, cut off, or made of border bytes alone. */
function randomBytes(random: Random): Uint8Array<ArrayBuffer> {
  const kind = random.below(8);
  const text = randomText(random);
  if (kind < 4) return text;
  if (kind === 4) return text.slice(0, random.below(text.length));
  if (kind === 5) return text.slice(random.below(text.length));
  if (kind === 6) {
    text[random.below(text.length)] = random.below(256);
    return text;
  }
  return random.bytes(1 + random.below(4)).map((byte) =>
    BORDERS[byte % BORDERS.length]!
  );
}

test("UT-3: Utf8Validator agrees with TextDecoder on 200,000 strings", () => {
  const random = seededRandom(SEED);
  // Half of the strings make TextDecoder throw; their stacks are not needed.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    let valid = 0;
    for (let round = 0; round < 200_000; round++) {
      const bytes = randomBytes(random);
      const expected = isUtf8(bytes);
      if (isValid(bytes) !== expected) {
        throw new Error(`${toHex(bytes)} is ${expected}, seed ${SEED}`);
      }
      if (expected) valid++;
    }
    assert(valid > 80_000 && valid < 160_000, `one-sided: ${valid} are valid`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

test("UT-3: Utf8Validator agrees with TextDecoder on long texts with one bad byte", () => {
  const random = seededRandom(SEED + 2);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (
      const unit of ["plain ASCII, ", "aé", "Ωμέγα ", "世界", "😀", "a😀b€cé"]
    ) {
      const text = concat(unit.repeat(40));
      assert(isValid(text), unit);
      for (let at = 0; at < text.length; at++) {
        const bytes = text.slice();
        bytes[at] = BORDERS[random.below(BORDERS.length)]!;
        const expected = isUtf8(bytes);
        const name = `${unit} with ${bytes[at]} at ${at}`;
        assert(isValid(bytes) === expected, name);
        const cut = random.below(bytes.length);
        const validator = new Utf8Validator();
        const inTwo = validator.push(bytes, 0, cut) &&
          validator.push(bytes, cut, bytes.length) && validator.complete;
        assert(inTwo === expected, `${name}, cut at ${cut}`);
      }
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

test("UT-1: Utf8Validator fails at the earliest bad byte", () => {
  const random = seededRandom(SEED + 1);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (let round = 0; round < 5_000; round++) {
      const bytes = randomBytes(random);
      const at = firstBad(bytes);
      const name = `${toHex(bytes)} at ${at}, seed ${SEED + 1}`;
      assert(isExtendable(bytes.subarray(0, at)), `too early: ${name}`);
      if (at === bytes.length) continue;
      assert(!isExtendable(bytes.subarray(0, at + 1)), `too late: ${name}`);
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

test("Utf8Validator agrees with the reference on all pairs of bytes", () => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const pair = new Uint8Array(2);
    for (let first = 0; first < 256; first++) {
      for (const second of BORDERS) {
        pair[0] = first;
        pair[1] = second;
        assert(isValid(pair) === isUtf8(pair), toHex(pair));
      }
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

test("UT-2: Utf8Validator takes every code point, and no surrogate", () => {
  const encoder = new TextEncoder();
  const validator = new Utf8Validator();
  const bytes = new Uint8Array(4);
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const { written } = encoder.encodeInto(String.fromCodePoint(point), bytes);
    const ok = validator.push(bytes, 0, written) && validator.complete;
    if (!ok) throw new Error(`U+${point.toString(16)} was refused`);
  }
  for (let point = 0xd800; point <= 0xdfff; point++) {
    const lone = Uint8Array.of(
      0xed,
      0x80 | point >> 6 & 0x3f,
      0x80 | point & 0x3f,
    );
    if (firstBad(lone) !== 1) throw new Error(`U+${point.toString(16)}`);
  }
});

test("UT-2: Utf8Validator tells overlong, too large and truncated text at once", () => {
  const cases: [bytes: string, badAt: number][] = [
    ["c0 af", 0],
    ["c1 bf", 0],
    ["e0 80 af", 1],
    ["e0 9f bf", 1],
    ["f0 80 80 af", 1],
    ["f0 8f bf bf", 1],
    ["f4 90 80 80", 1],
    ["f5 80 80 80", 0],
    ["f8 88 80 80 80", 0],
    ["fe", 0],
    ["ff", 0],
    ["80", 0],
    ["c2 41", 1],
    ["e1 80 41", 2],
    ["f1 80 80 c0", 3],
    ["41 ed bf bf", 2],
  ];
  for (const [bytes, badAt] of cases) {
    assertStrictEquals(firstBad(hex(bytes)), badAt, bytes);
  }
  for (const bytes of ["c2", "e0 a0", "f0 90", "f4 8f bf"]) {
    const validator = new Utf8Validator();
    const cut = hex(bytes);
    assert(validator.push(cut, 0, cut.length), bytes);
    assertStrictEquals(validator.complete, false, bytes);
  }
  // A byte order mark is text.
  assert(isValid(hex("ef bb bf")));
});

test("Utf8Validator keeps its state across pieces, however text is cut", () => {
  const text = concat("κόσμε", hex("f0 9f 98 80"), "a€é", hex("ed 9f bf"));
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const validator = new Utf8Validator();
      const ok = validator.push(text, 0, first) &&
        validator.push(text, first, second) &&
        validator.push(text, second, text.length);
      assert(ok && validator.complete, `cut at ${first} and ${second}`);
    }
  }
});

test("Utf8Validator.push() reads its range only, and changes nothing", () => {
  const bytes = concat(hex("ff"), "é", hex("ff"));
  const before = bytes.slice();
  const validator = new Utf8Validator();
  assert(validator.push(bytes, 1, 3) && validator.complete);
  assertEquals(bytes, before);
});

test("Utf8Validator.reset() forgets a character under way, with its bounds", () => {
  // Each lead byte leaves other bounds behind.
  for (const lead of ["c2", "e0", "ed", "f0", "f4", "e0 a0"]) {
    const validator = new Utf8Validator();
    const bytes = hex(lead);
    assert(validator.push(bytes, 0, bytes.length));
    validator.reset();
    assert(validator.complete);
    assert(validator.push(hex("e1 80 bf"), 0, 3), `after ${lead}`);
    assert(validator.push(hex("e1 bf 80"), 0, 3), `after ${lead}`);
  }
});

test("a check of long pieces changes nothing of the verdict", () => {
  const random = seededRandom(SEED);
  let checked = 0;
  const check = (bytes: Uint8Array) => {
    checked++;
    return isUtf8(bytes);
  };
  for (let round = 0; round < 300; round++) {
    const parts = Array.from({ length: 60 }, () => randomText(random));
    // Every other one is spoiled somewhere.
    if (round % 2 === 1) parts[random.below(60)] = randomBytes(random);
    const bytes = concat(...parts);
    const plain = new Utf8Validator();
    const quick = new Utf8Validator(check);
    let start = 0;
    while (start < bytes.length) {
      const end = Math.min(bytes.length, start + random.below(400));
      const verdict = plain.push(bytes, start, end);
      assertStrictEquals(quick.push(bytes, start, end), verdict, toHex(bytes));
      if (!verdict) break;
      assertStrictEquals(quick.complete, plain.complete, toHex(bytes));
      start = end;
    }
  }
  assert(checked > 300, `${checked}`);
});

test("a check is not asked about the end of a character that a piece begins with", () => {
  const check = (bytes: Uint8Array) => isUtf8(bytes);
  const text = concat("€".repeat(100));
  for (let cut = 1; cut < 7; cut++) {
    const validator = new Utf8Validator(check);
    assert(validator.push(text, 0, cut));
    assert(validator.push(text, cut, 200));
    assert(validator.push(text, 200, 300));
    assert(validator.complete);
    const spoilt = new Utf8Validator(check);
    assert(spoilt.push(text, 0, 1));
    assert(!spoilt.push(concat("a", text), 0, 300));
  }
});
