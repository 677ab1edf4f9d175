/** B-8: giving up in each moment around the opening of a connection. */
import { type Connection, redial, type RedialOptions } from "../../client.ts";
import { settle } from "../../testing.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { inWorld, URL, type World } from "./redialing.ts";

/** Moments after the handler's `open`, which is when the handshake succeeds. */
const MOMENTS = Array.from({ length: 30 }, (_, index) => index);

/** Dial options that do something so many microtasks after the handshake. */
function whenOpened(moment: number, act: () => void) {
  return {
    handler: {
      async open(): Promise<void> {
        for (let i = 0; i < moment; i++) await undefined;
        act();
      },
    },
  };
}

/** Waits until the server has no connection. */
async function assertGone(world: World, what: string): Promise<void> {
  await within(
    Promise.all(world.opened.map((connection) => connection.closed)),
    `the end of the connection, ${what}`,
  );
  assertEquals(world.site.connections.size, 0);
}

test("B-8: an abort in each moment around the opening ends connect()", () =>
  inWorld(async (world) => {
    await world.listen();
    for (const moment of MOMENTS) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const durable = redial(URL, {
        signal: controller.signal,
        dial: whenOpened(moment, () => controller.abort(reason)),
      }).connect();
      const end = await within(durable.closed, `the end, moment ${moment}`);
      assertEquals([moment, end.cause], [moment, "aborted"]);
      assert(end.error === reason);
      await assertGone(world, `moment ${moment}`);
    }
  }));

test("B-8: close() in each moment around the opening ends connect()", () =>
  inWorld(async (world) => {
    await world.listen();
    for (const moment of MOMENTS) {
      const durable = redial(URL, {
        dial: whenOpened(moment, () => void durable.close()),
      }).connect();
      const end = await within(durable.closed, `the end, moment ${moment}`);
      assertEquals([moment, end.cause], [moment, "closed"]);
      await assertGone(world, `moment ${moment}`);
    }
  }));

test("B-8: an abort in the moment of the opening ends the loop", () =>
  inWorld(async (world) => {
    await world.listen();
    const controller = new AbortController();
    const yielded: Connection[] = [];
    const loop = async () => {
      const options = {
        signal: controller.signal,
        dial: whenOpened(0, () => controller.abort(new Error("enough"))),
      };
      for await (const connection of redial(URL, options)) {
        yielded.push(connection);
        await connection.closed;
      }
    };
    await within(assertRejects(loop, Error, "enough"), "the end of the loop");
    assertEquals(yielded.length, 0);
    await assertGone(world, "after the loop");
  }));

test("B-8: return() of the loop's iterator gives up what leads to a connection", () =>
  inWorld(async (world) => {
    const never = () => new Promise<never>(() => {});
    world.site.addHandler("/never", { upgrade: never, message: () => {} });
    const server = await world.site.listen({ port: 81 });
    const silent = "ws://example.com:81/never";
    const ways: [string, string, RedialOptions][] = [
      ["it waits", URL, { delays: () => [3_600_000] }],
      ["a hook waits", URL, { delays: () => [1], waiting: never }],
      ["options are asked for", URL, { dial: never }],
      ["a token is asked for", URL, { dial: { beforeConnect: never } }],
      ["it is judged", URL, { shouldRetry: never }],
      ["the server does not answer", silent, {}],
    ];
    for (const signal of [undefined, new AbortController().signal]) {
      for (const [what, url, options] of ways) {
        const loop = redial(url, { ...options, ...(signal && { signal }) })
          [Symbol.asyncIterator]();
        const first = loop.next();
        await settle();
        const left = loop.return(undefined as never);
        const [next, end] = await within(Promise.all([first, left]), what);
        assertEquals([what, next.done, end.done], [what, true, true]);
        assertEquals((await loop.next()).done, true);
      }
    }
    const stopped = server.shutdown({ timeoutMs: 0 });
    await world.clock.advance(20_000);
    await stopped;
    assertEquals(world.opened.length, 0);
  }));

test("B-8: return() in each moment around the opening leaves no connection", () =>
  inWorld(async (world) => {
    await world.listen();
    for (const moment of MOMENTS) {
      const loop = redial(URL, {
        dial: whenOpened(moment, () => void loop.return(undefined as never)),
      })[Symbol.asyncIterator]();
      const { done } = await within(loop.next(), `the next, moment ${moment}`);
      // It may have been given already; then it is closed.
      if (!done) await within(loop.next(), `the end, moment ${moment}`);
      await assertGone(world, `moment ${moment}`);
    }
  }));
