import { assert, assertEquals, test } from "../harness.ts";
import {
  dropReadBuffer,
  FIRST_READ_BYTES,
  giveReadBuffer,
  MAX_READ_BYTES,
  MIN_READ_BYTES,
  nextReadSize,
  READ_BUDGET_BYTES,
  readBudgetUsedBytes,
  takeReadBuffer,
  THRIFTY_READ_BYTES,
} from "../../runtime/read_buffer.ts";

test("the next read follows what the last one brought", () => {
  assertEquals(nextReadSize(1024, 1, 1), 1024);
  assertEquals(nextReadSize(1024, 1023, 1023), 1024);
  assertEquals(nextReadSize(1024, 1024, 1024), 4096);
  assertEquals(nextReadSize(4096, 1024, 1024), 2048);
  assertEquals(nextReadSize(65_536, 4095, 4095), 4096);
  assertEquals(nextReadSize(65_536, 4096, 4096), 8192);
  assertEquals(nextReadSize(131_072, 131_072, 131_072), MAX_READ_BYTES);
  assertEquals(
    nextReadSize(MAX_READ_BYTES, MAX_READ_BYTES, MAX_READ_BYTES),
    MAX_READ_BYTES,
  );
  assertEquals(nextReadSize(MAX_READ_BYTES, 3, 3), FIRST_READ_BYTES);
});

test("who has only had short messages waits in the smallest buffer", () => {
  assertEquals(nextReadSize(FIRST_READ_BYTES, 200, -1), MIN_READ_BYTES);
  assertEquals(nextReadSize(FIRST_READ_BYTES, 1024, -1), 4096);
  assertEquals(nextReadSize(4096, 1, -1), MIN_READ_BYTES);
  assertEquals(nextReadSize(MIN_READ_BYTES, 255, 255), MIN_READ_BYTES);
  assertEquals(nextReadSize(MIN_READ_BYTES, 256, 256), FIRST_READ_BYTES);
  assertEquals(nextReadSize(FIRST_READ_BYTES, 1, 257), FIRST_READ_BYTES);
});

test("a burst of one size settles on one read", () => {
  for (let burst = 1; burst < MAX_READ_BYTES; burst = burst * 3 + 1) {
    let size = MIN_READ_BYTES;
    let missing = burst;
    let reads = 0;
    for (let round = 0; round < 2; round++) {
      missing = burst;
      for (reads = 0; missing > 0; reads++) {
        const count = Math.min(size, missing);
        missing -= count;
        size = nextReadSize(size, count, burst - missing);
      }
    }
    assertEquals(reads, 1, `${burst} bytes in ${reads} reads, not in one`);
  }
});

test("buffers have the size asked for, and are used again", () => {
  for (let size = MIN_READ_BYTES; size <= MAX_READ_BYTES; size *= 2) {
    const buffer = takeReadBuffer(size);
    assertEquals(buffer.length, size);
    giveReadBuffer(buffer);
    const again = takeReadBuffer(size);
    assert(again === buffer);
    giveReadBuffer(again);
  }
});

test("all large buffers together keep to the budget", () => {
  const before = readBudgetUsedBytes();
  const buffers = Array.from({ length: 200 }, () => takeReadBuffer(262_144));
  const large = buffers.filter(({ length }) => length === 262_144);
  assert(large.length * 262_144 <= READ_BUDGET_BYTES);
  assert(large.length * 262_144 > READ_BUDGET_BYTES - 2 * 262_144 - before);
  for (const { length } of buffers.slice(large.length)) {
    assertEquals(length, THRIFTY_READ_BYTES);
  }
  // The smallest is always to be had.
  const small = takeReadBuffer(MIN_READ_BYTES);
  assertEquals(small.length, MIN_READ_BYTES);
  for (const buffer of [...buffers, small]) giveReadBuffer(buffer);
  assertEquals(readBudgetUsedBytes(), before);
});

test("a buffer that is dropped counts no more, and is not used again", () => {
  const before = readBudgetUsedBytes();
  const buffer = takeReadBuffer(4096);
  assertEquals(readBudgetUsedBytes(), before + 4096);
  dropReadBuffer(buffer);
  assertEquals(readBudgetUsedBytes(), before);
  const another = takeReadBuffer(4096);
  assert(another !== buffer);
  giveReadBuffer(another);
});
