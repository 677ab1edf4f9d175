import { SharedFrames } from "../../codec/shared_frames.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";

const A = Uint8Array.of(1, 2);
const B = Uint8Array.of(3);
const C = Uint8Array.of(4, 5, 6);

test("one frame is sent as it is, by everyone", () => {
  const row = SharedFrames.begin(A);
  assertStrictEquals(SharedFrames.begin(A), row);
  assertStrictEquals(row.byteLength, 2);
  assertStrictEquals(row.take(), A);
  assertStrictEquals(row.take(), A);
  assertStrictEquals(SharedFrames.begin(B).take(), B);
});

test("all who append the same frames share one array", () => {
  const rows = Array.from({ length: 3 }, () => SharedFrames.begin(A));
  for (const frame of [B, C]) {
    for (const [index, row] of rows.entries()) rows[index] = row.append(frame);
  }
  assertStrictEquals(new Set(rows).size, 1);
  assertStrictEquals(rows[0]!.byteLength, 6);
  const bytes = rows[0]!.take();
  assertEquals(bytes, Uint8Array.of(1, 2, 3, 4, 5, 6));
  assertStrictEquals(rows[2]!.take(), bytes);
});

test("a row stays as it is when others go on differently", () => {
  const short = SharedFrames.begin(A);
  const [toB, toC] = [short.append(B), short.append(C)];
  const again = short.append(B);
  assertEquals(toC.append(A).take(), Uint8Array.of(1, 2, 4, 5, 6, 1, 2));
  assertEquals(toB.take(), Uint8Array.of(1, 2, 3));
  assertEquals(again.take(), Uint8Array.of(1, 2, 3));
  assertEquals(toC.take(), Uint8Array.of(1, 2, 4, 5, 6));
  assertStrictEquals(short.take(), A);
});

test("a row that has been taken can be gone on with", () => {
  const row = SharedFrames.begin(A).append(B);
  const bytes = row.take();
  const longer = row.append(C);
  assertEquals(longer.take(), Uint8Array.of(1, 2, 3, 4, 5, 6));
  assertEquals(bytes, Uint8Array.of(1, 2, 3));
});

test("what begins a row does not keep what has been taken of it", () => {
  const frame = A.slice();
  const first = SharedFrames.begin(frame);
  const second = first.append(B);
  const third = second.append(C);
  third.take();
  assertStrictEquals(SharedFrames.begin(frame), first);
  assert(first.append(B) !== second);
  assert(second.append(C) !== third);
});

test("AP-1: a frame that is given away too early leaves the framing whole", () => {
  for (const isLast of [true, false]) {
    const frame = C.slice();
    let row = SharedFrames.begin(frame);
    if (!isLast) row = row.append(B);
    structuredClone(frame.buffer, { transfer: [frame.buffer] });
    const expected = isLast ? [0, 0, 0] : [0, 0, 0, 3];
    assert(frame.length === 0);
    assertEquals([...row.take()], expected);
  }
});
