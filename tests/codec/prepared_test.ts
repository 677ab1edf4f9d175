import { prepareMessage } from "../../codec/prepared.ts";
import { assert, assertStrictEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";

const LENGTHS = [0, 1, 80, 125, 126, 3_000, 49_152, 65_535, 65_536, 200_000];

test("prepareMessage() frames a text", () => {
  for (const length of LENGTHS) {
    for (const one of ["a", "é", "€"]) {
      const data = one.repeat(length);
      const message = prepareMessage(data);
      assertStrictEquals(message.data, data);
      const expected = frame({ payload: data });
      assert(sameBytes(message.frame, expected), `${one} × ${length}`);
    }
  }
});

test("prepareMessage() copies bytes into a frame", () => {
  for (const length of LENGTHS) {
    const data = new Uint8Array(length).fill(7);
    const expected = frame({ opcode: "binary", payload: data });
    const message = prepareMessage(data);
    data.fill(0);
    assert(sameBytes(message.frame, expected), `${length}`);
    const kept = message.data as Uint8Array;
    assert(sameBytes(kept, new Uint8Array(length).fill(7)), `${length}`);
  }
});

test("prepareMessage() gives each frame memory of its own", () => {
  const frames = [1, 2, 3].map((one) => prepareMessage(`${one}`).frame);
  const buffers = new Set(frames.map(({ buffer }) => buffer));
  assertStrictEquals(buffers.size, 3);
  assert(frames.every(({ length, buffer }) => length === buffer.byteLength));
  const expected = [1, 2, 3].map((one) => frame({ payload: `${one}` }));
  assert(sameBytes(concat(...frames), concat(...expected)));
});
