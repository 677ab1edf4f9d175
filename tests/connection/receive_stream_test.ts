/** Messages in pieces that are asked for: `receiveStream()` (AB21, WS32). */
import { Handler } from "../../connection.ts";
import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";
import { hex } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { all, closedError, more } from "./pieces.ts";
import { close, Rig, settle } from "./rig.ts";

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
