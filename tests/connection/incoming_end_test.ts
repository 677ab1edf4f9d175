/** Messages in pieces, and ends of the connection in the middle of them (AB21). */
import {
  ClosedError,
  type Connection,
  type HandlerCallbacks,
  type StreamedMessage,
} from "../../connection.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { hex } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { all, closedError, handled, more } from "./pieces.ts";
import { close, Rig, settle } from "./rig.ts";

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
