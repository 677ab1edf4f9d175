import {
  applyMask,
  copyMasked,
  maskBlindly,
  maskRange,
  randomMaskKey,
  rotateKey,
  seenBits,
} from "../../codec/mask.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { hex, sameBytes } from "../harness/bytes.ts";
import { masked } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";

const SEED = 0x50c;
const OFFSETS = [0, 1, 2, 3, 4, 5, 6, 7];
/** Lengths 0 to 300, and some where a chunk is large. */
const LENGTHS = [
  ...Array.from({ length: 301 }, (_, length) => length),
  ...[1023, 1024, 1025, 4099, 16_384, 65_535, 65_536, 65_537],
];

function keyNumber(key: Uint8Array): number {
  return new DataView(key.buffer).getInt32(0, true);
}

function hasHighBit(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte >= 0x80);
}

/** Half of all arrays are ASCII, so that both answers about bit 7 come up. */
function randomArray(
  random: ReturnType<typeof seededRandom>,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = random.bytes(length);
  return random.below(2) === 0 ? bytes : bytes.map((byte) => byte & 0x7f);
}

test("maskRange() and maskBlindly() equal the reference over offsets and lengths", () => {
  const random = seededRandom(SEED);
  for (const offset of OFFSETS) {
    for (const length of LENGTHS) {
      const name = `offset ${offset}, length ${length}, seed ${SEED}`;
      const key = randomArray(random, 4);
      const array = randomArray(random, offset + length + 5);
      const expected = array.slice();
      const result = masked(array.subarray(offset, offset + length), key);
      expected.set(result, offset);
      const blind = array.slice();
      const seen = maskRange(array, offset, offset + length, keyNumber(key));
      maskBlindly(blind, offset, offset + length, keyNumber(key));
      assert(sameBytes(array, expected), name);
      assert(sameBytes(blind, expected), `blindly, ${name}`);
      assert((seen & 0x80) !== 0 === hasHighBit(result), `bit 7, ${name}`);
    }
  }
});

test("both keep to their range in a view on a larger buffer", () => {
  const random = seededRandom(SEED);
  const key = random.bytes(4);
  for (const offset of OFFSETS) {
    for (const length of [0, 95, 96, 97, 98, 99, 100, 127, 128, 131, 1001]) {
      const buffer = random.bytes(offset + 3 + length + 6);
      const expected = buffer.slice();
      const start = offset + 3;
      expected.set(
        masked(buffer.subarray(start, start + length), key),
        start,
      );
      const view = buffer.subarray(offset, start + length);
      const before = buffer.slice();
      maskRange(view, 3, 3 + length, keyNumber(key));
      assert(sameBytes(buffer, expected), `offset ${offset}, length ${length}`);
      buffer.set(before);
      maskBlindly(view, 3, 3 + length, keyNumber(key));
      assert(sameBytes(buffer, expected), `offset ${offset}, length ${length}`);
    }
  }
});

test("maskRange() and seenBits() find one high bit wherever it is", () => {
  for (const length of [1, 4, 95, 96, 101, 130]) {
    for (let start = 0; start < 4; start++) {
      for (let at = 0; at < length; at++) {
        // What lies around the range must not count.
        const array = new Uint8Array(start + length + 4).fill(0xff);
        array.fill(0x41, start, start + length);
        const end = start + length;
        assert((seenBits(array, start, end) & 0x80) === 0, "ASCII");
        array[start + at] = 0xc3;
        assert((seenBits(array, start, end) & 0x80) !== 0, `at ${at}`);
        assert((maskRange(array, start, end, 0) & 0x80) !== 0, `at ${at}`);
      }
    }
  }
});

test("seenBits() equals the reference over offsets and lengths", () => {
  const random = seededRandom(SEED + 1);
  for (const offset of OFFSETS) {
    for (const length of LENGTHS) {
      const array = randomArray(random, offset + length + 5);
      const before = array.slice();
      const expected = hasHighBit(array.subarray(offset, offset + length));
      const seen = seenBits(array, offset, offset + length);
      assert((seen & 0x80) !== 0 === expected, `${offset}, ${length}`);
      assert(sameBytes(array, before), "seenBits() changed the array");
    }
  }
});

test("copyMasked() equals the reference over offsets and lengths", () => {
  const random = seededRandom(SEED + 2);
  for (const offset of OFFSETS) {
    for (const length of LENGTHS) {
      const at = random.below(8);
      const name = `from ${offset} to ${at}, length ${length}`;
      const key = random.below(4) === 0 ? new Uint8Array(4) : random.bytes(4);
      const source = random.bytes(offset + length + 3);
      const before = source.slice();
      const target = random.bytes(at + length + 3);
      const expected = target.slice();
      expected.set(masked(source.subarray(offset, offset + length), key), at);
      const end = offset + length;
      copyMasked(source, offset, end, target, at, keyNumber(key));
      assert(sameBytes(target, expected), name);
      // A long range may be unmasked in place, the bytes around it may not.
      source.fill(0, offset, end);
      before.fill(0, offset, end);
      assert(sameBytes(source, before), `the source changed: ${name}`);
    }
  }
});

test("rotateKey() lets a payload be masked in pieces", () => {
  const random = seededRandom(SEED + 3);
  for (let round = 0; round < 500; round++) {
    const key = random.bytes(4);
    const payload = random.bytes(random.below(700));
    const expected = masked(payload, key);
    let at = 0;
    let rest = keyNumber(key);
    while (at < payload.length) {
      const length = Math.min(random.below(300), payload.length - at);
      maskRange(payload, at, at + length, rest);
      rest = rotateKey(rest, length);
      at += length;
    }
    assert(sameBytes(payload, expected), `round ${round}, seed ${SEED + 3}`);
  }
});

test("rotateKey() takes any integer", () => {
  const key = keyNumber(hex("01 02 03 84"));
  assertEquals(rotateKey(key, 0), key);
  assertEquals(rotateKey(key, 1), keyNumber(hex("02 03 84 01")));
  assertEquals(rotateKey(key, -1), keyNumber(hex("84 01 02 03")));
  assertEquals(rotateKey(key, 2 ** 32 + 2), keyNumber(hex("03 84 01 02")));
  assertEquals(
    rotateKey(key, Number.MAX_SAFE_INTEGER),
    keyNumber(hex("84 01 02 03")),
  );
});

test("applyMask() masks the example of RFC 6455, section 5.7, and back", () => {
  const key = hex("37 fa 21 3d");
  const payload = new TextEncoder().encode("Hello");
  applyMask(payload, key);
  assertEquals(payload, hex("7f 9f 4d 51 58"));
  applyMask(payload, key);
  assertEquals(payload, new TextEncoder().encode("Hello"));
});

test("applyMask() takes the offset of a piece", () => {
  const random = seededRandom(SEED + 4);
  const key = random.bytes(4);
  for (let cut = 0; cut <= 240; cut++) {
    const payload = random.bytes(240);
    const expected = masked(payload, key);
    applyMask(payload.subarray(0, cut), key);
    applyMask(payload.subarray(cut), key, cut);
    assert(sameBytes(payload, expected), `cut at ${cut}`);
  }
});

test("applyMask() refuses a key that is not 4 bytes", () => {
  for (const length of [0, 3, 5]) {
    const key = new Uint8Array(length);
    assertThrows(() => applyMask(new Uint8Array(1), key), RangeError);
  }
});

// A view in words is kept from one call to the next. A buffer that has changed
// its size since is the same object, yet what the view sees is out of date:
// bytes past its end were left unmasked, without a sound.
test("applyMask() follows a buffer that has been resized", () => {
  const random = seededRandom(SEED + 5);
  const key = random.bytes(4);
  const buffer = new ArrayBuffer(128, { maxByteLength: 4_096 });
  for (const length of [128, 1_000, 4_096, 300, 120, 4_001]) {
    buffer.resize(length);
    const bytes = new Uint8Array(buffer);
    bytes.set(random.bytes(length));
    const expected = masked(bytes, key);
    applyMask(bytes, key);
    assert(sameBytes(bytes, expected), `resized to ${length}`);
    bytes.fill(0x41);
    bytes[length - 9] = 0x80;
    assert((seenBits(bytes, 0, length) & 0x80) !== 0, `resized to ${length}`);
  }
});

test("CI-14: randomMaskKey() draws keys without a pattern", () => {
  const count = 100_000;
  const counts = [0, 1, 2, 3].map(() => new Uint32Array(256));
  const distinct = new Set<number>();
  let before: number | undefined;
  for (let index = 0; index < count; index++) {
    const key = randomMaskKey();
    assert(key === (key | 0), "a key is a 32-bit integer");
    assert(key !== before, "the same key twice in a row");
    before = key;
    distinct.add(key);
    for (let at = 0; at < 4; at++) counts[at]![key >>> (8 * at) & 0xff]!++;
  }
  // One or two of 100,000 come twice by chance.
  assert(distinct.size > count - 50, `${count - distinct.size} keys repeat`);
  const mean = count / 256;
  for (const [at, column] of counts.entries()) {
    let chiSquare = 0;
    for (const seen of column) chiSquare += (seen - mean) ** 2 / mean;
    // 255 degrees of freedom, standard deviation 22.6: ten of them off.
    assert(chiSquare < 480, `byte ${at}: chi-square ${chiSquare}`);
    assert(chiSquare > 100, `byte ${at}: too even, chi-square ${chiSquare}`);
  }
});
