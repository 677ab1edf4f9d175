import { copyOut, copyShared, cutOut, endShared } from "../../codec/binary.ts";
import { assert, assertStrictEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { seededRandom } from "../harness/random.ts";

const KEY = 0x5a_01_fe_33;
const KEY_BYTES = [0x33, 0xfe, 0x01, 0x5a];

test("each way of making a message unmasks it, and leaves what is beside it", () => {
  const random = seededRandom(7);
  for (const make of [cutOut, copyOut, copyShared]) {
    for (const length of [0, 1, 3, 95, 96, 127, 128, 300, 9_000]) {
      if (make === copyShared && length > 2_048) continue;
      for (const key of [0, KEY]) {
        const payload = random.bytes(length);
        const masked = payload.map((byte, at) =>
          key === 0 ? byte : byte ^ KEY_BYTES[at & 3]!
        );
        const chunk = concat("<", masked, ">");
        const message = make(chunk, 1, 1 + length, key);
        assert(sameBytes(message, payload), `${make.name} ${length} ${key}`);
        assertStrictEquals(chunk[0], 0x3c);
        assertStrictEquals(chunk[1 + length], 0x3e);
        assertStrictEquals(message.buffer === chunk.buffer, make === cutOut);
        endShared();
      }
    }
  }
});

test("messages of one chunk share memory until it ends", () => {
  const chunk = new Uint8Array(100);
  const first = copyShared(chunk, 10, 20, 0);
  const second = copyShared(chunk, 30, 40, 0);
  assertStrictEquals(first.buffer, second.buffer);
  assert(second.byteOffset >= first.byteOffset + 10);
  endShared();
  const third = copyShared(chunk, 50, 60, 0);
  assert(third.buffer !== first.buffer);
  // It is the last of its chunk but for 40 bytes: no more is made.
  assertStrictEquals(third.buffer.byteLength, 50);
  endShared();
  // One that fills what is made has it for itself.
  assertStrictEquals(copyShared(chunk, 50, 100, 0).byteOffset, 0);
  assert(copyShared(chunk, 99, 100, 0).buffer.byteLength === 1);
});

test("a Buffer of Node's is copied too, and its copy is no Buffer", () => {
  const chunk = new (class extends Uint8Array {
    override slice(): Uint8Array<ArrayBuffer> {
      throw new Error("a view");
    }
  })(300);
  assertStrictEquals(copyOut(chunk, 0, 200, KEY).constructor, Uint8Array);
});
