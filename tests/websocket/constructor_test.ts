/** The constructor, after the tests `Create-*` of the web platform. */
import { HandshakeError } from "../../client.ts";
import {
  type FailureEvent,
  WebSocket,
  WebSocketStream,
} from "../../websocket.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import {
  assertThrowsDom,
  end,
  event,
  opened,
  testBoth,
  testOurs,
} from "./shapes.ts";

testBoth("constructor: without a URL, or without new", [], (Socket) => {
  assertThrows(() => Reflect.construct(Socket, []), TypeError);
  assertThrows(() => Reflect.apply(Socket, undefined, ["ws://x/"]), TypeError);
});

testBoth(
  "Create-invalid-urls, Create-wrong-scheme: SyntaxError",
  ["bun"],
  (Socket) => {
    for (
      const url of [
        "ws://foo bar.com/",
        "wss://foo bar.com/",
        "ftp://127.0.0.1/",
        "mailto:example@example.org",
        "about:blank",
        "ws://127.0.0.1/#",
        "ws://127.0.0.1/#test",
        "#test",
      ]
    ) {
      assertThrowsDom("SyntaxError", () => new Socket(url));
    }
  },
);

testOurs("Create-non-absolute-url: there is no page to be relative to", () => {
  for (const url of ["test", "?", "/x", "", null as never, 123 as never]) {
    assertThrowsDom("SyntaxError", () => new WebSocket(url));
  }
});

testBoth(
  "Create-http-urls: they stand for ws: and wss:",
  [],
  async (Socket, base) => {
    const socket = new Socket(base.replace("ws:", "http:") + "/echo");
    assertEquals(socket.url, `${base}/echo`);
    await event(socket, "open");
    await end(socket);
  },
);

testOurs("Create-http-urls: https: stands for wss:", async () => {
  const socket = new WebSocket("https://127.0.0.1:9/x y");
  assertEquals(socket.url, "wss://127.0.0.1:9/x%20y");
  socket.close();
  await event(socket, "close");
});

testBoth("Create-verify-url-set-non-default-port", [], async (Socket, base) => {
  const socket = new Socket(new URL(base));
  assertEquals(socket.url, `${base}/`);
  const closed = event<CloseEvent>(socket, "close");
  // There is nothing at `/`.
  await event(socket, "error");
  assertEquals((await closed).wasClean, false);
});

testBoth(
  "Create-asciiSep-protocol-string and its like: what is no token is a SyntaxError",
  ["bun"],
  (Socket) => {
    for (
      const protocol of ["", "a b", "\u0080", "a,b", "a\u007f", '"a"', "a/b"]
    ) {
      assertThrowsDom("SyntaxError", () => new Socket("ws://x/", protocol));
      assertThrowsDom(
        "SyntaxError",
        () => new Socket("ws://x/", ["ok", protocol]),
      );
    }
  },
);

testBoth(
  "Create-protocols-repeated: SyntaxError, whatever the case",
  ["bun"],
  (Socket) => {
    assertThrowsDom("SyntaxError", () => new Socket("ws://x/", ["a", "a"]));
    assertThrowsDom("SyntaxError", () => new Socket("ws://x/", ["a", "A"]));
  },
);

testBoth(
  "Create-valid-url-protocol: the one that the server chose",
  [],
  async (Socket, base) => {
    const one = new Socket(`${base}/protocols`, "chat");
    assertEquals(one.protocol, "");
    await event(one, "open");
    assertEquals(one.protocol, "chat");
    await end(one);
    assertEquals(one.protocol, "chat");
    const two = await opened(Socket, `${base}/protocols`, ["x", "foobar"]);
    assertEquals(two.protocol, "foobar");
    await end(two);
    const none = await opened(Socket, `${base}/protocols`, []);
    assertEquals(none.protocol, "");
    await end(none);
  },
);

testBoth(
  "Create-valid-url: readyState, extensions and binaryType at the start",
  ["bun"],
  async (Socket, base) => {
    const socket = new Socket(`${base}/echo`);
    assertEquals(socket.readyState, 0);
    assertEquals(socket.extensions, "");
    assertEquals(socket.protocol, "");
    assertEquals(socket.binaryType, "blob");
    assertEquals(socket.bufferedAmount, 0);
    await event(socket, "open");
    assertEquals(socket.readyState, 1);
    await end(socket);
    assertEquals(socket.readyState, 3);
  },
);

testBoth("constants: on the class and on the instance, not to be changed", [
  "deno",
], (Socket) => {
  const names = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"] as const;
  for (const [value, name] of names.entries()) {
    for (const target of [Socket, Socket.prototype]) {
      const descriptor = Object.getOwnPropertyDescriptor(target, name);
      assertEquals(descriptor, {
        value,
        enumerable: true,
        writable: false,
        configurable: false,
      });
    }
  }
  const tag = Object.prototype.toString.call(Socket.prototype);
  assertEquals(tag, "[object WebSocket]");
});

testOurs(
  "a server that chooses no subprotocol fails the connection",
  async (base) => {
    const socket = new WebSocket(`${base}/echo`, ["foobar"]);
    const closed = event<CloseEvent>(socket, "close");
    const { error, message } = await event<FailureEvent>(socket, "error");
    assert(error instanceof HandshakeError);
    assertEquals(error.reason, "subprotocol-required");
    assertEquals(message, error.message);
    assertEquals((await closed).code, 1006);
  },
);

testOurs(
  "options: headers, protocols and compression of dial",
  async (base) => {
    const socket = new WebSocket(`${base}/header?name=x-test`, {
      headers: { "x-test": "yes" },
    });
    const { data } = await event<MessageEvent>(socket, "message");
    assertEquals(data, "yes");
    socket.close();
    await event(socket, "close");
    const chosen = new WebSocket(`${base}/protocols`, {
      protocols: new Set(["chat"]),
    });
    await event(chosen, "open");
    assertEquals(chosen.protocol, "chat");
    chosen.close();
    await event(chosen, "close");
  },
);

testOurs("options: signal gives up", async (base) => {
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const socket = new WebSocket(`${base}/echo`, { signal });
  assertEquals((await event<FailureEvent>(socket, "error")).error, reason);
});

testOurs("options: those that nobody knows are a TypeError", async (base) => {
  const options = { handler: class {} } as object;
  assertThrows(() => new WebSocket(`${base}/echo`, options), TypeError);
  const misspelt = { haeders: {} } as object;
  assertThrows(() => new WebSocket(`${base}/echo`, misspelt), TypeError);
  const wrong = { openTimeoutMs: "soon" } as object;
  assertThrows(() => new WebSocket(`${base}/echo`, wrong), TypeError);
  // What only `dial` finds out.
  const headers = { upgrade: "x" };
  const socket = new WebSocket(`${base}/echo`, { headers });
  const { error } = await event<FailureEvent>(socket, "error");
  assert(error instanceof TypeError);
});

test("options: proxy, for a socket and for a stream", async () => {
  await using server = await RawServer.listen();
  const proxy = `http://127.0.0.1:${server.port}`;
  const socket = new WebSocket("ws://far.example:81/x", { proxy });
  const stream = new WebSocketStream("ws://far.example:81/x", { proxy });
  for (let i = 0; i < 2; i++) {
    const raw = await server.accept();
    assertMatch(
      await raw.readHead(),
      /^CONNECT far\.example:81 HTTP\/1\.1\r\n/,
    );
    raw.write("HTTP/1.1 200 Connected\r\n\r\n");
    const head = await raw.readHead();
    assertMatch(head, /^GET \/x HTTP\/1\.1\r\n/);
    // Empty: the Close frame is its own answer.
    raw.write(upgradeResponse(head), Uint8Array.of(0x88, 0));
    raw.end();
  }
  await stream.opened;
  await within(stream.closed, "the end of the stream");
  if (socket.readyState !== 3) await event(socket, "close");
  assertEquals(socket.url, "ws://far.example:81/x");
});
