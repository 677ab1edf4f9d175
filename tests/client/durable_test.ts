/**
 * One object across reconnects, on a network in memory, with a clock that is moved
 * by hand (B-8, BL7).
 */
import process from "node:process";
import {
  type Connection,
  type DurableConnection,
  type DurableOptions,
  HandshakeError,
  redial,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { inWorld, URL } from "./redialing.ts";
import { kept, STEADY } from "./durable.ts";

test("B-8: states and hooks, in their order, across a loss", () =>
  inWorld(async (world) => {
    await world.listen();
    const seen: string[] = [];
    const lost = Promise.withResolvers<void>();
    const note = (what: string) => void seen.push(`${what} ${durable.state}`);
    const durable: DurableConnection = redial(URL, STEADY).connect({
      connecting: ({ number }) => void seen.push(`connecting ${number}`),
      waiting: (delayMs) => note(`waiting ${delayMs}`),
      open: () => void note("open"),
      message: async (data) => {
        await settle();
        note(`message ${data}`);
      },
      down({ info }) {
        note(`down ${info.code}`);
        lost.resolve();
      },
    });
    assertEquals(durable.state, "connecting");
    assertEquals(durable.connection, undefined);
    await settle();
    assertEquals(durable.state, "open");
    assert(durable.connection !== undefined);
    world.opened[0]!.send("1");
    world.opened[0]!.send("2");
    void world.opened[0]!.close(1012);
    await lost.promise;
    assertEquals(durable.state, "down");
    assertEquals(durable.connection, undefined);
    await world.clock.advance(1_000);
    assertEquals(durable.state, "open");
    const end = await durable.close();
    assertEquals(durable.state, "closed");
    assertEquals(end, { cause: "closed", unsent: [], inDoubt: [] });
    assertEquals(seen, [
      "connecting 1",
      "open connecting",
      "message 1 open",
      "message 2 open",
      "down 1012 down",
      "waiting 1000 down",
      "connecting 1",
      "open connecting",
      "down 1000 down",
    ]);
  }));

test("BL7: an attempt ends in connectFailed or in down, and each may say stop", () =>
  inWorld(async (world) => {
    const failures: [number, unknown][] = [];
    const failing = redial(URL, STEADY).connect({
      connectFailed(error, { number }) {
        failures.push([number, (error as HandshakeError).reason]);
        return number === 3 ? "stop" : undefined;
      },
      down: () => assert(false, "it was never up"),
    });
    await world.clock.advance(1_000);
    assertEquals(failing.state, "down");
    await world.clock.advance(9_000);
    const failed = await failing.closed;
    assertEquals(failed.cause, "stopped");
    assert(failed.error instanceof HandshakeError);
    assertEquals(
      failures,
      [1, 2, 3].map((number) => [number, "connect-failed"]),
    );

    await world.listen();
    const losses: number[] = [];
    const losing = redial(URL, STEADY).connect({
      connectFailed: () => assert(false, "it was open"),
      down({ info }) {
        losses.push(info.code);
        return losses.length === 2 ? "stop" : "retry";
      },
    });
    for (let i = 0; i < 2; i++) {
      await world.clock.advance(1_000);
      void world.opened.at(-1)!.close(4000 + i);
    }
    await world.clock.advance(20_000);
    assertEquals(await losing.closed, {
      cause: "stopped",
      unsent: [],
      inDoubt: [],
    });
    assertEquals(losses, [4000, 4001]);
  }));

test("BL7: connectFailed may say retry where the failure is fatal otherwise", () =>
  inWorld(async (world) => {
    await world.listen();
    world.refusal = new Response(null, { status: 401 });
    for (const verdict of ["retry", undefined] as const) {
      let failures = 0;
      const durable = redial(URL, { ...STEADY, maxAttempts: 3 })
        .connect({ connectFailed: () => (failures++, verdict) });
      await world.clock.advance(10_000);
      const { cause, error } = await durable.closed;
      assertEquals([cause, failures], ["gave-up", verdict ? 3 : 1]);
      assertEquals((error as HandshakeError).status, 401);
      await assertRejects(
        () => durable[Symbol.asyncIterator]().next(),
        HandshakeError,
      );
    }
  }));

test("B-8: open logs in and subscribes again before what waits is sent", () =>
  inWorld(async (world) => {
    await world.listen();
    const open = async (connection: Connection) => {
      connection.send("login");
      assertEquals(await connection.receive(), "welcome");
      connection.send("subscribe");
    };
    const message = () => {};
    await kept(world, { open, message, outbox: {} }, async (durable) => {
      for (const round of [0, 1]) {
        if (round > 0) await world.clock.advance(1_000);
        assertEquals(durable.send("work"), true);
        await settle();
        assertEquals(durable.state, "connecting");
        assertEquals(world.received.splice(0), ["login"]);
        world.opened.at(-1)!.send("welcome");
        await settle();
        await settle();
        assertEquals(world.received.splice(0), ["subscribe", "work"]);
        world.opened.at(-1)!.terminate();
        await settle();
      }
    });
  }));

test("B-8: it may give up with nobody listening", () =>
  inWorld(async (world) => {
    const rejected: unknown[] = [];
    const note = (reason: unknown) => void rejected.push(reason);
    process.on("unhandledRejection", note);
    try {
      const durable = redial(URL, { ...STEADY, maxAttempts: 2 })
        .connect({ outbox: {} });
      durable.send("never");
      await world.clock.advance(10_000);
      assertEquals(durable.state, "closed");
      await settle();
      assertEquals([durable.send("after"), rejected.length], [false, 0]);
    } finally {
      process.off("unhandledRejection", note);
    }
  }));

test("B-8: iterating yields the messages of all connections, and ends", () =>
  inWorld(async (world) => {
    await world.listen();
    const durable = redial(URL, STEADY).connect();
    const seen: unknown[] = [];
    const iterating = (async () => {
      for await (const message of durable) seen.push(message);
    })();
    for (let i = 0; i < 3; i++) {
      await world.clock.advance(1_000);
      world.opened.at(-1)!.send(`hello ${i}`);
      await settle();
      world.opened.at(-1)!.terminate();
    }
    await world.clock.advance(1_000);
    await durable.close();
    await iterating;
    assertEquals(seen, ["hello 0", "hello 1", "hello 2"]);
  }));

test("B-8: an abort closes it in every state", () =>
  inWorld(async (world) => {
    for (const isOpen of [false, true]) {
      if (isOpen) await world.listen();
      const controller = new AbortController();
      const { signal } = controller;
      const durable = redial(URL, { ...STEADY, signal }).connect();
      await settle();
      assertEquals(durable.state, isOpen ? "open" : "down");
      controller.abort(new Error("enough"));
      const { cause, error } = await durable.closed;
      assertEquals([cause, (error as Error).message], ["aborted", "enough"]);
    }
    assertEquals((await world.opened[0]!.closed).code, 1001);
  }));

test("B-8: what a hook throws ends it, and closes the connection", () =>
  inWorld(async (world) => {
    await world.listen();
    const fail = () => {
      throw new Error("hook");
    };
    for (
      const name of ["connecting", "open", "message", "down"] as const
    ) {
      const durable = redial(URL, STEADY).connect({ [name]: fail });
      await settle();
      const connection = world.opened.at(-1);
      if (name === "message") connection!.send("now");
      if (name === "down") void connection!.close();
      const { cause, error } = await durable.closed;
      assertEquals(
        [name, cause, (error as Error).message],
        [name, "failed", "hook"],
      );
      if (name === "connecting") continue;
      const { code } = await connection!.closed;
      assertEquals(code, name === "down" ? 1000 : 1011);
    }
    world.refusal = new Response(null, { status: 503 });
    const durable = redial(URL, STEADY).connect({ connectFailed: fail });
    assertEquals((await durable.closed).cause, "failed");
  }));

test("B-8: every hook may close it", () =>
  inWorld(async (world) => {
    const never = new Promise<never>(() => {});
    for (const name of ["connecting", "connectFailed", "waiting"] as const) {
      const dial = name === "connecting" ? () => never : {};
      const durable: DurableConnection = redial(URL, { ...STEADY, dial })
        .connect({ [name]: () => void durable.close() });
      assertEquals((await durable.closed).cause, "closed", name);
    }
    await world.listen();
    for (const name of ["open", "message", "down"] as const) {
      const durable: DurableConnection = redial(URL, STEADY)
        .connect({ [name]: () => void durable.close() });
      await settle();
      if (name === "message") world.opened.at(-1)!.send("now");
      if (name === "down") world.opened.at(-1)!.terminate();
      assertEquals((await durable.closed).cause, "closed", name);
      assertEquals(
        (await world.opened.at(-1)!.closed).wasClean,
        name !== "down",
      );
    }
  }));

test("options of connect are checked at once", () => {
  const redialer = redial(URL);
  const wrong: [unknown, string][] = [
    [null, "not an object"],
    [{ opened: () => {} }, "unknown option: opened"],
    [{ open: 5 }, "open"],
    [{ outbox: true }, "outbox is not an object"],
    [
      { outbox: { bytes: 1 } },
      "unknown option: outbox.bytes; did you mean maxBytes?",
    ],
    [{ outbox: { maxBytes: "1" } }, "maxBytes"],
    [{ outbox: { unconfirmed: "keep" } }, "unconfirmed"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(
      () => redialer.connect(options as DurableOptions),
      TypeError,
      message,
    );
  }
  assertThrows(
    () => redialer.connect({ outbox: { maxMessages: -1 } }),
    RangeError,
    "maxMessages",
  );
});
