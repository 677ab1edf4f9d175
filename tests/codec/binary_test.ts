import { endShared, takeBinary } from "../../codec/binary.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { seededRandom } from "../harness/random.ts";

const KEY = 0x5a_01_fe_33;
const KEY_BYTES = [0x33, 0xfe, 0x01, 0x5a];

/** Takes a payload of a chunk that is lent, on a runtime where arrays cost much. */
function take(chunk: Uint8Array, start: number, end: number): Uint8Array {
  return takeBinary(chunk, start, end, 0, false, 0);
}

test("takeBinary() unmasks a payload, and leaves what is beside it", () => {
  const random = seededRandom(7);
  for (const given of [false, true]) {
    for (const cheapArrayBytes of [0, 128, 10_000]) {
      for (const length of [0, 1, 3, 95, 96, 127, 128, 300, 2_049, 9_000]) {
        for (const key of [0, KEY]) {
          const payload = random.bytes(length);
          const masked = payload.map((byte, at) =>
            key === 0 ? byte : byte ^ KEY_BYTES[at & 3]!
          );
          const chunk = concat("<", masked, ">");
          const end = 1 + length;
          const taken = takeBinary(chunk, 1, end, key, given, cheapArrayBytes);
          assert(sameBytes(taken, payload), `${length} ${key}`);
          assertStrictEquals(chunk[0], 0x3c);
          assertStrictEquals(chunk[1 + length], 0x3e);
          // Only a chunk that is given is kept, by a payload that is most of it.
          const isKept = given && length > cheapArrayBytes && length > 1;
          assertStrictEquals(taken.buffer === chunk.buffer, isKept);
          endShared();
        }
      }
    }
  }
});

test("LC-5: a payload stays in a chunk that is given, if it is half of it", () => {
  for (const [length, isKept] of [[99, false], [100, true], [200, true]]) {
    const chunk = new Uint8Array(200);
    const taken = takeBinary(chunk, 0, length as number, 0, true, 0);
    assertStrictEquals(taken.buffer === chunk.buffer, isKept, `${length}`);
    endShared();
  }
});

test("payloads of one chunk share memory until it ends", () => {
  const chunk = new Uint8Array(100);
  const first = take(chunk, 10, 20);
  const second = take(chunk, 30, 40);
  assertStrictEquals(first.buffer, second.buffer);
  assert(second.byteOffset >= first.byteOffset + 10);
  endShared();
  const third = take(chunk, 50, 60);
  assert(third.buffer !== first.buffer);
  // It is the last of its chunk but for 40 bytes: no more is made.
  assertStrictEquals(third.buffer.byteLength, 50);
  endShared();
  // One that fills what is made has it for itself.
  assertStrictEquals(take(chunk, 50, 100).byteOffset, 0);
  assert(take(chunk, 99, 100).buffer.byteLength === 1);
});

test("where arrays are cheap, small payloads do not share one", () => {
  const chunk = new Uint8Array(1000);
  const bytesOf = (length: number) =>
    takeBinary(chunk, 0, length, 0, false, 100).buffer.byteLength;
  assertEquals([16, 100].map(bytesOf), [16, 100]);
  assertEquals([101, 102].map(bytesOf), [1000, 1000]);
  endShared();
});

test("a kept small message pins at most 8 KiB, and never the chunk", () => {
  const chunk = new Uint8Array(65_536);
  for (const length of [0, 1, 13, 125, 2_047, 2_048, 2_049, 5_000]) {
    const kept: Uint8Array[] = [];
    for (let at = 0; at + length <= 60_000; at += length + 2) {
      chunk.fill(at / 7, at, at + length);
      const message = take(chunk, at, at + length);
      assertStrictEquals(message.length, length);
      assert(message.buffer !== chunk.buffer, "the chunk is pinned");
      assert(message.buffer.byteLength <= Math.max(8_192, length));
      kept.push(message);
      if (kept.length === 900) break;
    }
    endShared();
    // Overwriting the chunk, or a neighbour, changes no message.
    const values = kept.map((message) => message[0]);
    chunk.fill(0xee);
    for (const [index, message] of kept.entries()) {
      assert(message.every((byte) => byte === values[index]), `${length}`);
    }
    for (const message of kept) message.fill(0xff);
    for (const message of kept) assert(message.every((byte) => byte === 0xff));
  }
});

test("messages of different chunks share no memory", () => {
  const buffers = new Set<ArrayBufferLike>();
  for (let round = 0; round < 10; round++) {
    buffers.add(take(new Uint8Array(100), 0, 10).buffer);
    endShared();
  }
  assertStrictEquals(buffers.size, 10);
});

test("a Buffer of Node's is copied too, and its copy is no Buffer", () => {
  const chunk = new (class extends Uint8Array {
    override slice(): Uint8Array<ArrayBuffer> {
      throw new Error("a view");
    }
  })(300);
  const copy = takeBinary(chunk, 0, 200, KEY, false, 200);
  assertStrictEquals(copy.constructor, Uint8Array);
});
