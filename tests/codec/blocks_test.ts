import {
  borrow,
  giveBack,
  HUGE_BLOCK_BYTES,
  LARGE_BLOCK_BYTES,
  SMALL_BLOCK_BYTES,
  viewOf,
} from "../../codec/blocks.ts";
import { assert, assertStrictEquals, test } from "../harness.ts";

const SIZES = [SMALL_BLOCK_BYTES, LARGE_BLOCK_BYTES, HUGE_BLOCK_BYTES];

test("a block has the least of three sizes that is enough", () => {
  let before = 0;
  for (const size of SIZES) {
    for (const bytes of [before + 1, size]) {
      const block = borrow(bytes);
      assertStrictEquals(block.length, size);
      giveBack(block);
    }
    before = size;
  }
  assertStrictEquals(borrow(before + 1).length, before + 1);
});

test("a block that is given back is the next to be borrowed, up to a bound", () => {
  for (const size of SIZES) {
    const block = borrow(size);
    giveBack(block);
    assertStrictEquals(borrow(size), block);
    const blocks = Array.from({ length: 300 }, () => new Uint8Array(size));
    for (const one of blocks) giveBack(one);
    const kept = new Set(Array.from({ length: 300 }, () => borrow(size)));
    const count = blocks.filter((one) => kept.has(one)).length;
    assert(count > 0 && count <= 256, `${count} of ${size}`);
  }
  const other = new Uint8Array(5);
  giveBack(other);
  assert(borrow(5) !== other);
});

test("a view is made once for a block and a length", () => {
  const block = borrow(1);
  block[0] = 1;
  const view = viewOf(block, 10);
  assertStrictEquals(view.length, 10);
  assertStrictEquals(view[0], 1);
  assertStrictEquals(viewOf(block, 10), view);
  assertStrictEquals(viewOf(block, 11).length, 11);
  const other = borrow(1);
  assert(viewOf(other, 11).buffer === other.buffer);
});
