/**
 * What WebIDL makes of the interfaces of the WebSockets Standard, after
 * `idlharness.any.js` of the web platform.
 */
import { WebSocket, WebSocketError, WebSocketStream } from "../../websocket.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { end, event, testBoth, testOurs } from "./shapes.ts";

/** A class, looked at from outside. */
interface AnyClass {
  readonly name: string;
  readonly length: number;
  readonly prototype: object;
}

/** Asserts what holds of each class: its name, length, prototype and tag. */
function assertInterface(type: AnyClass, name: string, length: number): void {
  assertEquals([type.name, type.length], [name, length]);
  const { prototype } = type;
  assertEquals(Object.getOwnPropertyDescriptor(type, "prototype"), {
    value: prototype,
    writable: false,
    enumerable: false,
    configurable: false,
  });
  assertEquals(Object.getOwnPropertyDescriptor(prototype, "constructor"), {
    value: type,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  const tag = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
  assertEquals(tag, {
    value: name,
    writable: false,
    enumerable: false,
    configurable: true,
  });
}

/** Asserts what holds of an attribute: accessors, on the prototype alone. */
function assertAttribute(type: AnyClass, name: string, isReadonly: boolean) {
  const property = Object.getOwnPropertyDescriptor(type.prototype, name);
  assert(property !== undefined, `${name}: not on the prototype`);
  const { get, set, enumerable, configurable } = property;
  assertEquals([enumerable, configurable], [true, true], name);
  assert(get !== undefined, `${name}: no getter`);
  assertEquals([get.name, get.length], [`get ${name}`, 0]);
  assertThrows(() => get.call(type.prototype), TypeError);
  assertThrows(() => get.call({}), TypeError);
  if (isReadonly) return assertEquals(set, undefined, name);
  assert(set !== undefined, `${name}: no setter`);
  assertEquals([set.name, set.length], [`set ${name}`, 1]);
  assertThrows(() => set.call({}, null), TypeError);
}

/** Asserts what holds of an operation. */
function assertOperation(type: AnyClass, name: string, length: number): void {
  const property = Object.getOwnPropertyDescriptor(type.prototype, name);
  assert(property !== undefined, `${name}: not on the prototype`);
  const { value, ...flags } = property;
  const all = { writable: true, enumerable: true, configurable: true };
  assertEquals(flags, all, name);
  assertEquals([value.name, value.length], [name, length]);
  assertThrows(() => value.call({}, "x"), TypeError);
}

testBoth("idlharness: WebSocket and its prototype", ["deno"], (Socket) => {
  assertInterface(Socket, "WebSocket", 1);
  assertEquals(Object.getPrototypeOf(Socket), EventTarget);
  assertEquals(
    Object.getPrototypeOf(Socket.prototype),
    EventTarget.prototype,
  );
});

testBoth("idlharness: attributes of WebSocket", ["deno"], (Socket) => {
  const readonlys = [
    "url",
    "readyState",
    "bufferedAmount",
    "extensions",
    "protocol",
  ];
  for (const name of readonlys) assertAttribute(Socket, name, true);
  const settable = ["onopen", "onerror", "onclose", "onmessage", "binaryType"];
  for (const name of settable) assertAttribute(Socket, name, false);
});

testBoth("idlharness: operations of WebSocket", [], (Socket) => {
  assertOperation(Socket, "close", 0);
  assertOperation(Socket, "send", 1);
});

testBoth(
  "idlharness: members of WebSocket, and no others",
  ["bun"],
  (Socket) => {
    const names = Object.getOwnPropertyNames(Socket.prototype).sort();
    assertEquals(names, [
      "CLOSED",
      "CLOSING",
      "CONNECTING",
      "OPEN",
      "binaryType",
      "bufferedAmount",
      "close",
      "constructor",
      "extensions",
      "onclose",
      "onerror",
      "onmessage",
      "onopen",
      "protocol",
      "readyState",
      "send",
      "url",
    ]);
  },
);

testBoth(
  "idlharness: an instance has nothing of its own, and its tag",
  [],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    assertEquals(Object.prototype.toString.call(socket), "[object WebSocket]");
    assertEquals(Object.getOwnPropertyNames(socket), []);
    const inherited: string[] = [];
    for (const name in socket) inherited.push(name);
    assert(inherited.includes("onmessage"), "onmessage is not enumerable");
    assertThrows(() => Reflect.apply(socket.send, socket, []), TypeError);
    await event(socket, "open");
    await end(socket);
  },
);

testOurs("idlharness: a symbol is no text", async (base) => {
  const symbol = Symbol("x") as unknown as string;
  assertThrows(() => new WebSocket(symbol), TypeError);
  assertThrows(() => new WebSocket(base, [symbol]), TypeError);
  assertThrows(() => new WebSocket(base, symbol), TypeError);
  const socket = new WebSocket(`${base}/echo`);
  await event(socket, "open");
  assertThrows(() => socket.send(symbol), TypeError);
  assertThrows(() => socket.close(1000, symbol), TypeError);
  assertThrows(() => socket.close(1000n as unknown as number), TypeError);
  assertThrows(() => {
    socket.binaryType = symbol as "blob";
  }, TypeError);
  assertEquals(socket.readyState, 1);
  socket.close();
  await event(socket, "close");
});

test("CloseEvent/constructor, CloseEvent/historical: with and without a dictionary", () => {
  const empty = new CloseEvent("foo");
  assertEquals([empty.type, empty.bubbles, empty.cancelable], [
    "foo",
    false,
    false,
  ]);
  assertEquals([empty.wasClean, empty.code, empty.reason], [false, 0, ""]);
  const event = new CloseEvent("foo", {
    bubbles: true,
    cancelable: true,
    wasClean: true,
    code: 7,
    reason: "x",
  });
  assertEquals([event.bubbles, event.cancelable], [true, true]);
  assertEquals([event.wasClean, event.code, event.reason], [true, 7, "x"]);
  assertEquals("initCloseEvent" in event, false);
});

test("idlharness: WebSocketStream", async () => {
  assertInterface(WebSocketStream, "WebSocketStream", 1);
  for (const name of ["url", "opened", "closed"]) {
    assertAttribute(WebSocketStream, name, true);
  }
  assertOperation(WebSocketStream, "close", 0);
  const stream = new WebSocketStream("ws://127.0.0.1:9/");
  assertEquals(Object.getOwnPropertyNames(stream), []);
  assertEquals(String(stream), "[object WebSocketStream]");
  assertEquals(stream.opened, stream.opened);
  stream.close();
  await stream.closed.catch(() => {});
});

test("idlharness: WebSocketError", () => {
  assertInterface(WebSocketError, "WebSocketError", 0);
  assertEquals(Object.getPrototypeOf(WebSocketError), DOMException);
  for (const name of ["closeCode", "reason"]) {
    assertAttribute(WebSocketError, name, true);
  }
  const error = new WebSocketError();
  assert(error instanceof DOMException && error instanceof Error);
  assertEquals([error.name, error.message, error.code], [
    "WebSocketError",
    "",
    0,
  ]);
  assertEquals([error.closeCode, error.reason], [null, ""]);
});
