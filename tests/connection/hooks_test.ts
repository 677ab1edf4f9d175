/** Order of the hooks, and what they may do (HD-2, HD-4). */
import { ClosedError, Handler } from "../../connection.ts";
import { FakeClock } from "../../testing.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { close, Rig, settle } from "./rig.ts";

test("open, messages, close: in order, once each", async () => {
  await using rig = Rig.spied({});
  rig.send("a", { opcode: "ping", payload: "x" }, "b", { opcode: "pong" });
  rig.send("c", close());
  await settle();
  assertEquals(rig.sent, ["pong", "close 1000"]);
  rig.far.end();
  await rig.closed();
  await settle();
  assertEquals(rig.spy.calls, [
    "open",
    "message a",
    "ping 1 B",
    "message b",
    "pong 0 B",
    "message c",
    "close peer",
  ]);
});

test("what is sent before open arrives first", async () => {
  await using rig = new Rig();
  rig.connection.send("constructor");
  await using other = Rig.spied({ open: (c) => c.send("open") });
  await settle();
  assertEquals([rig.sent, other.sent], [["constructor"], ["open"]]);
});

test("async hooks do not overlap", async () => {
  const rest = () => new Promise((resolve) => setTimeout(resolve, 1));
  await using rig = Rig.spied({
    open: rest,
    message: rest,
    ping: rest,
    close: rest,
  });
  rig.send("a", "b", { opcode: "ping" }, "c");
  rig.send("d", close());
  rig.far.end();
  await rig.closed();
  while (!rig.spy.calls.includes("close peer")) await rest();
  assertEquals(rig.spy.calls, [
    "open",
    "message a",
    "message b",
    "ping 0 B",
    "message c",
    "message d",
    "close peer",
  ]);
  assertEquals(rig.spy.overlaps, []);
  await rest();
});

test("what hooks send while one chunk is handled leaves in one write", async () => {
  await using rig = Rig.spied({ message: (c, data) => c.send(data) });
  rig.send(...Array.from({ length: 100 }, (_, i) => `${i}`));
  await settle();
  assertEquals([rig.sent.length, rig.near.writes], [100, 1]);
});

test("answers of a for await loop leave in one write", async () => {
  await using rig = Rig.running(async (connection) => {
    for await (const message of connection) connection.send(message);
  });
  rig.send(...Array.from({ length: 15 }, (_, i) => `${i}`));
  await settle();
  assertEquals([rig.sent.length, rig.near.writes], [15, 1]);
});

test("answers of async hooks to one chunk leave in one write", async () => {
  await using rig = Rig.spied({
    message: async (c, data) => {
      await undefined;
      c.send(data);
    },
  });
  rig.send(...Array.from({ length: 15 }, (_, i) => `${i}`));
  await settle();
  assertEquals([rig.sent.length, rig.near.writes], [15, 1]);
});

test("HD-4: close inside message, in a chunk with more", async () => {
  // Regression: the peer's Close frame in the same chunk made the next hook start
  // inside the one that called close().
  await using rig = Rig.spied({ message: (c) => void c.close(3000) });
  rig.send("a", "b", close());
  rig.far.end();
  const info = await rig.closed();
  assertEquals(rig.spy.calls, [
    "open",
    "message a",
    "message b",
    "close local",
  ]);
  assertEquals(rig.spy.overlaps, []);
  assertEquals([info.cause, info.wasClean], ["local", true]);
  assertEquals(rig.sent, ["close 3000"]);
});

test("HD-4: send inside close does nothing", async () => {
  const results: unknown[] = [];
  await using rig = Rig.spied({
    close: (c) => {
      results.push(c.readyState, c.send("x"), c.bufferedAmount);
      c.terminate();
      results.push(c.close());
    },
  });
  rig.send(close());
  rig.far.end();
  const info = await rig.closed();
  await settle();
  assertEquals(results.slice(0, 3), [3, false, 0]);
  assertEquals(await results[3], info);
  assertEquals(rig.sent, ["close 1000"]);
  assertEquals(rig.spy.calls, ["open", "close peer"]);
});

test("HD-4: close inside open", async () => {
  await using rig = Rig.spied({
    open: (c) => {
      c.send("hello");
      void c.close(3000, "no");
      c.send("dropped");
    },
  });
  rig.send("a", close(3000));
  rig.far.end();
  await rig.closed();
  assertEquals(rig.sent, ["hello", "close 3000"]);
  assertEquals(rig.spy.calls.at(-1), "close local");
});

test("HD-4: terminate inside drain, and a drain comes after the hook", async () => {
  await using rig = Rig.spied({
    message: (c) => {
      assertEquals(c.send(new Uint8Array(2000)), false);
      // Now so much that it is sent and taken at once, inside this hook.
      c.send(new Uint8Array(100_000));
      c.send(new Uint8Array(10));
    },
    drain: (c) => c.terminate(),
  }, { sendHighWaterBytes: 1000 });
  rig.send("a");
  await settle();
  const info = await rig.closed();
  assertEquals([info.cause, info.code], ["local", 1006]);
  assertEquals(rig.spy.calls, ["open", "message a", "drain", "close local"]);
  assertEquals(rig.spy.overlaps, []);
});

test("HD-4: receive() inside a hook takes nothing out of turn", async () => {
  const received: unknown[] = [];
  const rig = new Rig();
  class Taker extends Handler {
    depth = 0;
    override ping(): void {
      assertEquals(this.depth++, 0);
      void this.connection.receive().then((data) => received.push(data));
      this.depth--;
    }
  }
  rig.connection.handle(new Taker(rig.connection));
  rig.send({ opcode: "ping" }, { opcode: "ping" }, "a", "b");
  await settle();
  assertEquals(received, ["a", "b"]);
  await rig[Symbol.asyncDispose]();
});

test("await close() inside an async message hook returns", async () => {
  let info: unknown;
  await using rig = Rig.spied({
    message: async (c) => {
      info = await c.close(3000);
    },
  });
  rig.send("a", "b");
  await settle();
  assertEquals(rig.sent, ["close 3000"]);
  rig.send(close(3000));
  await settle();
  // The server ends first (RFC 6455, section 7.1.1), so it has seen the answer.
  assertEquals(rig.near.ended, true);
  rig.far.end();
  const closed = await rig.closed();
  assertEquals([closed.wasClean, closed.cause], [true, "local"]);
  await settle();
  assertEquals(info, closed);
  assertEquals(rig.spy.calls, [
    "open",
    "message a",
    "message b",
    "close local",
  ]);
  assertEquals(rig.spy.overlaps, []);
});

test("await close() when the peer has closed already returns", async () => {
  await using rig = Rig.spied({
    message: async (c) => {
      await settle(); // meanwhile the peer's Close frame arrives
      await c.close(3000);
    },
  });
  rig.send("a", close(1001));
  rig.far.end();
  const info = await rig.closed();
  assertEquals([info.code, info.wasClean], [1001, true]);
  assertEquals(rig.sent, ["close 3000"]);
});

test("what an async hook sends after the peer's Close has arrived still leaves", async () => {
  await using rig = Rig.spied({
    message: async (c) => {
      await settle();
      assertEquals(c.send("answer"), true);
    },
  });
  rig.send("question", close());
  await settle();
  await settle();
  assertEquals(rig.sent, ["answer", "close 1000"]);
});

test("what a loop sends after the peer's Close has arrived still leaves", async () => {
  await using rig = Rig.running(async (connection) => {
    for await (const message of connection) {
      await settle();
      connection.send(`re: ${message}`);
    }
  });
  rig.send("a", "b", close());
  for (let i = 0; i < 6; i++) await settle();
  assertEquals(rig.sent, ["re: a", "re: b", "close 1000"]);
});

test("HD-2: a hook that never settles delays the end no longer than closeTimeoutMs", async () => {
  await using rig = Rig.spied(
    { message: () => new Promise(() => {}) },
    { closeTimeoutMs: 60 },
  );
  rig.send("a", "b", close(1001));
  rig.far.end();
  const info = await rig.closed();
  assertEquals([info.code, info.cause, info.wasClean], [1001, "peer", true]);
  assertEquals(rig.sent, ["close 1001"]);
  assertEquals(rig.spy.calls, ["open", "message a"]);
});

test("HD-2: the peer's Close is answered before a peer with the same timeout gives up", async () => {
  const never = new Promise(() => {});
  using clock = new FakeClock();
  await using rig = Rig.running(async (connection) => {
    await connection.receive();
    await never; // takes no more messages, and does not say so
  }, { closeTimeoutMs: 400 });
  rig.send("a");
  await settle();
  rig.send(close());
  await clock.advance(350);
  assertEquals(rig.sent, ["close 1000"]);
  rig.far.end();
  assertEquals((await rig.closed()).wasClean, true);
});

test("HD-2: nor when the peer just goes away", async () => {
  await using rig = Rig.spied(
    { open: () => new Promise(() => {}) },
    { closeTimeoutMs: 60 },
  );
  rig.send("a");
  rig.far.end();
  const info = await rig.closed();
  assertEquals([info.code, info.wasClean], [1006, false]);
});

test("an async error hook ends before close begins", async () => {
  await using rig = Rig.spied({
    message: () => Promise.reject(new Error("first")),
    error: async () => {
      for (let i = 0; i < 5; i++) await settle();
    },
  });
  rig.send("a");
  await settle();
  rig.send(close(1011));
  rig.far.end();
  await rig.closed();
  while (!rig.spy.calls.includes("close local")) await settle();
  assertEquals(rig.spy.overlaps, []);
});

test("a breach is told to the error hook, after the messages before it", async () => {
  await using rig = Rig.spied({});
  rig.send("a", { rsv: 1, payload: "b" }, "c");
  await settle();
  assertEquals(rig.sent, ["close 1002"]);
  rig.far.end();
  await rig.closed();
  assertEquals(rig.spy.calls.slice(0, 2), ["open", "message a"]);
  assert(rig.spy.calls[2]!.startsWith("error "));
  assertEquals(rig.spy.calls.slice(3), ["close protocol-error"]);
});

test("receive() is not for a handler with a message hook", async () => {
  await using rig = Rig.spied({});
  await assertRejects(() => rig.connection.receive(), TypeError);
});

test("the answer to a function's Close is seen although it takes no more messages", async () => {
  await using rig = Rig.running(async (connection) => {
    await connection.receive();
  });
  rig.send("a");
  await settle();
  assertEquals(rig.sent, ["close 1000"]);
  rig.send("b", close());
  await settle();
  assertEquals(rig.near.ended, true);
  rig.far.end();
  const info = await rig.closed();
  assertEquals([info.wasClean, info.cause], [true, "local"]);
});

test("hooks of a handler that takes messages do not overlap either", async () => {
  const log: string[] = [];
  let isInside = false;
  const note = async (name: string) => {
    log.push(isInside ? `${name} overlaps` : name);
    isInside = true;
    await settle();
    isInside = false;
  };
  class Taker extends Handler {
    override open = () => note("open");
    override ping = () => note("ping");
    override pong = () => note("pong");
    override close = () => note("close");
  }
  await using rig = new Rig();
  rig.connection.handle(new Taker(rig.connection));
  rig.send({ opcode: "ping" }, "a", { opcode: "pong" }, { opcode: "ping" });
  assertEquals(await rig.connection.receive(), "a");
  const end = assertRejects(() => rig.connection.receive(), ClosedError);
  rig.send(close());
  rig.far.end();
  await rig.closed();
  await end;
  while (!log.at(-1)!.startsWith("close")) await settle();
  await settle();
  // Messages do not wait for hooks here, and of Pings the latest counts.
  assertEquals([log[0], log.at(-2), log.at(-1)], ["open", "ping", "close"]);
  assert(!log.join().includes("overlaps"), log.join());
});

test("WS35: a Pong that is told of late answers no Ping sent since", async () => {
  const gate = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  class Taker extends Handler {
    override open = () => gate.promise;
    override pong = () => told.resolve();
  }
  await using rig = new Rig();
  rig.connection.handle(new Taker(rig.connection));
  const payload = Uint8Array.of(1);
  const first = rig.connection.ping(payload);
  rig.send({ opcode: "pong", payload });
  await within(first, "the Pong");
  let isAnswered = false;
  const note = () => void (isAnswered = true);
  rig.connection.ping(payload).then(note, () => {});
  gate.resolve();
  await within(told.promise, "the hook");
  await settle();
  assertEquals(isAnswered, false);
});

test("a function's end closes with 1000, its exception with 1011", async () => {
  for (
    const [body, code] of [
      [() => {}, 1000],
      [() => Promise.reject(new Error("x")), 1011],
      [() => {
        throw new Error("x");
      }, 1011],
    ] as const
  ) {
    await using rig = Rig.running(body);
    await settle();
    assertEquals(rig.sent, [`close ${code}`]);
    assertEquals(rig.reported.length, code === 1011 ? 1 : 0);
  }
});

test("a peer that goes away is no failure of the function's", async () => {
  let error: unknown;
  await using rig = Rig.running(async (connection) => {
    await connection.receive().catch((caught) => {
      error = caught;
      throw caught;
    });
  });
  rig.far.destroy();
  await rig.closed();
  await settle();
  assert(error instanceof ClosedError);
  assertEquals(rig.reported, []);
});

test("HD-4: terminate inside message drops the messages behind it", async () => {
  await using rig = Rig.spied({ message: (c) => c.terminate() });
  rig.send("a", "b", "c");
  await rig.closed();
  await settle();
  assertEquals(rig.spy.calls, ["open", "message a", "close local"]);
});
