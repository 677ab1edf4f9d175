import { Inbox, type Received } from "../../connection/inbox.ts";
import { assertEquals, test } from "../harness.ts";

/** Takes a message, waiting for it if need be. */
function take(inbox: Inbox): Promise<Received | undefined> {
  const message = inbox.tryTake();
  if (message !== undefined) return Promise.resolve(message);
  return new Promise((resolve) => inbox.wait(resolve));
}

test("messages are taken in order, in whatever order they and the takers come", async () => {
  const inbox = new Inbox();
  assertEquals(inbox.isUsed, false);
  inbox.push("a");
  const first = take(inbox);
  const second = take(inbox);
  const third = take(inbox);
  assertEquals([inbox.isUsed, inbox.isAwaited], [true, true]);
  inbox.push("b");
  inbox.push("c");
  inbox.push("d");
  assertEquals(await Promise.all([first, second, third]), ["a", "b", "c"]);
  assertEquals([inbox.isAwaited, inbox.length, inbox.size], [false, 1, 1]);
});

test("length and size count what waits, over many messages", async () => {
  const inbox = new Inbox();
  let pushed = 0;
  let taken = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i <= round % 7; i++) inbox.push(`${pushed++}`.padStart(5));
    for (let i = 0; i < 3 && inbox.length > 0; i++) {
      assertEquals(await take(inbox), `${taken++}`.padStart(5));
    }
    assertEquals(inbox.length, pushed - taken);
    assertEquals(inbox.size, (pushed - taken) * 5);
  }
  while (inbox.length > 0) {
    assertEquals(await take(inbox), `${taken++}`.padStart(5));
  }
  assertEquals([taken, inbox.size], [pushed, 0]);
});

test("after the end what waits can be taken, then undefined", async () => {
  const inbox = new Inbox();
  inbox.push("a");
  inbox.push(new Uint8Array(3));
  inbox.end();
  assertEquals(inbox.size, 4);
  assertEquals(await take(inbox), "a");
  assertEquals((await take(inbox))?.length, 3);
  assertEquals(await take(inbox), undefined);
  assertEquals(await take(inbox), undefined);
});

test("the end reaches those who wait", async () => {
  const inbox = new Inbox();
  const both = [take(inbox), take(inbox)];
  inbox.end();
  inbox.end();
  assertEquals(await Promise.all(both), [undefined, undefined]);
  assertEquals(inbox.isAwaited, false);
});

test("who asks or says so has finished with what came before", () => {
  const inbox = new Inbox();
  assertEquals(inbox.isConsumed, true);
  inbox.push("a");
  assertEquals(inbox.isConsumed, true);
  inbox.tryTake();
  assertEquals(inbox.isConsumed, false);
  inbox.isReleased = true;
  assertEquals(inbox.isConsumed, true);
  inbox.tryTake();
  assertEquals(inbox.isConsumed, false);
  inbox.wait(() => {});
  assertEquals(inbox.isConsumed, true);
  inbox.push("b");
  assertEquals(inbox.isConsumed, false);
});
