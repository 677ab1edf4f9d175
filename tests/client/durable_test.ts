/**
 * One object across reconnects, on a network in memory, with a clock that is moved
 * by hand (B-8, BL7).
 */
import process from "node:process";
import {
  type Connection,
  type DurableConnection,
  type DurableLoss,
  type DurableOptions,
  HandshakeError,
  redial,
  type RedialOptions,
} from "../../client.ts";
import { settle } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { inWorld, URL, type World } from "./redialing.ts";

const STEADY: RedialOptions = {
  delays: () => Array(1_000).fill(1_000),
  stableAfterMs: 0,
};

/** Keeps a connection while the body runs. */
async function kept(
  world: World,
  options: DurableOptions,
  body: (durable: DurableConnection) => Promise<void>,
): Promise<void> {
  const durable = redial(URL, STEADY).connect(options);
  await settle();
  try {
    await body(durable);
  } finally {
    const closed = durable.close();
    await world.clock.advance(20_000);
    await closed;
  }
}

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

test("B-8: the outbox is replayed in order after reopening, and nothing twice", () =>
  inWorld(async (world) => {
    const accepted: string[] = [];
    const losses: DurableLoss[] = [];
    const down = (loss: DurableLoss) => void losses.push(loss);
    await kept(world, { outbox: {}, down }, async (durable) => {
      const send = (text: string) => {
        assertEquals(durable.send(text), true);
        accepted.push(text);
      };
      send("before the server is there");
      await world.listen();
      await world.clock.advance(1_000);
      send("while open");
      await settle();
      assertEquals(durable.pendingMessages, 0, "a Pong confirms");
      for (let i = 0; i < 5; i++) {
        world.opened.at(-1)!.terminate();
        await settle();
        send(`while down ${i}`);
        send(`and ${i}`);
        assertEquals(durable.pendingMessages, 2);
        await world.clock.advance(1_000);
        assertEquals(durable.pendingBytes, 0);
      }
      assertEquals(world.received, accepted);
      assertEquals(losses.flatMap(({ inDoubt }) => inDoubt), []);
    });
  }));

/** Sends into a wire that delivers nothing, and cuts it. */
async function loseInDoubt(
  world: World,
  unconfirmed: "drop" | "resend",
): Promise<readonly unknown[]> {
  await world.listen();
  const losses: DurableLoss[] = [];
  const options: DurableOptions = {
    outbox: { unconfirmed },
    down: (loss) => void losses.push(loss),
  };
  await kept(world, options, async (durable) => {
    durable.send("confirmed");
    await settle();
    const wire = world.network.wires.at(-1)!;
    wire.stall();
    durable.send("in doubt 1");
    durable.send(new Uint8Array([105, 110]));
    await settle();
    assertEquals(durable.pendingMessages, 2);
    assertEquals(world.received, ["confirmed"]);
    durable.connection!.terminate();
    await settle();
    durable.send("later");
    await world.clock.advance(1_000);
  });
  return losses[0]!.inDoubt;
}

test('B-8: "drop" tells what is in doubt, and does not send it again', () =>
  inWorld(async (world) => {
    const inDoubt = await loseInDoubt(world, "drop");
    assertEquals(inDoubt, ["in doubt 1", new Uint8Array([105, 110])]);
    assertEquals(world.received, ["confirmed", "later"]);
  }));

test('B-8: "resend" sends what is in doubt again, before the rest', () =>
  inWorld(async (world) => {
    const inDoubt = await loseInDoubt(world, "resend");
    assertEquals(inDoubt.length, 2);
    assertEquals(world.received, [
      "confirmed",
      "in doubt 1",
      "105,110",
      "later",
    ]);
  }));

test("B-8: what is not handed over yet when a connection dies is not in doubt", () =>
  inWorld(async (world) => {
    await world.listen();
    const losses: DurableLoss[] = [];
    const down = (loss: DurableLoss) => void losses.push(loss);
    await kept(world, { outbox: {}, down }, async (durable) => {
      world.network.wires.at(-1)!.stall();
      const texts = Array.from(
        { length: 100 },
        (_, i) => String(i).padEnd(8_000, "."),
      );
      for (const text of texts) assertEquals(durable.send(text), true);
      await settle();
      durable.connection!.terminate();
      await settle();
      const lost = losses[0]!.inDoubt;
      assert(lost.length < 50, `${lost.length} in doubt`);
      await world.clock.advance(1_000);
      assertEquals([...lost, ...world.received], texts);
    });
  }));

test("B-8: the outbox is bounded, in bytes of UTF-8 and in messages", () =>
  inWorld(async (world) => {
    const outbox = { maxBytes: 10, maxMessages: 3 };
    await kept(world, { outbox }, async (durable) => {
      assertEquals(durable.send("ééé"), true);
      assertEquals(durable.pendingBytes, 6);
      assertEquals(durable.send("12345"), false);
      assertEquals(durable.send("1234"), true);
      assertEquals(durable.send(""), true);
      assertEquals(durable.send(""), false);
      await world.listen();
      await world.clock.advance(1_000);
      assertEquals(world.received, ["ééé", "1234", ""]);
      assertEquals(durable.send("0123456789"), true);
    });
    assertEquals(world.received.at(-1), "0123456789");
  }));

test("B-8: the outbox copies bytes", () =>
  inWorld(async (world) => {
    await kept(world, { outbox: {} }, async (durable) => {
      const bytes = new Uint8Array([1, 2]);
      durable.send(bytes);
      bytes.fill(9);
      await world.listen();
      await world.clock.advance(1_000);
      assertEquals(world.received, ["1,2"]);
    });
  }));

test("B-8: without an outbox nothing is accepted while it is down", () =>
  inWorld(async (world) => {
    await kept(world, {}, async (durable) => {
      assertEquals(durable.send("lost"), false);
      await world.listen();
      await world.clock.advance(1_000);
      assertEquals(durable.send("sent"), true);
      await settle();
      assertEquals(world.received, ["sent"]);
      assertEquals(durable.pendingMessages, 0);
    });
  }));

test("B-8: close sends what waits first, and says what was never sent", () =>
  inWorld(async (world) => {
    const down = redial(URL, STEADY).connect({ outbox: {} });
    down.send("never");
    const end = await down.close();
    assertEquals(end, { cause: "closed", unsent: ["never"], inDoubt: [] });
    assertEquals(down.send("after"), false);
    assertEquals(world.clock.pendingTimers, 0);

    await world.listen();
    const open = redial(URL, STEADY).connect({ outbox: {} });
    await settle();
    const texts = Array.from({ length: 50 }, () => "x".repeat(5_000));
    for (const text of texts) open.send(text);
    assertEquals(await open.close(4000, "done"), {
      cause: "closed",
      unsent: [],
      inDoubt: [],
    });
    assertEquals(world.received, texts);
    assertEquals((await world.opened[0]!.closed).code, 4000);
    await open.close();
    await using _idle = open;
  }));

test("B-8: close hands over no more than the send buffer takes", () =>
  inWorld(async (world) => {
    await world.listen();
    const losses: DurableLoss[] = [];
    const dial = { sendMaxBytes: 20_000, compression: false };
    const durable = redial(URL, { ...STEADY, dial }).connect({
      outbox: {},
      down: (loss) => void losses.push(loss),
    });
    await settle();
    const wire = world.network.wires.at(-1)!;
    wire.capacityBytes = 1;
    wire.stall();
    const texts = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(9_000));
    for (const text of texts) durable.send(text);
    const closed = durable.close(4000);
    await settle();
    wire.capacityBytes = 65_536;
    wire.flow();
    await world.clock.advance(1_000);
    const { cause, unsent } = await closed;
    // More would have been 1013, and a peer given up.
    assertEquals([cause, losses[0]!.info.cause], ["closed", "local"]);
    assertEquals((await world.opened[0]!.closed).code, 4000);
    assertEquals(losses[0]!.inDoubt, []);
    assert(unsent.length > 90 && world.received.length > 0);
    assertEquals([...world.received, ...unsent], texts);
  }));

test("B-8: what found no room in the send buffer follows when there is", () =>
  inWorld(async (world) => {
    await world.listen();
    const dial = { sendMaxBytes: 20_000, compression: false };
    const durable = redial(URL, { ...STEADY, dial })
      .connect({ outbox: {}, message: () => {} });
    await settle();
    const wire = world.network.wires.at(-1)!;
    wire.stall();
    wire.capacityBytes = 1;
    // Not by the outbox: it has nothing of its own to wait for.
    durable.connection!.send("x".repeat(30_000));
    assertEquals([durable.send("1"), durable.send("2")], [true, true]);
    await settle();
    wire.capacityBytes = 65_536;
    wire.flow();
    for (let i = 0; i < 3; i++) await settle();
    assertEquals(world.received.slice(1), ["1", "2"]);
    assertEquals(durable.pendingMessages, 0);
    assertEquals((await durable.close()).unsent, []);
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

test("B-8: what is in doubt is told when a hook throws, too", () =>
  inWorld(async (world) => {
    await world.listen();
    for (const unconfirmed of ["drop", "resend"] as const) {
      const durable = redial(URL, STEADY).connect({
        outbox: { unconfirmed },
        message: () => {
          // Neither that nor a Close frame arrives any more.
          world.network.wires.at(-1)!.stall();
          durable.send("in doubt");
          throw new Error("hook");
        },
      });
      await settle();
      world.opened.at(-1)!.send("now");
      await world.clock.advance(20_000);
      const { cause, unsent, inDoubt } = await durable.closed;
      assertEquals(cause, "failed");
      assertEquals([inDoubt, unsent], [
        ["in doubt"],
        unconfirmed === "resend" ? ["in doubt"] : [],
      ]);
    }
  }));

test("B-8: a Close that crosses ours confirms nothing", () =>
  inWorld(async (world) => {
    await world.listen();
    const losses: DurableLoss[] = [];
    const durable = redial(URL, STEADY).connect({
      outbox: {},
      down: (loss) => void losses.push(loss),
    });
    await settle();
    const server = world.opened.at(-1)!;
    durable.send("which way?");
    void server.close(1012);
    await durable.close();
    const { info, inDoubt } = losses[0]!;
    assertEquals([info.cause, info.code, info.wasClean], ["local", 1012, true]);
    assertEquals(inDoubt, ["which way?"]);
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

test("B-8: send refuses what cannot be sent at once, also while it is down", () =>
  inWorld(async (world) => {
    await kept(world, { outbox: {}, message: () => {} }, async (durable) => {
      assertThrows(() => durable.send(5 as unknown as string), TypeError);
      const options = { compressed: true } as object;
      assertThrows(() => durable.send("", options), TypeError, "compressed");
      assertThrows(() => durable[Symbol.asyncIterator](), TypeError, "message");
      assertEquals(durable.pendingMessages, 0);
      await settle();
    });
  }));
