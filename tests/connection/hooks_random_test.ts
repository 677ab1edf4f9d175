/** Hooks, whatever they and the peer do, at random: they keep their order (HD-5). */
import { assert, assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { type Random, seededRandom } from "../harness/random.ts";
import { close, Rig, settle } from "./rig.ts";

/** Does one random thing, from either side. */
function act(rig: Rig, random: Random, round: number): void {
  const { connection } = rig;
  const actions: (() => unknown)[] = [
    () => rig.send(`${round}`),
    () => rig.send(`${round}a`, { opcode: "ping" }, `${round}b`),
    () => rig.send(`${round}`, close(3000)),
    () => rig.far.end(),
    () => rig.far.reset(),
    () => connection.send(new Uint8Array(random.below(100_000))),
    () => connection.close(3000),
    () => connection.terminate(),
    () => connection.pause(),
    () => connection.resume(),
    () => connection.ping().catch(() => {}),
    () => connection.drained.catch(() => {}),
    () => (rig.far.capacityBytes = random.below(2) === 0 ? 1000 : Infinity),
    () => (rig.near.chunkBytes = 1 + random.below(20)),
    () => rig.send({ rsv: 7 }),
  ];
  // The first four and the harmless ones more often than those that end it.
  const action = random.below(3) > 0
    ? actions[[0, 1, 5, 8, 9, 10, 11, 12, 13][random.below(9)]!]!
    : actions[random.below(actions.length)]!;
  if (rig.far.bufferedBytes === 0 && !rig.far.ended) action();
}

async function play(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const hook = (
    c: { close(): unknown; send(data: string): unknown },
  ): unknown => {
    const choice = random.below(20);
    if (choice === 0) throw new Error("hook");
    if (choice === 1) return void c.close();
    if (choice < 6) return settle();
    if (choice < 9) return Promise.resolve();
    return void c.send("x");
  };
  await using rig = Rig.spied({
    open: hook,
    message: hook,
    drain: hook,
    ping: hook,
    error: hook,
    close: hook,
  }, { closeTimeoutMs: 40 });
  for (let round = 0; round < 12; round++) {
    act(rig, random, round);
    if (random.below(2) === 0) await settle();
  }
  rig.connection.resume();
  rig.connection.terminate();
  await rig.closed();
  const { calls, overlaps } = rig.spy;
  for (let i = 0; i < 200 && !calls.at(-1)!.startsWith("close"); i++) {
    await settle();
  }
  await settle();
  const name = `seed ${seed}: ${calls.join(", ")}`;
  assertEquals(calls[0], "open", name);
  assert(calls.at(-1)!.startsWith("close "), name);
  const count = (word: string) =>
    calls.filter((call) => call.startsWith(word)).length;
  assertEquals([count("open"), count("close ")], [1, 1], name);
  assertEquals(overlaps, [], name);
  // Messages in order, each at most once.
  const messages = calls.filter((call) => call.startsWith("message"));
  const order = messages.map((call) =>
    parseInt(call.slice(8)) * 2 + (call.endsWith("b") ? 1 : 0)
  );
  assertEquals(order, [...new Set(order)].sort((a, b) => a - b), name);
}

test("HD-5: whatever happens: open, messages in order, close", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    await within(play(seed), `the end of seed ${seed}`);
  }
});
