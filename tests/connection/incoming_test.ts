/** Messages in pieces that a hook takes: `stream` (AB21, WS32). */
import { Handler, type StreamedMessage } from "../../connection.ts";
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
import { all, handled, more } from "./pieces.ts";
import { close, Rig, settle } from "./rig.ts";

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
