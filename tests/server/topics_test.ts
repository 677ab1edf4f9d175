/** Who is subscribed to what (B-1, LC-4). */
import type { SocketConnection } from "../../connection.ts";
import { Topics } from "../../server/topics.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { seededRandom } from "../harness/random.ts";

const connection = (): SocketConnection => ({}) as SocketConnection;

test("B-1: topics come with their first subscriber, and go with the last", () => {
  const log: string[] = [];
  const topics = new Topics({
    began: (topic) => log.push(`+${topic}`),
    ended: (topic) => log.push(`-${topic}`),
  });
  const [one, two] = [connection(), connection()];
  assertEquals(topics.add(one, "a"), true);
  assertEquals(topics.add(one, "a"), false);
  assertEquals(topics.add(two, "a"), true);
  assertEquals(topics.add(two, "b"), true);
  assertEquals(topics.of(two), new Set(["a", "b"]));
  assertEquals([...topics.members.keys()], ["a", "b"]);
  assertEquals(topics.delete(one, "b"), false);
  assertEquals(topics.delete(one, "a"), true);
  assertEquals(topics.delete(one, "a"), false);
  assertEquals(log, ["+a", "+b"]);
  topics.leave(two);
  topics.leave(one);
  assertEquals(log, ["+a", "+b", "-a", "-b"]);
  assertEquals([topics.members.size, topics.subscribers], [0, 0]);
});

test("LC-4: a million subscriptions leave nothing behind", () => {
  const seed = 4;
  const random = seededRandom(seed);
  const topics = new Topics();
  const crowd = Array.from({ length: 100 }, connection);
  // What plain sets say.
  const wanted = crowd.map(() => new Set<string>());
  for (let n = 0; n < 1_000_000; n++) {
    const at = random.below(crowd.length);
    const topic = `topic ${random.below(1_000)}`;
    const act = random.below(1_000);
    if (act === 0) {
      topics.leave(crowd[at]!);
      wanted[at]!.clear();
    } else if (act % 2 === 0) {
      assert(topics.add(crowd[at]!, topic) !== wanted[at]!.has(topic), topic);
      wanted[at]!.add(topic);
    } else {
      const wasThere = topics.delete(crowd[at]!, topic);
      assert(wasThere === wanted[at]!.delete(topic), topic);
    }
  }
  let count = 0;
  for (const members of topics.members.values()) count += members.size;
  const size = wanted.reduce((sum, { size }) => sum + size, 0);
  assertEquals(count, size, `seed ${seed}`);
  // Half of them without a word.
  for (const [at, one] of crowd.entries()) {
    if (at % 2 === 0) {
      for (const topic of topics.of(one)) topics.delete(one, topic);
    } else topics.leave(one);
  }
  assertEquals([topics.members.size, topics.subscribers], [0, 0]);
});
