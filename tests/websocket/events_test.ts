/** Events and event handlers, after the tests of the web platform. */
import { WebSocket } from "../../websocket.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import {
  end,
  event,
  eventTypes,
  opened,
  testBoth,
  testOurs,
} from "./shapes.ts";

testBoth(
  "eventhandlers: what cannot be called is null",
  [],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    for (const name of ["onopen", "onerror", "onclose", "onmessage"] as const) {
      assertEquals(socket[name], null);
      const handler = () => {};
      socket[name] = handler;
      assertEquals(socket[name], handler);
      socket[name] = 2 as never;
      assertEquals(socket[name], null);
    }
    await event(socket, "open");
    await end(socket);
  },
);

testBoth("event handlers keep their place among listeners, until null", [
  "deno",
  "node",
], async (Socket, base) => {
  const socket = new Socket(`${base}/echo`);
  const calls: string[] = [];
  socket.onopen = () => calls.push("never");
  socket.addEventListener("open", () => calls.push("listener"));
  socket.onopen = () => calls.push("first");
  socket.onclose = () => calls.push("close, of before");
  socket.addEventListener("close", () => calls.push("close, listener"));
  socket.onclose = null;
  socket.onclose = () => calls.push("close, after");
  await event(socket, "open");
  await end(socket);
  assertEquals(calls, ["first", "listener", "close, listener", "close, after"]);
});

testBoth(
  "events: their classes, target and origin",
  ["deno"],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    const open = await event(socket, "open");
    assertEquals([open.type, open.bubbles, open.cancelable], [
      "open",
      false,
      false,
    ]);
    assertEquals(open.target, socket);
    const answered = event<MessageEvent>(socket, "message");
    socket.send("x");
    const message = await answered;
    assert(message instanceof MessageEvent);
    assertEquals(message.origin, base);
    assertEquals(message.data, "x");
    assert(await end(socket) instanceof CloseEvent);
  },
);

testBoth(
  "each event has a task of its own: microtasks come between",
  ["deno", "node"],
  async (Socket, base) => {
    const socket = new Socket(`${base}/burst`);
    const order: string[] = [];
    const note = async (what: string) => {
      order.push(what);
      for (let i = 0; i < 20; i++) await undefined;
      order.push(`${what} later`);
    };
    socket.onopen = () => void note("open");
    socket.onmessage = ({ data }) => void note(data);
    socket.onclose = () => void note("close");
    await event(socket, "close");
    await new Promise((resolve) => setTimeout(resolve, 0));
    const events = ["open", "1", "2", "3", "close"];
    assertEquals(order, events.flatMap((what) => [what, `${what} later`]));
  },
);

testBoth(
  "events before and after: open first, close last, once each",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/burst`);
    const types = eventTypes(socket);
    await event(socket, "close");
    assertEquals(types.filter((type) => type !== "message"), ["close"]);
    assertEquals(types.at(-1), "close");
  },
);

testOurs("a handler is called with the socket as this", async (base) => {
  const socket = new WebSocket(`${base}/echo`);
  const called = new Promise<unknown>((resolve) => {
    socket.onopen = function () {
      resolve(this);
    };
  });
  assertEquals(await called, socket);
  socket.close();
  await event(socket, "close");
});

testOurs("the class stands in for the platform's by its type", async (base) => {
  const socket: globalThis.WebSocket = new WebSocket(`${base}/echo`);
  await event(socket, "open");
  await end(socket);
});

testOurs(
  "listeners and handlers are told the types of events",
  async (base) => {
    const told: unknown[] = [];
    const onMessage = ({ data }: MessageEvent) => void told.push(data);
    const socket = new WebSocket(`${base}/echo`);
    socket.addEventListener("message", onMessage);
    socket.removeEventListener("message", onMessage);
    await event(socket, "open");
    socket.send("hello");
    await event(socket, "message");
    await end(socket);
    assertEquals(told, []);

    const refused = new WebSocket(`${base}/nothing-here`);
    refused.onerror = ({ error }) => void told.push((error as Error).name);
    await event(refused, "close");
    assertEquals(told, ["HandshakeError"]);
  },
);

test("each message of bytes has a buffer of its own", async () => {
  await using server = await RawServer.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  socket.binaryType = "arraybuffer";
  const got: number[][] = [];
  socket.onmessage = ({ data }) => void got.push([...new Uint8Array(data)]);
  const raw = await server.accept();
  const head = await raw.readHead();
  raw.write(upgradeResponse(head));
  await event(socket, "open");
  raw.write(Uint8Array.of(0x82, 1, 65, 0x82, 2, 66, 67, 0x88, 0));
  const closed = event<CloseEvent>(socket, "close");
  await raw.readFrame();
  raw.end();
  assertEquals((await closed).code, 1005);
  assertEquals(got, [[65], [66, 67]]);
});
