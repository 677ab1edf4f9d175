import { OutputQueue } from "../../codec/output_queue.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";

test("parts leave in order, with the blocks that they are in", () => {
  const queue = new OutputQueue();
  assertStrictEquals(queue.isEmpty, true);
  const block = new Uint8Array(100);
  const first = block.subarray(0, 7);
  const second = new Uint8Array(3);
  queue.push(first, block);
  queue.push(second);
  assertStrictEquals(queue.isEmpty, false);
  const part = queue.take();
  assertStrictEquals(part.bytes, first);
  assertStrictEquals(part.block, block);
  assertStrictEquals(part.length, 7);
  assertStrictEquals(queue.isEmpty, false);
  assertStrictEquals(queue.take().bytes, second);
  assertStrictEquals(queue.isEmpty, true);
});

test("parts that come and go in turns are told apart, however many", () => {
  for (const ahead of [1, 2, 63, 64, 65, 200]) {
    const queue = new OutputQueue();
    const push = (index: number) => queue.push(Uint8Array.of(index & 0xff));
    for (let index = 0; index < ahead; index++) push(index);
    for (let index = 0; index < 300; index++) {
      assertEquals(queue.take().bytes, Uint8Array.of(index & 0xff));
      push(ahead + index);
    }
    for (let left = ahead; left > 0; left--) {
      assertStrictEquals(queue.isEmpty, false);
      queue.take();
    }
    assertStrictEquals(queue.isEmpty, true, `${ahead}`);
  }
});

test("AP-1: bytes that are given away too early leave as many zeros", () => {
  const queue = new OutputQueue();
  const bytes = new Uint8Array(5).fill(1);
  queue.push(bytes);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  const part = queue.take();
  assertEquals(part.bytes, new Uint8Array(5));
  assertStrictEquals(part.length, 5);
});
