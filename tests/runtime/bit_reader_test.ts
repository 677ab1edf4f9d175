/** Bits of input that comes in parts. */
import { BitReader } from "../../runtime/bit_reader.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";
import { hex } from "../harness/bytes.ts";

const NO_BYTES = new Uint8Array(0);

test("a bit reader takes bits from the lowest on, across bytes and parts", () => {
  const bits = new BitReader();
  bits.push(hex("b5"), NO_BYTES); // 1011 0101
  assertEquals([bits.take(3), bits.take(2)], [0b101, 0b10]);
  assertStrictEquals(bits.take(4), -1, "there are three");
  bits.push(hex("01"), hex("ff"));
  assertEquals([bits.take(4), bits.take(16)], [0b1101, -1]);
  assertEquals([bits.take(15), bits.take(1)], [0b111_1111_1000_0000, -1]);
});

test("a bit reader goes back to a place, and on to the next byte", () => {
  const bits = new BitReader();
  bits.push(hex("0f 10 20 30 40 50"), NO_BYTES);
  bits.take(2);
  const { place } = bits;
  assertStrictEquals(bits.take(16), 0x0403);
  bits.place = place;
  assertStrictEquals(bits.take(16), 0x0403);
  bits.toByte();
  assertStrictEquals(bits.bytesLeft, 3);
  assertEquals(bits.takeBytes(2), hex("30 40"));
  assertEquals([bits.take(8), bits.take(1)], [0x50, -1]);
  bits.clear();
  assertStrictEquals(bits.bytesLeft, 0);
});
