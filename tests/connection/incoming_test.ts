/** Messages in pieces: the `stream` hook, and `receiveStream()` (AB21, WS32). */
import {
  callbackHandler,
  ClosedError,
  type Connection,
  type ConnectionOptions,
  Handler,
  type HandlerCallbacks,
  loadCompression,
  messageTransform,
  type StreamedMessage,
} from "../../connection.ts";
import { deflateRawSync } from "node:zlib";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";
import { concat, hex } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import type { FrameOptions } from "../harness/frame.ts";
import { close, Rig, settle } from "./rig.ts";

/** A rig with callbacks. */
function handled(
  callbacks: HandlerCallbacks,
  options?: ConnectionOptions,
): Rig {
  const rig = new Rig(options);
  const handler = callbackHandler("test", callbacks);
  rig.connection.handle(new handler(rig.connection));
  return rig;
}

/** Takes all of a message; its chunks joined. */
async function all(message: StreamedMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) {
    text += typeof chunk === "string" ? chunk : `<${chunk.join()}>`;
  }
  return text;
}

/** What a promise rejects with; fails where it does not. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await within(
    promise.then(
      () => {
        throw new Error("It did not reject");
      },
      (error) => error,
    ),
    "the rejection",
  );
}

async function closedError(promise: Promise<unknown>): Promise<ClosedError> {
  const error = await failure(promise);
  assert(error instanceof ClosedError, `${error}`);
  return error;
}

const more = (payload: string | Uint8Array, fin = false): FrameOptions => ({
  opcode: "continuation",
  payload,
  fin,
});

test("AB21: stream() gets text and bytes, before the frame is complete", async () => {
  const seen: unknown[] = [];
  class Streams extends Handler {
    override async stream(message: StreamedMessage): Promise<void> {
      seen.push(message.binary);
      for await (const chunk of message) seen.push(chunk);
      seen.push("end");
    }
    override message(): void {
      seen.push("message");
    }
  }
  await using rig = new Rig();
  rig.connection.handle(new Streams(rig.connection));
  // Text of 10 bytes, of which six have come.
  rig.far.write(concat(hex("81 8a 00 00 00 00"), "abcdef"));
  await settle();
  assertEquals(seen, [false, "abcdef"]);
  rig.far.write(concat("ghij"));
  await settle();
  rig.send({ opcode: "binary", payload: hex("01 02"), fin: false });
  await settle();
  rig.send(more(hex("03"), true), "");
  await settle();
  assertEquals(seen, [
    ...[false, "abcdef", "ghij", "end"],
    ...[true, hex("01 02"), hex("03"), "end"],
    ...[false, "end"],
  ]);
  assertStrictEquals(rig.connection.stats.messagesReceived, 3);
});

test("AB21: stream() as a callback, with the connection first", async () => {
  const seen: string[] = [];
  await using rig = handled({
    async stream(connection, message) {
      seen.push(connection.request.url, await all(message));
    },
  });
  rig.send("one", { payload: "t", fin: false }, more("wo", true));
  await settle();
  assertEquals(seen, ["ws://test/", "one", "ws://test/", "two"]);
  await assertRejects(() => rig.connection.receive(), TypeError, "by a hook");
  await assertRejects(() => rig.connection.receiveStream(), TypeError);
});

test("the next message waits until the hook is done with the one before", async () => {
  const seen: string[] = [];
  const gates = [0, 1].map(() => Promise.withResolvers<void>());
  await using rig = handled({
    async stream(_, message) {
      seen.push("begin");
      seen.push(await all(message));
      await gates.shift()!.promise;
      seen.push("end");
    },
    pong: () => void seen.push("pong"),
  });
  const [first, second] = gates;
  rig.send("a", { opcode: "pong", payload: "" }, "b");
  await settle();
  assertEquals(seen, ["begin", "a"]);
  first!.resolve();
  await settle();
  assertEquals(seen, ["begin", "a", "end", "pong", "begin", "b"]);
  second!.resolve();
  await settle();
});

test("WS32: leaving a message early discards the rest, and harms nothing", async () => {
  const seen: unknown[] = [];
  await using rig = handled({
    async stream(_, message) {
      for await (const chunk of message) {
        seen.push(chunk);
        if (chunk === "one") break;
      }
      await settle();
      seen.push("done");
    },
  });
  rig.send({ payload: "one", fin: false });
  await settle();
  rig.send(more("x".repeat(100_000)), more("two", true), "next");
  await settle();
  await settle();
  await settle();
  assertEquals(seen, ["one", "done", "next", "done"]);
  assertStrictEquals(rig.connection.readyState, 1);
  assertStrictEquals(rig.connection.stats.messagesReceived, 2);
});

test("a message that the hook does not read is discarded", async () => {
  let count = 0;
  const late: StreamedMessage[] = [];
  await using rig = handled({
    stream(_, message) {
      late.push(message);
      return ++count % 2 === 0 ? Promise.resolve() : undefined;
    },
  });
  rig.send({ payload: "a", fin: false });
  await settle();
  rig.send(more("b", true), "c", "d");
  await settle();
  assertStrictEquals(count, 3);
  for (const message of late) {
    assertThrows(() => message[Symbol.asyncIterator](), TypeError, "discarded");
    const read = () => message.readable.getReader().read();
    await assertRejects(read, TypeError, "Cannot read the message");
    await assertRejects(() => message.whole(), TypeError);
  }
});

test("a reader that the hook does not wait for is waited for all the same", async () => {
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  await using rig = handled({
    stream(_, message) {
      seen.push("begin");
      void (async () => {
        const chunks = message[Symbol.asyncIterator]();
        await gate.promise;
        for (let next = await chunks.next(); !next.done;) {
          seen.push(`${next.value}`);
          next = await chunks.next();
        }
      })();
    },
    ping: () => Promise.resolve(),
  });
  rig.send({ payload: "a", fin: false }, { opcode: "ping" }, more("b", true));
  rig.send("c");
  await settle();
  assertEquals(seen, ["begin"]);
  gate.resolve();
  await settle();
  await settle();
  assertEquals(seen, ["begin", "a", "begin", "b", "c"]);
});

test("a stream hook that throws closes with 1011, and takes no more", async () => {
  for (const when of ["at once", "in a loop", "while it waits"]) {
    let count = 0;
    await using rig = handled({
      stream(_, message) {
        count++;
        if (when === "at once") throw new Error("mine");
        return (async () => {
          if (when === "while it waits") {
            const chunks = message[Symbol.asyncIterator]();
            await chunks.next();
            throw new Error("mine");
          }
          for await (const _ of message) throw new Error("mine");
        })();
      },
    });
    rig.send({ payload: "a", fin: false });
    await settle();
    rig.send(more("b", true), "c", close(1011));
    rig.far.end();
    const info = await rig.closed();
    assertEquals([info.cause, info.sent?.code], ["local", 1011]);
    assertEquals(rig.reported.map(String), ["Error: mine"]);
    assertStrictEquals(count, 1);
    assertEquals(rig.sent, ["close 1011"]);
  }
});

test("Pings in between are answered, and told of; round trips are measured", async () => {
  const seen: string[] = [];
  await using rig = handled({
    stream: async (_, message) => void seen.push(await all(message)),
    ping: () => void seen.push("ping"),
  });
  const trip = rig.connection.ping(hex("07"));
  rig.send({ payload: "a", fin: false });
  rig.send({ opcode: "pong", payload: hex("07") });
  rig.send({ opcode: "ping", payload: "?" });
  assert(await within(trip, "the Pong") >= 0);
  assertEquals(rig.sent, ["ping", "pong"]);
  rig.send(more("b", true));
  await settle();
  assertEquals(seen, ["ab", "ping"]);
});

test("an end during a message is a ClosedError, and no failure of the hook's", async () => {
  const ends: [string, (rig: Rig) => void, number, string][] = [
    ["Close", (rig) => rig.send(close(1000)), 1000, "peer"],
    ["bad text", (rig) => rig.send(more(hex("ff"))), 1006, "protocol-error"],
    ["too big", (rig) => rig.send(more("x".repeat(200))), 1006, "too-big"],
    ["FIN", (rig) => rig.far.end(), 1006, "transport-error"],
    ["drop", (rig) => rig.far.destroy(), 1006, "transport-error"],
    ["terminate", (rig) => rig.connection.terminate(), 1006, "local"],
  ];
  for (const [what, end, code, cause] of ends) {
    const seen: unknown[] = [];
    let thrown: unknown;
    await using rig = handled({
      async stream(_, message) {
        try {
          for await (const chunk of message) seen.push(chunk);
        } catch (error) {
          thrown = error;
          throw error;
        }
      },
      close: (_, { code, cause }) => void seen.push(code, cause),
    }, { maxStreamBytes: 100, maxMessageBytes: 1 });
    rig.send({ payload: "part", fin: false });
    await settle();
    end(rig);
    await settle();
    rig.far.end();
    await rig.closed();
    await settle();
    assert(thrown instanceof ClosedError, `${what}: ${thrown}`);
    assertStrictEquals(thrown.info, await rig.connection.closed);
    assertEquals(seen, ["part", code, cause], what);
    assertEquals(rig.reported, [], what);
  }
});

test("reading pauses while chunks are not taken, and goes on with them", async () => {
  const chunks: AsyncIterator<unknown>[] = [];
  const done = Promise.withResolvers<void>();
  await using rig = handled({
    stream(_, message) {
      chunks.push(message[Symbol.asyncIterator]());
      return done.promise;
    },
  }, { maxStreamBytes: Infinity, receiveHighWaterBytes: 10_000 });
  const { link } = rig.connection;
  rig.send({ opcode: "binary", length: 1_000_000, payload: new Uint8Array(0) });
  let taken = 0;
  for (let at = 0; at < 1_000_000; at += 20_000) {
    rig.far.write(new Uint8Array(20_000));
    await settle();
    assertStrictEquals(link.isPaused, true, `at ${at}`);
    const { value } = await within(chunks[0]!.next(), "a chunk");
    taken += (value as Uint8Array).length;
    await settle();
    assertStrictEquals(link.isPaused, false, `at ${at}`);
  }
  assertStrictEquals(taken, 1_000_000);
  assertEquals(await chunks[0]!.next(), { done: true, value: undefined });
  done.resolve();
});

test("AB21: receiveStream() takes one message after the other", async () => {
  await using rig = new Rig();
  const first = rig.connection.receiveStream();
  rig.send({ payload: "a", fin: false }, more("b"));
  const message = await within(first, "a message");
  assertStrictEquals(message.binary, false);
  const second = rig.connection.receiveStream();
  const text = all(message);
  await settle();
  rig.send(more("c", true), { opcode: "binary", payload: hex("09") });
  assertStrictEquals(await within(text, "the text"), "abc");
  assertStrictEquals(await all(await second), "<9>");
});

test("a Close during a message is answered while its reader waits", async () => {
  await using rig = new Rig();
  const first = rig.connection.receiveStream();
  rig.send({ payload: "a", fin: false });
  const text = all(await first);
  text.catch(() => {});
  await settle();
  rig.send(close(1000));
  await settle();
  assertEquals(rig.sent, ["close 1000"]);
  await closedError(text);
});

test("a FIN during a message is answered as soon as its reader waits", async () => {
  const gate = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  await using rig = handled({
    async stream(_, message) {
      const chunks = message[Symbol.asyncIterator]();
      await chunks.next();
      await gate.promise;
      await chunks.next().catch(ended.resolve);
    },
  });
  rig.send({ payload: "a", fin: false });
  await settle();
  rig.far.end();
  await settle();
  assertStrictEquals(rig.connection.link.isClosed, false);
  gate.resolve();
  await within(ended.promise, "the error", 8_000);
  assertStrictEquals(rig.connection.link.isClosed, true);
});

test("many pieces in one read stop nothing, where they are taken", async () => {
  let count = 0;
  await using rig = handled({
    async stream(_, message) {
      for await (const _ of message) count++;
    },
  });
  let pauses = 0;
  const { near } = rig;
  const pause = near.pause.bind(near);
  near.pause = () => {
    pauses++;
    pause();
  };
  rig.send(
    { payload: "a", fin: false },
    ...Array.from({ length: 98 }, () => more("b")),
    more("c", true),
  );
  await settle();
  assertEquals([count, pauses], [100, 0]);
});

test("a handler without hooks may ask for pieces from the first on", async () => {
  for (const maxStreamBytes of [undefined, 1_000]) {
    const options = maxStreamBytes === undefined ? {} : { maxStreamBytes };
    await using rig = new Rig(options);
    class Quiet extends Handler {}
    rig.connection.handle(new Quiet(rig.connection));
    rig.send({ payload: "a", fin: false });
    await settle();
    const first = rig.connection.receiveStream();
    await settle();
    rig.send(more("b", true));
    const chunks: unknown[] = [];
    for await (const chunk of await first) chunks.push(chunk);
    assertEquals(chunks, maxStreamBytes === undefined ? ["ab"] : ["a", "b"]);
  }
});

test("what has come whole before is one piece", async () => {
  await using rig = new Rig();
  rig.send("whole", "", { opcode: "binary", payload: hex("01") }, "left");
  await settle();
  assertStrictEquals(await all(await rig.connection.receiveStream()), "whole");
  assertStrictEquals(await all(await rig.connection.receiveStream()), "");
  const last = await rig.connection.receiveStream();
  assertEquals([last.binary, await last.whole()], [true, hex("01")]);
  const left = (await rig.connection.receiveStream())[Symbol.asyncIterator]();
  await left.return!();
  assertEquals(await left.next(), { done: true, value: undefined });
});

test("receive() and receiveStream() take turns, from the first message on", async () => {
  for (const isLoop of [false, true]) {
    const seen: unknown[] = [];
    const options = { maxStreamBytes: Infinity, maxMessageBytes: 10 };
    await using rig = Rig.running(async (connection) => {
      seen.push(
        isLoop
          ? (await connection[Symbol.asyncIterator]().next()).value
          : await connection.receive(),
      );
      for await (const chunk of await connection.receiveStream()) {
        seen.push(chunk.length);
      }
      seen.push(await connection.receive());
      connection.send("ok");
      seen.push(await connection.receive());
    }, options);
    rig.send("name", { opcode: "binary", payload: new Uint8Array(5_000) });
    rig.send({ opcode: "binary", payload: hex("01"), fin: false });
    rig.send(more(hex("02"), true));
    await settle();
    assertEquals(seen, ["name", 5_000, hex("01 02")]);
    // What is put together has the limit of messages.
    rig.send("elevenbytes");
    await settle();
    assertEquals(rig.sent, ["ok", "close 1009"]);
    rig.send(close(1009));
    rig.far.end();
    const { cause, error } = await rig.closed();
    assertEquals([cause, error?.message], [
      "too-big",
      "the message is too big",
    ]);
    assertEquals(rig.reported, []);
  }
});

test("a loop over whole messages ends with an ordinary close, mid-message too", async () => {
  for (const code of [1000, 1011]) {
    await using rig = new Rig({ maxStreamBytes: Infinity });
    rig.connection.offerPieces();
    const messages = rig.connection[Symbol.asyncIterator]();
    rig.send("a", { payload: "b", fin: false }, close(code));
    assertEquals((await messages.next()).value, "a");
    if (code === 1000) assertEquals((await messages.next()).done, true);
    else {assertStrictEquals(
        (await closedError(messages.next())).info.code,
        code,
      );}
  }
});

test("WS32: a message that is not wanted is left, and the next one comes", async () => {
  await using rig = new Rig();
  const first = rig.connection.receiveStream();
  rig.send({ payload: "a", fin: false });
  const chunks = (await first)[Symbol.asyncIterator]();
  assertEquals(await chunks.next(), { done: false, value: "a" });
  const pending = chunks.next();
  assertEquals(await chunks.return!(), { done: true, value: undefined });
  assertEquals(await pending, { done: true, value: undefined });
  const next = rig.connection.receiveStream();
  rig.send(more("rest"), more("", true), "next");
  assertStrictEquals(await all(await within(next, "the next")), "next");
});

test("readable takes what is read, and cancelling it discards the rest", async () => {
  await using rig = new Rig();
  const first = rig.connection.receiveStream();
  rig.send({ payload: "a", fin: false });
  const message = await first;
  assertStrictEquals(message.readable, message.readable);
  const reader = message.readable.getReader();
  assertEquals(await reader.read(), { done: false, value: "a" });
  assertThrows(() => message[Symbol.asyncIterator](), TypeError, "is read");
  await reader.cancel();
  rig.send(more("rest", true), { payload: "b", fin: false });
  const { readable } = await rig.connection.receiveStream();
  rig.send(more("c", true));
  let text = "";
  for await (const chunk of readable) text += chunk;
  assertStrictEquals(text, "bc");
  const third = rig.connection.receiveStream();
  rig.send({ payload: "d", fin: false }, close(1000));
  const rest = (await third).readable.getReader();
  assertEquals(await rest.read(), { done: false, value: "d" });
  assertStrictEquals((await closedError(rest.read())).info.code, 1000);
});

test("readable may be piped by a hook that does not wait, or be looked at only", async () => {
  const seen: unknown[] = [];
  await using rig = handled({
    stream(_, message) {
      const readable = message.readable as ReadableStream<unknown>;
      if (seen.length > 0) {
        return all(message).then((text) => void seen.push(text));
      }
      void readable.pipeTo(
        new WritableStream({ write: (chunk) => void seen.push(chunk) }),
      );
      return undefined;
    },
  });
  rig.send({ payload: "a", fin: false });
  await settle();
  rig.send(more("b", true), "whole");
  await settle();
  assertEquals(seen, ["a", "b", "whole"]);
  const late: ReadableStream[] = [];
  await using slow = handled({
    stream: (_, message) => void late.push(message.readable),
  });
  slow.send({ payload: "a", fin: false });
  await settle();
  slow.send(more("b", true), "next");
  await settle();
  assertStrictEquals(late.length, 1);
  let read = "";
  for await (const chunk of late[0]!) read += chunk;
  assertStrictEquals(read, "ab");
  await settle();
  assertStrictEquals(late.length, 2);

  await using other = new Rig();
  const first = other.connection.receiveStream();
  other.send({ payload: "c", fin: false });
  const message = await first;
  const text = all(message);
  // One that was not read is no matter to who reads.
  await message.readable.cancel();
  other.send(more("d", true));
  assertStrictEquals(await text, "cd");
});

test("whole() has a limit of its own, and refuses what is none", async () => {
  await using rig = new Rig();
  const first = rig.connection.receiveStream();
  rig.send("abc", "abcd");
  const message = await first;
  await assertRejects(() => message.whole("3" as unknown as number), TypeError);
  await assertRejects(() => message.whole(-1), RangeError);
  assertStrictEquals(await message.whole(3), "abc");
  const second = await rig.connection.receiveStream();
  const error = await closedError(second.whole(3));
  assertStrictEquals(error.info.cause, "too-big");
  await settle();
  assertEquals(rig.sent, ["close 1009"]);
});

test("after close() a message that nobody takes does not pile up", async () => {
  const chunks: AsyncIterator<unknown>[] = [];
  await using rig = handled({
    async stream(connection: Connection, message) {
      chunks.push(message[Symbol.asyncIterator]());
      await connection.closed;
    },
  }, { maxStreamBytes: Infinity, receiveHighWaterBytes: 10_000 });
  const { protocol } = rig.connection.link;
  rig.send({ opcode: "binary", payload: new Uint8Array(1), fin: false });
  void rig.connection.close();
  for (let round = 0; round < 100; round++) {
    rig.send(more(new Uint8Array(9_000)));
    await settle();
    assert(
      protocol.pendingEvents <= 2,
      `${protocol.pendingEvents} in ${round}`,
    );
  }
  const pending = chunks[0]!.next();
  rig.send(more("", true), { opcode: "binary", payload: hex("01") }, close());
  assertStrictEquals((await closedError(pending)).info.code, 1000);
});

test("after close() what is dropped is dropped whole, and holds nothing up", async () => {
  await using rig = new Rig({ maxStreamBytes: Infinity });
  rig.connection.offerPieces();
  void rig.connection.close();
  rig.send(...Array.from({ length: 20 }, () => ""));
  await settle();
  for (let i = 0; i < 16; i++) await rig.connection.receiveStream();
  rig.send("late", close());
  rig.far.end();
  await closedError(rig.connection.receiveStream());
  assertStrictEquals((await rig.closed(8_000)).code, 1000);
});

test("a slow reader gets all of a message that was complete before the end", async () => {
  for (const isHook of [true, false]) {
    const gate = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const read = async (message: StreamedMessage) => {
      const chunks = message[Symbol.asyncIterator]();
      seen.push((await chunks.next()).value);
      await gate.promise;
      for (let next; !(next = await chunks.next()).done;) seen.push(next.value);
      seen.push("end");
    };
    const callbacks: HandlerCallbacks = {
      ...(isHook && { stream: (_, message) => read(message) }),
      close: () => void seen.push("close"),
    };
    await using rig = handled(callbacks, { closeTimeoutMs: 20 });
    const first = isHook ? undefined : rig.connection.receiveStream();
    rig.send({ payload: "a", fin: false });
    const done = first?.then(read);
    await settle();
    rig.send(more("b"), more("c", true), close(1000));
    const info = await rig.closed();
    assertEquals([info.code, info.wasClean], [1000, true]);
    await settle();
    // Where nobody is busy with it, the hook does not wait for that.
    assertEquals(seen, isHook ? ["a"] : ["a", "close"]);
    gate.resolve();
    await done;
    await settle();
    const rest = ["b", "c", "end"];
    assertEquals(
      seen,
      isHook ? ["a", ...rest, "close"] : ["a", "close", ...rest],
    );
    if (!isHook) await closedError(rig.connection.receiveStream());
  }
});

/** A rig that has agreed on compression. */
async function compressed(options: ConnectionOptions): Promise<Rig> {
  await loadCompression();
  const settings = {
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    thresholdBytes: 0,
    level: 6,
    memoryLevel: 5,
  };
  const transform = messageTransform("server", settings, settings)!;
  return new Rig(options, {}, "server", transform);
}

function deflated(text: string | Uint8Array): Uint8Array {
  return new Uint8Array(deflateRawSync(concat(text), { finishFlush: 2 }))
    .subarray(0, -4);
}

test("PM-1: of a bomb no more is inflated than is taken", async () => {
  await using rig = await compressed({ maxStreamBytes: Infinity });
  const first = rig.connection.receiveStream();
  const bytes = 50_000_000;
  const payload = deflated(new Uint8Array(bytes));
  rig.send({ opcode: "binary", rsv: 4, payload }, "after");
  const message = await first;
  assert(message.binary);
  let taken = 0;
  let held = 0;
  for await (const chunk of message) {
    taken += chunk.length;
    held = Math.max(held, chunk.length);
  }
  assertStrictEquals(taken, bytes);
  assert(held <= 65_536 + 258);
  assertStrictEquals(await all(await rig.connection.receiveStream()), "after");
});

test("PM-1: a limit holds for what is inflated, and ends it there", async () => {
  await using rig = await compressed({ maxStreamBytes: 100_000 });
  const first = rig.connection.receiveStream();
  const payload = deflated(new Uint8Array(50_000_000));
  rig.send({ opcode: "binary", rsv: 4, payload });
  let taken = 0;
  const message = await first;
  const error = await closedError((async () => {
    for await (const chunk of message) taken += chunk.length;
  })());
  assert(taken <= 100_000);
  assertStrictEquals(error.info.cause, "too-big");
  assertEquals(rig.sent, ["close 1009"]);
});

test("a compressed message that was complete can be taken after the end", async () => {
  await using rig = await compressed({ closeTimeoutMs: 20 });
  const first = rig.connection.receiveStream();
  rig.send({ rsv: 4, payload: deflated("first ".repeat(20_000)) });
  rig.send({ rsv: 4, payload: deflated("second"), fin: true });
  const message = await first;
  await settle();
  rig.send(close(1000));
  assertStrictEquals((await rig.closed()).wasClean, true);
  assertStrictEquals((await all(message)).length, 120_000);
  assertStrictEquals(await all(await rig.connection.receiveStream()), "second");
});

test("broken compression, and bad text in it, end a message", async () => {
  for (
    const [payload, code] of [
      [hex("ff ff ff"), 1007],
      [deflated(hex("61 ff")), 1007],
    ] as const
  ) {
    await using rig = await compressed({});
    const first = rig.connection.receiveStream();
    rig.send({ rsv: 4, payload, fin: false });
    const error = await closedError(all(await first));
    assertStrictEquals(error.info.cause, "protocol-error");
    assertEquals(rig.sent, [`close ${code}`]);
  }
});
