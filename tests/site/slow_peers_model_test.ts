/**
 * Slow peers in memory: whatever is sent, and however the peer reads, what is not
 * dropped arrives, once and in order, and what is dropped has been counted (B-2).
 */
import { type BroadcastOverflow, Handler, Site } from "../../server.ts";
import { RawPeer, settle } from "../../testing.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { type Random, seededRandom } from "../harness/random.ts";

const TOPICS = ["a", "b", "c"];

/** A number that says when it was sent, a topic, and something to fill a buffer. */
function message(random: Random, n: number, topic: string): string {
  return `${n} ${topic} ${"x".repeat(random.below(400))}`;
}

async function play(policy: BroadcastOverflow, seed: number): Promise<number> {
  const what = `${policy}, seed ${seed}`;
  const random = seededRandom(seed);
  const site = new Site();
  /** Messages to many so far, by their numbers. */
  const sent: string[] = [];
  const publish = (): void => {
    const topic = TOPICS[random.below(4)];
    const text = message(random, sent.length, topic ?? "all");
    sent.push(text);
    if (topic === undefined) site.broadcast(text);
    else site.publish(topic, text);
  };
  class Member extends Handler {
    override open(): void {
      for (const topic of TOPICS) this.connection.subscribe(topic);
    }
    override drain(): void {
      if (random.below(3) === 0) publish();
    }
  }
  site.addHandler("/", Member, {
    broadcastOverflow: policy,
    broadcastMaxBytes: 1 + random.below(3_000),
    sendHighWaterBytes: 1 + random.below(2_000),
    pingIntervalMs: 0,
  });
  const capacityBytes = 1 + random.below(2_000);
  await using peer = await RawPeer.connect(site, { path: "/", capacityBytes });
  const { connection } = peer;
  let streams = 0;
  for (let step = 0; step < 60; step++) {
    const act = random.below(12);
    if (act < 6) publish();
    else if (act === 6) peer.pause();
    else if (act === 7) peer.resume();
    else if (act === 8) {
      connection.send(`direct ${"y".repeat(random.below(900))}`);
    } else if (act === 9) {
      streams++;
      void connection.sendStream((async function* () {
        for (let n = 0; n < 3; n++) {
          yield "stream ";
          await settle();
        }
      })());
    } else await settle();
  }
  peer.resume();
  const got: string[] = [];
  let isInStream = false;
  let quiet = 0;
  // Time enough for every stream to end, and for the last hook to publish.
  while (quiet < 10 + 4 * streams) {
    await settle();
    quiet++;
    for (const { text, fin, opcode } of peer.takeFrames()) {
      quiet = 0;
      assert(isInStream === (opcode === "continuation"), what);
      if (!isInStream && fin && /^\d/.test(text)) got.push(text);
      isInStream = !fin;
    }
  }
  assertEquals(
    [connection.readyState, connection.bufferedAmount],
    [1, 0],
    what,
  );
  const { messagesDropped } = connection.stats;
  assertEquals(got.length + messagesDropped, sent.length, what);
  const numbers = got.map((text) => Number.parseInt(text));
  for (const [at, n] of numbers.entries()) {
    assertEquals(got[at], sent[n], what);
    // What was published later comes later; with `latest` within its topic.
    const topic = got[at]!.split(" ")[1];
    const before = policy === "latest"
      ? got.slice(0, at).filter((text) => text.split(" ")[1] === topic)
      : got.slice(0, at);
    const last = before.at(-1);
    assert(
      last === undefined || Number.parseInt(last) < n,
      `${what}: ${numbers}`,
    );
  }
  if (policy !== "drop-new" && sent.length > 0) {
    assert(
      numbers.includes(sent.length - 1),
      `${what}: the newest is not there`,
    );
  }
  return messagesDropped;
}

for (const policy of ["drop-new", "drop-old", "latest"] as const) {
  test(`B-2: ${policy} loses nothing that it does not count, in any order of things`, async () => {
    let dropped = 0;
    for (let seed = 0; seed < 100; seed++) dropped += await play(policy, seed);
    assert(dropped > 200, `only ${dropped} were dropped`);
  });
}
