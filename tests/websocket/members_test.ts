/** The members of a `WebSocket`, after `interfaces/WebSocket` of the web platform. */
import { assert, assertEquals } from "../harness.ts";
import { RawServer } from "../harness/raw_server.ts";
import {
  type AnySocket,
  assertThrowsDom,
  end,
  event,
  opened,
  type SocketClass,
  testBoth,
} from "./shapes.ts";

const TYPES = ["open", "message", "error", "close"] as const;
const HANDLERS = ["onopen", "onmessage", "onerror", "onclose"] as const;

/** The class of the standard that an event has. */
function classOf(event: Event): string {
  if (event instanceof CloseEvent) return "CloseEvent";
  return event instanceof MessageEvent ? "MessageEvent" : "Event";
}

/** A socket that is given up before it opens, for tests of members alone. */
async function withIdle(
  Socket: SocketClass,
  base: string,
  body: (socket: AnySocket) => void,
): Promise<void> {
  const socket = new Socket(`${base}/echo`);
  const opened = event(socket, "open");
  body(socket);
  await opened;
  await end(socket);
}

testBoth(
  "events/001, 002, 010, 011, 012, 014: what handlers can be set to",
  [],
  (
    Socket,
    base,
  ) =>
    withIdle(Socket, base, (socket) => {
      for (const name of HANDLERS) {
        assertEquals(socket[name], null);
        const handler = () => {};
        for (const nothing of [undefined, null, 1, ";", Symbol("x")]) {
          socket[name] = handler;
          assertEquals(socket[name], handler);
          socket[name] = nothing as never;
          assertEquals(socket[name], null);
        }
      }
    }),
);

testBoth(
  "events/013: an object is kept, and its handleEvent not called",
  [],
  (Socket, base) =>
    withIdle(Socket, base, (socket) => {
      for (const name of HANDLERS) {
        let isCalled = false;
        const handler = { handleEvent: () => isCalled = true };
        socket[name] = handler as never;
        assert(socket[name] === handler as never);
        socket.dispatchEvent(new Event(name.slice(2)));
        socket[name] = null;
        assertEquals(isCalled, false);
      }
    }),
);

testBoth("events/003, 007, 008, 009: handlers get what others dispatch", [], (
  Socket,
  base,
) =>
  withIdle(Socket, base, (socket) => {
    for (const [i, name] of HANDLERS.entries()) {
      const got: Event[] = [];
      socket[name] = (event: Event) => void got.push(event);
      const event = new CustomEvent(TYPES[i]!, { detail: 5 });
      socket.dispatchEvent(event);
      assertEquals(got.length, 1);
      assert(got[0] === event && event.detail === 5);
      socket[name] = null;
    }
  }));

testBoth(
  "events/019: removeEventListener",
  [],
  (Socket, base) =>
    withIdle(Socket, base, (socket) => {
      const got: string[] = [];
      const listener = ({ type }: Event) => void got.push(type);
      for (const type of TYPES) {
        socket.addEventListener(type, listener);
        socket.removeEventListener(type, listener);
        socket.dispatchEvent(new Event(type));
      }
      assertEquals(got, []);
    }),
);

testBoth(
  "events/015, 016, 017, 018: order, target, class and state of each event",
  [],
  async (Socket) => {
    await using server = await RawServer.listen();
    const socket = new Socket(`ws://127.0.0.1:${server.port}/`);
    const seen: string[] = [];
    const note = (where: string) =>
      function (this: unknown, event: Event) {
        const isRight = this === socket && event.target === socket &&
          !event.bubbles && !event.cancelable &&
          // Node's `EventTarget` tells it to the first listener alone.
          (where !== "1" ||
            event.currentTarget === socket && event.eventPhase === 2);
        if (!isRight) seen.push(`wrong target of ${event.type}`);
        seen.push(
          `${where} ${event.type} ${classOf(event)} ${socket.readyState}`,
        );
      };
    for (const [i, type] of TYPES.entries()) {
      socket.addEventListener(type, note("1"));
      socket[HANDLERS[i]!] = note("2");
      socket.addEventListener(type, note("3"));
    }
    const raw = await server.acceptUpgrade();
    const closed = event(socket, "close");
    // A text, and then a frame with an opcode that nobody knows.
    const frames = [0x81, 4, 116, 101, 115, 116, 0x83, 3, 76, 79, 76];
    raw.write(Uint8Array.from(frames));
    // Whether it says goodbye is its own affair.
    await raw.readFrame().catch(() => {});
    raw.end();
    await closed;
    const each = (type: string, tag: string, state: number) =>
      [1, 2, 3].map((i) => `${i} ${type} ${tag} ${state}`);
    assertEquals(seen, [
      ...each("open", "Event", 1),
      ...each("message", "MessageEvent", 1),
      ...each("error", "Event", 3),
      ...each("close", "CloseEvent", 3),
    ]);
  },
);

testBoth(
  "events/020: an error event for a server that is not there",
  [],
  async (
    Socket,
  ) => {
    const server = await RawServer.listen();
    const url = `ws://127.0.0.1:${server.port}/`;
    await server[Symbol.asyncDispose]();
    const socket = new Socket(url);
    const closed = event<CloseEvent>(socket, "close");
    assert(await event(socket, "error") instanceof Event);
    assertEquals((await closed).wasClean, false);
  },
);

testBoth(
  "readyState/002, url/002, bufferedAmount-readonly: cannot be assigned",
  [],
  (Socket, base) =>
    withIdle(Socket, base, (socket) => {
      const names = [
        "url",
        "readyState",
        "bufferedAmount",
        "extensions",
        "protocol",
        "CONNECTING",
        "OPEN",
      ] as const;
      for (const name of names) {
        const before = socket[name];
        assertEquals(Reflect.set(socket, name, 5), false, name);
        assertEquals(socket[name], before, name);
      }
    }),
);

testBoth(
  "readyState/003, 004, 005, url/003 to 006, bufferedAmount-deleting: of the prototype",
  [],
  (Socket, base) =>
    withIdle(Socket, base, (socket) => {
      const { prototype } = Socket;
      for (const name of ["url", "readyState", "bufferedAmount"] as const) {
        const before = socket[name];
        assertEquals(Reflect.deleteProperty(socket, name), true);
        assertEquals(socket[name], before);
        const own = Object.getOwnPropertyDescriptor(prototype, name)!;
        try {
          let got: unknown;
          Object.defineProperty(prototype, name, {
            get: () => "foo",
            set: (value) => got = value,
          });
          assertEquals(socket[name], "foo" as never);
          Reflect.set(socket, name, "bar");
          assertEquals(got, "bar");
          Reflect.deleteProperty(prototype, name);
          assertEquals(socket[name], undefined as never);
        } finally {
          Object.defineProperty(prototype, name, own);
        }
        assertEquals(socket[name], before);
      }
    }),
);

testBoth(
  "send/002, close/close-replace: methods can be replaced",
  [],
  (Socket, base) =>
    withIdle(Socket, base, (socket) => {
      for (const name of ["send", "close"] as const) {
        socket[name] = 5 as never;
        assertEquals(socket[name], 5 as never);
        Reflect.deleteProperty(socket, name);
        assertEquals(typeof socket[name], "function");
      }
    }),
);

testBoth(
  "send/003, 004, Send-before-open: InvalidStateError, surrogates or not",
  [],
  (Socket, base) =>
    withIdle(Socket, base, (socket) => {
      for (const text of ["a", "a\udc00x", "a\ud800x", "a\udc00\ud800x"]) {
        assertThrowsDom("InvalidStateError", () => socket.send(text));
      }
    }),
);

testBoth(
  "send/005, 007, 008, close-return: nothing is returned, in any state",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const types: string[] = [];
    socket.onerror = ({ type }) => void types.push(type);
    const answer = event<MessageEvent>(socket, "message");
    assertEquals(socket.send("test") as unknown, undefined);
    assertEquals((await answer).data, "test");
    socket.onmessage = ({ type }) => void types.push(type);
    const closed = event(socket, "close");
    assertEquals(socket.close() as unknown, undefined);
    assertEquals(socket.send("test") as unknown, undefined);
    await closed;
    assertEquals(socket.send("test") as unknown, undefined);
    assertEquals(socket.close() as unknown, undefined);
    assertEquals(types, []);
  },
);

testBoth("send/006, 010, 011, 012: anything else as its text", [], async (
  Socket,
  base,
) => {
  const socket = await opened(Socket, `${base}/echo`);
  const things = [null, undefined, 1, {}, [], [1, 2], socket, () => {}, true];
  things.push(new Error("x"), new Date(0), "\u00e5 a\u030a \u{1045e}");
  for (const thing of things) {
    const answer = event<MessageEvent>(socket, "message");
    socket.send(thing as string);
    assertEquals((await answer).data, String(thing));
  }
  const answer = event<MessageEvent>(socket, "message");
  socket.send("a\udc00xb\ud800xc\udc00\ud800x");
  assertEquals((await answer).data, "a\ufffdxb\ufffdxc\ufffd\ufffdx");
  await end(socket);
});

testBoth(
  "close-basic, close-multiple, close-nested: one close event, not to be changed",
  ["deno", "node"],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    let count = 0;
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.onclose = (event) => {
        count++;
        socket.close();
        resolve(event);
      };
    });
    for (let i = 0; i < 3; i++) {
      socket.close();
      assertEquals(socket.readyState, 2);
    }
    const told = await closed;
    assertEquals(socket.readyState, 3);
    assert(told instanceof CloseEvent);
    assertEquals(Reflect.set(told, "wasClean", true), false);
    Reflect.deleteProperty(told, "wasClean");
    assertEquals([told.wasClean, told.code], [false, 1006]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(count, 1);
  },
);
