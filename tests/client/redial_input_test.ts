/**
 * What redialling is given: by mistake, or changed after it was given (WS27, B-8,
 * BL7).
 */
import {
  type DialOptions,
  type DurableOptions,
  HandshakeError,
  redial,
  type RedialOptions,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { inWorld, URL, type World } from "./redialing.ts";

const STEADY: RedialOptions = { delays: () => Array(1_000).fill(1_000) };

/** Waits of a redialler that never gets through, until it gives up. */
async function attemptsOf(
  world: World,
  options: RedialOptions,
): Promise<{ delaysMs: number[]; error: unknown }> {
  const delaysMs: number[] = [];
  const first = redial(URL, {
    ...options,
    dial: ({ delayMs }) => {
      delaysMs.push(delayMs);
      return {};
    },
  })[Symbol.asyncIterator]().next();
  const failed = first.then(() => undefined, (error) => error);
  await world.clock.advance(10_000);
  return { delaysMs, error: await failed };
}

test("WS27: a delay that is no number ends it, and does not ask without a pause", () =>
  inWorld(async (world) => {
    const wrong = [NaN, undefined, "5", null] as unknown as number[];
    const cases: RedialOptions[] = [
      ...wrong.map((delay) => ({ delays: () => [1, delay, 1] })),
      { random: () => NaN },
    ];
    for (const options of cases) {
      const { delaysMs, error } = await attemptsOf(world, options);
      assert(error instanceof TypeError, `${error}`);
      assertEquals(delaysMs, options.delays ? [0, 1] : [0]);
    }
    const { delaysMs } = await attemptsOf(world, {
      firstDelayMs: Infinity,
      maxDelayMs: Infinity,
      random: () => 0,
      maxAttempts: 2,
    });
    assertEquals(delaysMs, [0, 0]);
  }));

test("WS27: each attempt says the same, whatever becomes of what redial was given", () =>
  inWorld(async (world) => {
    await world.listen();
    world.refusal = new Response(null, { status: 503 });
    const url = new globalThis.URL(URL);
    // An iterator, which can be gone through once.
    const headers = new Map([["x-token", "5"]]).entries();
    const options: {
      maxAttempts: number;
      dial: DialOptions;
      delays(): number[];
    } = { maxAttempts: 3, dial: { headers }, delays: () => [1, 1, 1] };
    const first = redial(url, options)[Symbol.asyncIterator]().next();
    url.pathname = "/elsewhere";
    options.maxAttempts = 1;
    options.dial = { headers: { "x-token": "6" } };
    const failed = assertRejects(() => first, HandshakeError);
    await world.clock.advance(1_000);
    assertEquals((await failed).status, 503);
    assertEquals(world.tokens, ["5", "5", "5"]);
  }));

test("BL7: what a hook returns by chance is no verdict", () =>
  inWorld(async (world) => {
    const errors: unknown[] = [];
    const losses: unknown[] = [];
    const push = (list: unknown[]) => (told: unknown) => list.push(told);
    const hooks = { connectFailed: push(errors), down: push(losses) };
    const durable = redial(URL, STEADY).connect(
      hooks as unknown as DurableOptions,
    );
    await world.clock.advance(2_500);
    assertEquals([errors.length, durable.state], [3, "down"]);
    await world.listen();
    await world.clock.advance(1_000);
    void world.opened.at(-1)!.close(4000);
    await world.clock.advance(1_500);
    assertEquals([losses.length, durable.state], [1, "open"]);
    await durable.close();
  }));

test("B-8: a message leaves as it was sent, whatever becomes of its options", () =>
  inWorld(async (world) => {
    const durable = redial(URL, STEADY).connect({ outbox: {} });
    const options = { compress: false };
    assert(durable.send("one", options));
    options.compress = "no" as unknown as boolean;
    assert(durable.send("two"));
    await world.listen();
    await world.clock.advance(1_000);
    await settle();
    assertEquals(world.received, ["one", "two"]);
    await durable.close();
  }));

test("B-8: a listener of frames that sends something loses and repeats nothing", () =>
  inWorld(async (world) => {
    await world.listen();
    // So long that it leaves within the call of `send`.
    const long = (text: string) => text.padEnd(200_000);
    let count = 0;
    const durable = redial(URL, {
      ...STEADY,
      dial: {
        onFrame({ direction, opcode }) {
          const isOurs = direction === "sent" && opcode === "text";
          if (isOurs && count < 3) durable.send(long(`heard ${count++}`));
        },
      },
    }).connect({ outbox: { maxBytes: 10_000_000 } });
    const texts = ["0", "1", "2", "3"];
    for (const text of texts) durable.send(long(text));
    await world.clock.advance(1_000);
    await settle();
    const heard = ["heard 0", "heard 1", "heard 2"];
    assertEquals(
      world.received.map((text) => text.trimEnd()),
      [...texts, ...heard],
    );
    assertEquals(durable.pendingMessages, 0);
    await durable.close();
  }));
