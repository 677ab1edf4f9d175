/**
 * Waits that are told of, and cut short; hooks that are waited for; an outbox that
 * is taken back (B-8, WS27).
 */
import {
  ClosedError,
  type DurableConnection,
  HandshakeError,
  redial,
  type RedialAttempt,
  type RedialOptions,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { inWorld, URL } from "./redialing.ts";

const GROWING: RedialOptions = {
  delays: () => [10_000, 20_000, 40_000, 80_000],
  stableAfterMs: 1e6,
};

test("B-8: retryNow() cuts the wait short, and waits go on growing", () =>
  inWorld(async (world) => {
    const attempts: RedialAttempt[] = [];
    const durable = redial(URL, GROWING).connect({
      connecting: (attempt) => void attempts.push(attempt),
    });
    assertEquals(durable.retryNow(), false, "before the first attempt");
    await settle();
    assertEquals(durable.nextAttemptInMs, 10_000);
    await world.clock.advance(4_000);
    assertEquals(durable.nextAttemptInMs, 6_000);
    assertEquals(durable.retryNow(), true);
    await settle();
    assertEquals(durable.state, "down");
    assertEquals(durable.nextAttemptInMs, 20_000);

    await world.listen();
    assertEquals(durable.retryNow(), true);
    assertEquals(durable.retryNow(), true, "the wait is not over yet");
    await settle();
    assertEquals(durable.state, "open");
    assertEquals(durable.nextAttemptInMs, undefined);
    assertEquals(durable.retryNow(), false, "while it is open");
    world.opened[0]!.terminate();
    await settle();
    assertEquals(durable.nextAttemptInMs, 40_000);
    const { cause } = await durable.close();
    assertEquals([cause, durable.retryNow()], ["closed", false]);
    assertEquals(
      attempts.map(({ number, delayMs }) => [number, delayMs]),
      [[1, 0], [2, 4_000], [3, 0]],
    );
  }));

test("B-8: retryNow() cuts a Retry-After short, and may be called by waiting", () =>
  inWorld(async (world) => {
    await world.listen();
    const headers = { "Retry-After": "600" };
    world.refusal = new Response(null, { status: 503, headers });
    const waits: number[] = [];
    const durable: DurableConnection = redial(URL, { ...GROWING, jitter: 0 })
      .connect({
        waiting(delayMs, error, number) {
          assertEquals((error as HandshakeError).status, 503);
          waits.push(number, delayMs);
          world.refusal = undefined;
          assertEquals(durable.retryNow(), true);
        },
      });
    await settle();
    await settle();
    assertEquals(durable.state, "open");
    assertEquals(waits, [2, 600_000]);
    await durable.close();
  }));

test("WS27: retryNow() of a redialler is for all its waits; the loop is told of them", () =>
  inWorld(async (world) => {
    const waits: [number, number, unknown][] = [];
    const redialer = redial(URL, {
      ...GROWING,
      waiting: async (delayMs, error, number) => {
        await settle();
        waits.push([number, delayMs, error]);
      },
    });
    const loop = redialer[Symbol.asyncIterator]();
    const durable = redialer.connect();
    const next = loop.next();
    await settle();
    await settle();
    await world.listen();
    assertEquals(redialer.retryNow(), true);
    const { value: connection } = await next;
    await settle();
    assertEquals(durable.state, "open");
    assertEquals(redialer.retryNow(), false);
    assertEquals(waits.map(([number, ms]) => [number, ms]), [[2, 1e4], [
      2,
      1e4,
    ]]);
    assert(waits[0]![2] instanceof HandshakeError);

    const after = loop.next();
    await settle();
    await settle();
    assertEquals(waits.length, 3);
    assert(waits[2]![2] instanceof ClosedError);
    assertEquals(connection.readyState, 3);
    await durable.close();
    assertEquals(redialer.retryNow(), true);
    await after;
    await loop.return(undefined as never);
  }));

test("WS27: what `waiting` throws ends the loop, and leaves no timer", () =>
  inWorld(async (world) => {
    const waiting = () => Promise.reject(new Error("no log"));
    const loop = redial(URL, { ...GROWING, waiting })[Symbol.asyncIterator]();
    await assertRejects(() => loop.next(), Error, "no log");
    assertEquals(world.clock.pendingTimers, 0);
  }));

test("WS27: shouldRetry may take its time", () =>
  inWorld(async (world) => {
    for (const verdict of [true, false]) {
      let asked = 0;
      const shouldRetry = async () => {
        await settle();
        asked++;
        return verdict;
      };
      const loop = redial(URL, { ...GROWING, maxAttempts: 2, shouldRetry })
        [Symbol.asyncIterator]();
      const failed = assertRejects(() => loop.next(), HandshakeError);
      for (let i = 0; i < 3; i++) await settle();
      await world.clock.advance(20_000);
      for (let i = 0; i < 3; i++) await settle();
      await failed;
      assertEquals(asked, verdict ? 2 : 1);
    }
  }));

test("B-8: every hook may be asynchronous: it is waited for, and its failure ends it", () =>
  inWorld(async (world) => {
    const seen: string[] = [];
    const slow = (what: string) => async () => {
      seen.push(`${what} begins`);
      await settle();
      seen.push(`${what} ends`);
    };
    const waited = redial(URL, GROWING).connect({
      connecting: slow("connecting"),
      connectFailed: slow("connectFailed"),
      waiting: slow("waiting"),
    });
    for (let i = 0; i < 5; i++) await settle();
    await waited.close();
    assertEquals(
      seen,
      ["connecting", "connectFailed", "waiting"].flatMap((name) => [
        `${name} begins`,
        `${name} ends`,
      ]),
    );
    const stopping = redial(URL, GROWING).connect({
      connectFailed: () => Promise.resolve("stop"),
    });
    assertEquals((await stopping.closed).cause, "stopped");
    for (const name of ["connecting", "connectFailed", "waiting"] as const) {
      const durable = redial(URL, GROWING).connect({
        [name]: () => Promise.reject(new Error("hook")),
      });
      const { cause, error } = await durable.closed;
      assertEquals(
        [name, cause, (error as Error).message],
        [name, "failed", "hook"],
      );
    }
    assertEquals(world.clock.pendingTimers, 0);
  }));

test("B-8: a hook that does not end is given up when it is closed", () =>
  inWorld(async (world) => {
    const never = () => new Promise<never>(() => {});
    for (const name of ["connecting", "connectFailed", "waiting"] as const) {
      const durable = redial(URL, GROWING).connect({ [name]: never });
      await settle();
      assertEquals((await durable.close()).cause, "closed", name);
    }
    assertEquals(world.clock.pendingTimers, 0);
  }));

test("B-8: takeUnsent() takes back what waits, and makes room", () =>
  inWorld(async (world) => {
    const outbox = { maxMessages: 2 };
    const durable = redial(URL, GROWING).connect({ outbox });
    assertEquals([durable.send("old 1"), durable.send("old 2")], [true, true]);
    assertEquals(durable.send("new"), false);
    assertEquals(durable.takeUnsent(), ["old 1", "old 2"]);
    assertEquals([durable.pendingMessages, durable.pendingBytes], [0, 0]);
    assertEquals(durable.send("new"), true);
    await world.listen();
    await world.clock.advance(10_000);
    assertEquals(world.received, ["new"]);
    assertEquals(durable.takeUnsent(), []);
    assertEquals((await durable.close()).unsent, []);
    const without = redial(URL).connect();
    assertEquals(without.takeUnsent(), []);
    await without.close();
  }));
