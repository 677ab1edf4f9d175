import { copy, copyAndMask } from "../../codec/copy.ts";
import { assert, test } from "../harness.ts";
import { sameBytes } from "../harness/bytes.ts";
import { masked } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";

const KEY_BYTES = Uint8Array.of(0x33, 0xfe, 0x01, 0x5a);
const KEY = 0x5a_01_fe_33;
const LENGTHS = [0, 1, 31, 32, 33, 100, 16_383, 16_384, 16_385, 50_000];

test("a payload is copied, masked or not, and nothing beside it is written", () => {
  const random = seededRandom(3);
  for (const length of LENGTHS) {
    for (const at of [0, 1, 6, 14]) {
      const source = random.bytes(length);
      const before = source.slice();
      for (const key of [undefined, KEY]) {
        const target = new Uint8Array(at + length + 5).fill(0xaa);
        const expected = target.slice();
        if (key === undefined) {
          expected.set(source, at);
          copy(source, target, at);
        } else {
          expected.set(masked(source, KEY_BYTES), at);
          copyAndMask(source, target, at, key);
        }
        assert(sameBytes(target, expected), `${length} at ${at}, key ${key}`);
        assert(sameBytes(source, before), "the source was changed");
      }
    }
  }
});
