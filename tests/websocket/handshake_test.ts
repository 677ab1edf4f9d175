/**
 * The opening handshake of a `WebSocket`, after the tests `opening-handshake`,
 * `Create-*`, `cookies`, `basic-auth` and `referrer` of the web platform.
 */
import { type FailureEvent, WebSocket } from "../../websocket.ts";
import { HandshakeError } from "../../client.ts";
import { Site } from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";
import {
  assertThrowsDom,
  end,
  event,
  eventTypes,
  opened,
  OURS,
  type SocketClass,
  testBoth,
  testOurs,
} from "./shapes.ts";

/** Answers a socket's handshake, and its Close frame; returns the request. */
async function headOf(make: (base: string) => EventTarget): Promise<string> {
  await using server = await RawServer.listen();
  const socket = make(`ws://127.0.0.1:${server.port}`);
  const raw = await server.accept();
  const head = await raw.readHead();
  const closed = event(socket, "close");
  raw.write(upgradeResponse(head), Uint8Array.of(0x88, 0));
  await raw.readFrame();
  raw.end();
  await closed;
  return head;
}

testBoth(
  "constructor.any: more arguments than there are do no harm",
  [],
  async (Socket, base) => {
    const args = [`${base}/protocols`, "chat", "stray"];
    const socket = Reflect.construct(Socket, args) as globalThis.WebSocket;
    assert(socket instanceof Socket);
    await event(socket, "open");
    await end(socket);
  },
);

testBoth(
  "Create-url-with-windows-1252-encoding, url/resolve: in UTF-8",
  [],
  async (Socket) => {
    const head = await headOf((base) => {
      const socket = new Socket(`${base}/x?foo%20bar baz\0\u00e5\u00e4`);
      const query = "foo%20bar%20baz%00%C3%A5%C3%A4";
      assertEquals(socket.url, `${base}/x?${query}`);
      return socket;
    });
    assertMatch(
      head,
      /^GET \/x\?foo%20bar%20baz%00%C3%A5%C3%A4 HTTP\/1\.1\r\n/,
    );
  },
);

testBoth(
  "Create-url-with-space: not in the host",
  ["bun"],
  (Socket) => {
    for (const scheme of ["ws", "wss", "http"]) {
      const url = `${scheme}://web platform.test/echo`;
      assertThrowsDom("SyntaxError", () => new Socket(url));
    }
  },
);

testBoth(
  "url/001, url/002: the scheme and the host in lower case, slashes made up",
  [],
  async (Socket, base) => {
    const upper = base.replace("ws://127.0.0.1", "WS:LOCALHOST");
    const socket = new Socket(`${upper}/echo`);
    const url = base.replace("127.0.0.1", "localhost");
    assertEquals(socket.url, `${url}/echo`);
    const closed = event(socket, "close");
    socket.onopen = () => socket.close();
    await closed;
  },
);

testBoth(
  "Create-extensions-empty, extensions/001: none where none is agreed on",
  [],
  async (Socket) => {
    let extensions: string | undefined;
    await headOf((base) => {
      const socket = new Socket(`${base}/`);
      socket.onopen = () => extensions = socket.extensions;
      return socket;
    });
    assertEquals(extensions, "");
  },
);

testBoth("referrer: none is told", [], async (Socket) => {
  const head = await headOf((base) => new Socket(`${base}/`));
  assertEquals(headerOf(head, "Referer"), undefined);
  assertEquals(headerOf(head, "Upgrade")?.toLowerCase(), "websocket");
});

testBoth("basic-auth: of the URL", ["node"], async (Socket) => {
  const head = await headOf((base) =>
    new Socket(base.replace("ws://", "ws://foo:b%C3%A4r@"))
  );
  const credentials = btoa("foo:b\u00c3\u00a4r");
  assertEquals(headerOf(head, "Authorization"), `Basic ${credentials}`);
});

test("opening-handshake/003, cookies/001: what options say is sent", async () => {
  const head = await headOf((base) =>
    new WebSocket(base, {
      origin: "https://example.com",
      cookies: { a: "1", b: "2" },
    })
  );
  assertMatch(head, /^origin: https:\/\/example\.com\r$/im);
  assertMatch(head, /^cookie: a=1; b=2\r$/im);
  const bare = await headOf((base) => new WebSocket(base));
  assertEquals(headerOf(bare, "Origin"), undefined);
  assertEquals(headerOf(bare, "Cookie"), undefined);
});

/** What servers answer that do not agree, by the name of the test. */
const REFUSALS: readonly [string, (head: string) => string][] = [
  ["opening-handshake/001: an invalid answer", () => "ws\r\n\r\n"],
  [
    "opening-handshake/006: no handler at the path",
    () => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
  ],
  [
    "security/001: a wrong Sec-WebSocket-Accept",
    (head) => upgradeResponse(head, { "Sec-WebSocket-Accept": "x" }),
  ],
  [
    "opening-handshake/received-301-code: is not followed",
    () =>
      "HTTP/1.1 301 Moved Permanently\r\nLocation: /y\r\n" +
      "Content-Length: 0\r\n\r\n",
  ],
  [
    "RFC 6455, section 4.1: a subprotocol that nobody offered",
    (head) => upgradeResponse(head, { "Sec-WebSocket-Protocol": "foobar" }),
  ],
  [
    "RFC 6455, section 4.1: an extension that nobody offered",
    (head) => upgradeResponse(head, { "Sec-WebSocket-Extensions": "foobar" }),
  ],
];

/** Runs a handshake that must fail; returns its error event. */
async function refused(
  Socket: SocketClass,
  answer: (head: string) => string,
): Promise<Event> {
  await using server = await RawServer.listen();
  const socket = new Socket(`ws://127.0.0.1:${server.port}/`);
  let isOpen = false;
  socket.onopen = () => isOpen = true;
  const raw = await server.accept();
  const failed = event(socket, "error");
  const closed = event<CloseEvent>(socket, "close");
  raw.write(answer(await raw.readHead()));
  raw.end();
  const error = await failed;
  // `events/015`: "error" finds it closed already.
  assertEquals(socket.readyState, 3);
  const { code, reason, wasClean } = await closed;
  assertEquals([isOpen, code, reason, wasClean], [false, 1006, "", false]);
  return error;
}

for (const [name, answer] of REFUSALS) {
  testBoth(`${name}: error, then close with 1006`, ["deno"], async (Socket) => {
    const error = await refused(Socket, answer);
    if (Socket !== OURS) return;
    assert((error as FailureEvent).error instanceof HandshakeError);
  });
}

testBoth(
  "25 sockets at once, each with its own events",
  [],
  async (Socket, base) => {
    const counts = await Promise.all(
      Array.from({ length: 25 }, async (_, i) => {
        const socket = new Socket(`${base}/echo`);
        const types = eventTypes(socket);
        socket.onopen = () => socket.send(String(i));
        socket.onmessage = ({ data }) => {
          types.push(data === String(i) ? "right" : "wrong");
          socket.close();
        };
        await event(socket, "close");
        return types.join();
      }),
    );
    assertEquals(new Set(counts), new Set(["open,message,right,close"]));
  },
);

test("the variants ?wss: open, send, close, over TLS", async () => {
  const ca = certificate("ca.crt");
  const site = new Site({ onError: () => {} });
  site.addHandler("/echo", Echo, { origins: "*" });
  const cert = certificate("leaf.crt");
  const tls = { cert, key: certificate("leaf.key") };
  const where = { port: 0, hostname: "127.0.0.1", tls };
  await using server = await site.listen(where);
  assert(server.addr.transport === "tcp");
  const origin = `wss://127.0.0.1:${server.addr.port}`;
  const url = `${origin}/echo`;
  const socket = new WebSocket(url, { tls: { ca } });
  assertEquals(socket.url, url);
  await event(socket, "open");
  const answer = event<MessageEvent>(socket, "message");
  socket.send("\u{10102}".repeat(20_000));
  const { data } = await answer;
  assertEquals([(await answer).origin, data.length], [origin, 40_000]);
  const closed = event<CloseEvent>(socket, "close");
  socket.close(3000, "Clean Close");
  const { code, reason, wasClean } = await closed;
  assertEquals([code, reason, wasClean], [3000, "Clean Close", true]);
  // Without the authority the server is not trusted.
  const wary = new WebSocket(url);
  const end = event<CloseEvent>(wary, "close");
  const { error } = await event<FailureEvent>(wary, "error");
  assert(error instanceof HandshakeError && error.reason === "tls-failed");
  assertEquals([(await end).code, (await end).wasClean], [1006, false]);
});

testOurs(
  "security/002: headers of the handshake cannot be set",
  async (base) => {
    const headers = { "sec-websocket-key": "x" };
    const socket = new WebSocket(`${base}/echo`, { headers });
    const { error } = await event<FailureEvent>(socket, "error");
    assert(error instanceof TypeError);
  },
);

testBoth(
  "Create-valid-url-array-protocols: all are offered, in order",
  [],
  async (Socket) => {
    await using server = await RawServer.listen();
    const url = `ws://127.0.0.1:${server.port}/`;
    const socket = new Socket(url, ["foobar", "foobar2"]);
    const raw = await server.accept();
    const head = await raw.readHead();
    assertMatch(
      headerOf(head, "Sec-WebSocket-Protocol") ?? "",
      /^foobar, ?foobar2$/,
    );
    const chosen = { "Sec-WebSocket-Protocol": "foobar2" };
    raw.write(upgradeResponse(head, chosen));
    await event(socket, "open");
    assertEquals(socket.protocol, "foobar2");
    const closed = event(socket, "close");
    raw.write(Uint8Array.of(0x88, 0));
    await raw.readFrame();
    raw.end();
    await closed;
    assertEquals(socket.protocol, "foobar2");
  },
);

testBoth("opening-handshake/002, /005: opens, and closes", [], async (
  Socket,
  base,
) => {
  const socket = await opened(Socket, `${base}/echo`);
  const types: string[] = [];
  const note = ({ type }: Event) => void types.push(type);
  socket.onerror = socket.onmessage = note;
  assertEquals((await end(socket)).wasClean, true);
  assertEquals(types, []);
});
