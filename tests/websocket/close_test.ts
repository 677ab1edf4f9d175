/** `close` and the `close` event, after the tests `Close-*` of the web platform. */
import { type FailureEvent, WebSocket } from "../../websocket.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import {
  assertThrowsDom,
  end,
  event,
  eventTypes,
  opened,
  OURS,
  testBoth,
  testOurs,
} from "./shapes.ts";

testBoth(
  "close-invalid: InvalidAccessError, also while connecting",
  ["bun"],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    const codes = [0, 500, 999, 1001, 1005, 2999, 5000, NaN, "string", null];
    for (const code of codes) {
      const close = () => socket.close(code as number);
      assertThrowsDom("InvalidAccessError", close);
    }
    await event(socket, "open");
    assertThrowsDom("InvalidAccessError", () => socket.close(65_536 + 1000));
    assertEquals(socket.readyState, 1);
    await end(socket);
  },
);

testBoth(
  "Close-Reason-124Bytes: SyntaxError",
  ["bun"],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const reason = "€".repeat(41);
    assertThrowsDom("SyntaxError", () => socket.close(1000, `${reason}a`));
    assertEquals(socket.readyState, 1);
    const closed = await end(socket, 1000, reason);
    assertEquals(closed.reason, reason);
  },
);

testBoth(
  "Close-1000-reason, Close-3000-reason, Close-4999-reason: echoed",
  [],
  async (Socket, base) => {
    for (const code of [1000, 3000, 4999]) {
      const socket = await opened(Socket, `${base}/echo`);
      const closed = await end(socket, code, "Clean Close");
      assertEquals(closed.code, code);
      assertEquals(closed.reason, "Clean Close");
      assertEquals(closed.wasClean, true);
      assert(closed instanceof CloseEvent);
      assertEquals(socket.readyState, 3);
    }
  },
);

testBoth(
  "Close-undefined, Close-1005-verify-code: an empty Close frame",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const { code, wasClean } = await end(socket);
    assertEquals([code, wasClean], [1005, true]);
  },
);

testOurs(
  "Close-undefined: undefined as a code, and a reason without one",
  async (base) => {
    const socket = await opened(OURS, `${base}/echo`);
    assertEquals((await end(socket, undefined, "why")).code, 1000);
  },
);

testOurs(
  "Close: codes are clamped and rounded as [Clamp] says",
  async (base) => {
    const socket = await opened(OURS, `${base}/echo`);
    assertThrowsDom("InvalidAccessError", () => socket.close(1000.6));
    assertThrowsDom("InvalidAccessError", () => socket.close(2999.4));
    assertThrowsDom("InvalidAccessError", () => socket.close(4999.6));
    assertEquals((await end(socket, 1000.5)).code, 1000);
  },
);

testBoth(
  "Close-reason-unpaired-surrogates: U+FFFD",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const { reason } = await end(socket, 1000, "\ud807");
    assertEquals(reason, "\ufffd");
  },
);

testBoth(
  "Close-readyState-Closing, Close-readyState-Closed",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const closed = event(socket, "close");
    socket.close();
    assertEquals(socket.readyState, 2);
    socket.close(1000);
    await closed;
    assertEquals(socket.readyState, 3);
    socket.close(3000);
    assertEquals(socket.readyState, 3);
  },
);

testBoth(
  "Close-server-initiated-close: code and reason of the server",
  [],
  async (Socket, base) => {
    const socket = new Socket(`${base}/closes?code=3001&reason=bye`);
    const closed = event<CloseEvent>(socket, "close");
    socket.onerror = () => assert(false, "an error event");
    const { code, reason, wasClean } = await closed;
    assertEquals([code, reason, wasClean], [3001, "bye", true]);
    assertEquals(socket.readyState, 3);
  },
);

testBoth(
  "close-connecting: an error event, then 1006",
  ["deno", "node"],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    const types = eventTypes(socket);
    const closed = event<CloseEvent>(socket, "close");
    socket.close(1000, "too early");
    assertEquals(socket.readyState, 2);
    assertEquals(types, [], "an event came at once");
    const { code, reason, wasClean } = await closed;
    assertEquals([code, reason, wasClean], [1006, "", false]);
    assertEquals(types, ["error", "close"]);
  },
);

testOurs(
  "close before the open event, after the server has accepted",
  async () => {
    await using server = await RawServer.listen();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    const types = eventTypes(socket);
    const raw = await server.accept();
    const head = await raw.readHead();
    const closed = event<CloseEvent>(socket, "close");
    // A message shares the segment with the response: it must not come after close.
    raw.write(upgradeResponse(head), Uint8Array.of(0x81, 1, 65));
    socket.close();
    assertEquals((await closed).code, 1006);
    assertEquals(types, ["error", "close"]);
    await raw.readToEnd();
  },
);

testOurs("no message event once close() was called", async () => {
  await using server = await RawServer.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const messages: unknown[] = [];
  socket.onmessage = ({ data }) => {
    messages.push(data);
    socket.close(3000);
  };
  const raw = await server.accept();
  const closed = event<CloseEvent>(socket, "close");
  const frame = Uint8Array.of(0x81, 1, 65);
  raw.write(upgradeResponse(await raw.readHead()), frame, frame, frame);
  assertEquals((await raw.readFrame()).opcode, 8);
  raw.write(frame, Uint8Array.of(0x88, 2, 0x0b, 0xb8));
  raw.end();
  assertEquals((await closed).code, 3000);
  assertEquals(messages, ["A"]);
});

testOurs(
  "a connection that breaks: an error event that says why, then 1006",
  async () => {
    await using server = await RawServer.listen();
    for (const way of ["end", "garbage"]) {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
      const raw = await server.acceptUpgrade();
      await event(socket, "open");
      const failed = event<FailureEvent>(socket, "error");
      const closed = event<CloseEvent>(socket, "close");
      if (way === "garbage") raw.write(Uint8Array.of(0xf1, 0));
      raw.end();
      assert((await failed).error instanceof Error);
      const { code, wasClean } = await closed;
      assertEquals([code, wasClean], [1006, false]);
    }
  },
);

test("close between the server's response and the open event", async () => {
  await using server = await RawServer.listen();
  // The frame shares a segment with the response: it is seen before the event.
  const onFrame = () => socket.close();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, { onFrame });
  const types = eventTypes(socket);
  const raw = await server.accept();
  const closed = event<CloseEvent>(socket, "close");
  const head = await raw.readHead();
  raw.write(upgradeResponse(head), Uint8Array.of(0x81, 1, 65));
  assertEquals((await closed).code, 1006);
  await raw.readToEnd();
  assertEquals(types, ["error", "close"]);
});

test("close() is heeded by a message that is about to be told", async () => {
  await using server = await RawServer.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const messages: unknown[] = [];
  socket.onmessage = async ({ data }) => {
    messages.push(data);
    // By then the next message has been handed on, and waits for its task.
    for (let i = 0; i < 50; i++) await undefined;
    socket.close(3000);
  };
  const raw = await server.accept();
  const frame = Uint8Array.of(0x81, 1, 65);
  raw.write(upgradeResponse(await raw.readHead()), frame, frame);
  assertEquals((await raw.readFrame()).opcode, 8);
  const closed = event<CloseEvent>(socket, "close");
  raw.write(Uint8Array.of(0x88, 2, 0x0b, 0xb8));
  raw.end();
  await closed;
  assertEquals(messages, ["A"]);
});

test("readyState is CLOSING once the peer has closed, and nothing is sent", async () => {
  await using server = await RawServer.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade();
  await event(socket, "open");
  raw.write(Uint8Array.of(0x88, 2, 0x03, 0xe8));
  assertEquals((await raw.readFrame()).opcode, 8);
  assertEquals(socket.readyState, 2);
  socket.send("late");
  assertEquals(socket.bufferedAmount, 4);
  const closed = event<CloseEvent>(socket, "close");
  raw.end();
  assertEquals((await closed).wasClean, true);
});
