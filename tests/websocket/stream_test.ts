/** `WebSocketStream`, after the tests of the web platform for it. */
import { HandshakeError } from "../../client.ts";
import { WebSocketError, WebSocketStream } from "../../websocket.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { frame } from "../harness/frame.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { pause } from "../site/served.ts";
import { assertRejectsAs, assertThrowsDom, testOurs } from "./shapes.ts";

testOurs(
  "stream: messages go and come, text and bytes, which are copied",
  async (base) => {
    const stream = new WebSocketStream(`${base}/echo`);
    assertEquals(stream.url, `${base}/echo`);
    const { readable, writable, protocol, extensions } = await stream.opened;
    assertEquals(protocol, "");
    assertMatch(extensions, /^permessage-deflate\b/);
    const reader = readable.getReader();
    const writer = writable.getWriter();
    const bytes = Uint8Array.of(1, 2, 3);
    await writer.write("text");
    await writer.write(bytes.subarray(1));
    bytes.fill(0);
    await writer.write(new Uint8Array([7]).buffer);
    assertEquals((await reader.read()).value, "text");
    assertEquals([...(await reader.read()).value as Uint8Array], [2, 3]);
    assertEquals([...(await reader.read()).value as Uint8Array], [7]);
    stream.close({ closeCode: 3456, reason: "pizza" });
    assertEquals(await stream.closed, { closeCode: 3456, reason: "pizza" });
    assertEquals((await reader.read()).done, true);
    await assertRejectsAs("InvalidStateError", writer.write("late"));
    await assertRejectsAs("InvalidStateError", writer.closed);
  },
);

testOurs("stream: protocols, and arguments that are wrong", async (base) => {
  const protocols = ["chat"];
  const stream = new WebSocketStream(`${base}/protocols`, { protocols });
  assertEquals((await stream.opened).protocol, "chat");
  assertThrows(() => stream.close(true as never), TypeError);
  for (const closeCode of [999, 1001, 2999, 5000]) {
    assertThrowsDom("InvalidAccessError", () => stream.close({ closeCode }));
  }
  const reason = ".".repeat(124);
  assertThrowsDom("SyntaxError", () => stream.close({ reason }));
  stream.close();
  await stream.closed;
  assertThrowsDom("SyntaxError", () => new WebSocketStream("about:blank"));
  assertThrowsDom(
    "SyntaxError",
    () => new WebSocketStream(base, { protocols: ["a", "a"] }),
  );
});

testOurs(
  "stream: what close() is given, and what is received",
  async (base) => {
    const cases = [
      [undefined, 1005, ""],
      [{}, 1005, ""],
      [{ reason: "" }, 1005, ""],
      [{ reason: "non-empty" }, 1000, "non-empty"],
      [{ closeCode: 3000 }, 3000, ""],
    ] as const;
    for (const [info, closeCode, reason] of cases) {
      const stream = new WebSocketStream(`${base}/echo`);
      await stream.opened;
      stream.close(info);
      assertEquals(await stream.closed, { closeCode, reason });
    }
  },
);

testOurs("stream: close during the handshake rejects both", async (base) => {
  const stream = new WebSocketStream(`${base}/echo`);
  stream.close();
  await assertRejectsAs("WebSocketError", stream.opened);
  await assertRejectsAs("WebSocketError", stream.closed);
});

testOurs("stream: a refusal rejects both, and says why", async (base) => {
  const stream = new WebSocketStream(`${base}/nothing-here`);
  const error = await assertRejectsAs("WebSocketError", stream.opened);
  assert(error instanceof WebSocketError && error instanceof DOMException);
  assert(error.cause instanceof HandshakeError);
  assertEquals(error.cause.status, 404);
  assertEquals(error.closeCode, null);
  await assertRejectsAs("WebSocketError", stream.closed);
});

testOurs(
  "stream: abort before and during the handshake, and after it",
  async (base) => {
    const early = new WebSocketStream(`${base}/echo`, {
      signal: AbortSignal.abort(),
    });
    await assertRejectsAs("AbortError", early.opened);
    await assertRejectsAs("AbortError", early.closed);
    const controller = new AbortController();
    const { signal } = controller;
    const stream = new WebSocketStream(`${base}/echo`, { signal });
    controller.abort();
    await assertRejectsAs("AbortError", stream.opened);
    const late = new AbortController();
    const open = new WebSocketStream(`${base}/echo`, { signal: late.signal });
    await open.opened;
    late.abort();
    open.close();
    assertEquals((await open.closed).closeCode, 1005);
  },
);

test("stream: close() in each moment around the opening ends it", async () => {
  await using server = await RawServer.listen();
  for (let moment = 0; moment < 20; moment++) {
    const stream: WebSocketStream = new WebSocketStream(
      `ws://127.0.0.1:${server.port}/`,
      {
        closeTimeoutMs: 50,
        // A frame that comes with the response is seen before `opened` settles.
        onFrame: async ({ direction }) => {
          if (direction !== "received") return;
          for (let i = 0; i < moment; i++) await undefined;
          stream.close();
        },
      },
    );
    const ended = stream.closed.catch((error) => error);
    const raw = await server.accept();
    const head = await raw.readHead();
    raw.write(upgradeResponse(head), frame({ payload: "hello" }));
    await within(ended, `the end after close() in moment ${moment}`);
    await raw.readToEnd();
    assert(raw.ended);
  }
});

testOurs("stream: closing the writable closes the connection", async (base) => {
  const stream = new WebSocketStream(`${base}/echo`);
  const { writable } = await stream.opened;
  await within(writable.close(), "the end of close()");
  assertEquals(await stream.closed, { closeCode: 1005, reason: "" });
});

testOurs(
  "stream: abort and cancel close with a WebSocketError's code",
  async (base) => {
    const error = new WebSocketError("x", { closeCode: 3456, reason: "set" });
    const cases = [
      [undefined, 1005, ""],
      [{ closeCode: 3456, reason: "set" }, 1005, ""],
      [new WebSocketError("x", { reason: "only" }), 1000, "only"],
      [error, 3456, "set"],
    ] as const;
    for (const [why, closeCode, reason] of cases) {
      for (const way of ["abort", "cancel"] as const) {
        const stream = new WebSocketStream(`${base}/echo`);
        const { readable, writable } = await stream.opened;
        if (way === "abort") await writable.abort(why);
        else await readable.cancel(why);
        assertEquals(await stream.closed, { closeCode, reason }, way);
      }
    }
  },
);

testOurs("stream: the server closes with a code of its own", async (base) => {
  const stream = new WebSocketStream(`${base}/closes?code=4567&reason=bye`);
  const { readable } = await stream.opened;
  assertEquals((await readable.getReader().read()).done, true);
  assertEquals(await stream.closed, { closeCode: 4567, reason: "bye" });
});

test("stream: a connection that breaks fails both streams, and closed", async () => {
  await using server = await RawServer.listen();
  const stream = new WebSocketStream(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade();
  const { readable, writable } = await stream.opened;
  const reading = readable.getReader().read();
  const writer = writable.getWriter();
  raw.end();
  const error = await assertRejectsAs<WebSocketError>(
    "WebSocketError",
    stream.closed,
  );
  assertEquals([error.closeCode, error.reason], [1006, ""]);
  await assertRejectsAs("WebSocketError", reading);
  await assertRejectsAs("WebSocketError", writer.closed);
});

test("WebSocketError: code and reason, checked", () => {
  const error = new WebSocketError("what", { reason: "why" });
  assertEquals([error.name, error.message], ["WebSocketError", "what"]);
  assertEquals([error.closeCode, error.reason], [1000, "why"]);
  assertEquals(new WebSocketError().closeCode, null);
  assertThrowsDom(
    "InvalidAccessError",
    () => new WebSocketError("", { closeCode: 1001 }),
  );
  assertThrowsDom(
    "SyntaxError",
    () => new WebSocketError("", { reason: "x".repeat(124) }),
  );
});

test("stream: writer.close() waits for the peer's Close frame", async () => {
  await using server = await RawServer.listen();
  const stream = new WebSocketStream(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade();
  const { writable } = await stream.opened;
  const order: string[] = [];
  const closing = writable.close().then(() => order.push("closed"));
  assertEquals((await raw.readFrame()).opcode, 8);
  order.push("answered");
  raw.write(Uint8Array.of(0x88, 0));
  raw.end();
  await within(closing, "the end of close()");
  assertEquals(order, ["answered", "closed"]);
});

test("stream: write waits for a peer that does not read", async () => {
  await using server = await RawServer.listen();
  const compression = false;
  const url = `ws://127.0.0.1:${server.port}/`;
  const stream = new WebSocketStream(url, { compression });
  const raw = await server.acceptUpgrade();
  const { writable } = await stream.opened;
  raw.pause();
  const writer = writable.getWriter();
  const chunk = new Uint8Array(1_000_000);
  let count = 0;
  let isWaiting = false;
  while (!isWaiting && count < 100) {
    count++;
    const isDone = await Promise.race([
      writer.write(chunk).then(() => true, () => true),
      pause(300).then(() => false),
    ]);
    isWaiting = !isDone;
  }
  assert(isWaiting, "100 MB were written, and nobody has read");
  raw.resume();
  for (let i = 0; i < count; i++) {
    assertEquals((await raw.readFrame()).payload.length, chunk.length);
  }
  stream.close();
  assertEquals((await raw.readFrame()).opcode, 8);
  raw.end();
  await assertRejectsAs("WebSocketError", stream.closed);
});
