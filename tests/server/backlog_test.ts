/** What waits for a slow peer (B-2). */
import { prepareMessage } from "../../codec.ts";
import {
  type Backlog,
  FullBacklog,
  LatestBacklog,
} from "../../server/backlog.ts";
import { assertEquals, test } from "../harness.ts";

function drain(backlog: Backlog): unknown[] {
  const taken: unknown[] = [];
  for (let one = backlog.shift(); one !== undefined; one = backlog.shift()) {
    taken.push(one.data);
  }
  assertEquals(backlog.byteLength, 0);
  return taken;
}

test("B-2: a full backlog keeps order, and drops the oldest over its bound", () => {
  // Ten bytes each, with the header.
  const message = (n: number) => prepareMessage(`${n}`.padStart(8, "0"));
  const backlog = new FullBacklog(100);
  for (let n = 0; n < 10; n++) assertEquals(backlog.push(message(n)), 0);
  assertEquals(backlog.byteLength, 100);
  for (let n = 10; n < 1_000; n++) assertEquals(backlog.push(message(n)), 1);
  assertEquals(backlog.byteLength, 100);
  assertEquals(
    drain(backlog),
    Array.from({ length: 10 }, (_, i) => `${990 + i}`.padStart(8, "0")),
  );
  // One that is larger than all that may wait is kept all the same, alone.
  backlog.push(message(1));
  assertEquals(backlog.push(prepareMessage("x".repeat(200))), 1);
  assertEquals(backlog.push(message(2)), 1);
  assertEquals(backlog.clear(), 1);
  assertEquals([backlog.byteLength, backlog.shift()], [0, undefined]);
});

test("B-2: a backlog taken from and added to stays in order", () => {
  const backlog = new FullBacklog(Infinity);
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < round % 7; i++) {
      backlog.push(prepareMessage(`${next++}`));
    }
    for (let i = 0; i < round % 5; i++) {
      const message = backlog.shift();
      if (message !== undefined) assertEquals(message.data, `${expected++}`);
    }
  }
  assertEquals(drain(backlog).length, next - expected);
});

test("B-2: of each topic only the latest waits, in the place of its first", () => {
  const backlog = new LatestBacklog(1_000);
  const push = (data: string, topic?: string) =>
    backlog.push(prepareMessage(data), topic);
  assertEquals(push("a1", "a"), 0);
  assertEquals(push("all1"), 0);
  assertEquals(push("b1", "b"), 0);
  assertEquals(push("a2", "a"), 1);
  assertEquals(push("all2"), 1);
  assertEquals(backlog.byteLength, 4 + 6 + 4);
  assertEquals(drain(backlog), ["a2", "all2", "b1"]);
  // The bound holds for all topics together.
  for (let n = 0; n < 100; n++) push("x".repeat(98), `${n}`);
  assertEquals(backlog.byteLength, 1_000);
  assertEquals(push("x".repeat(98), "more"), 1);
  // One that grows may cost others their place, never itself.
  assertEquals(push("y".repeat(998 - 4), "91"), 10);
  assertEquals(drain(backlog), ["y".repeat(994)]);
  push("z", "a");
  assertEquals([backlog.clear(), backlog.byteLength], [1, 0]);
});
