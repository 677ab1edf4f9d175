/**
 * API hygiene: wrong arguments are refused at once (AP-1, AP-2), and nothing tells a
 * peer more than it should know (AP-5, AP-6). Of what is sent says
 * `tests/api_bytes_test.ts`, and AP-4, comparing secrets in constant time, is in
 * `tests/site/basic_auth_test.ts`.
 */
import { type Connection, dial, type DialOptions } from "../client.ts";
import {
  Handler,
  type HandlerFunction,
  type HandlerOptions,
  type ListenOptions,
  type Server,
  type ShutdownOptions,
  Site,
  type SiteOptions,
} from "../server.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "./harness.ts";
import { refusalOf } from "./client/dialing.ts";
import { closePayload } from "./harness/frame.ts";
import {
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "./harness/raw_client.ts";
import { certificate } from "./runtime/recorder.ts";

function portOf(server: Server): number {
  assert(server.addr.transport === "tcp");
  return server.addr.port;
}

const AMOUNTS = [
  "maxMessageBytes",
  "maxFragments",
  "pingIntervalMs",
  "pingTimeoutMs",
  "closeTimeoutMs",
  "sendHighWaterBytes",
  "sendMaxBytes",
  "receiveHighWaterBytes",
  "receiveHighWaterMessages",
];

/** Options with one wrong amount each, and with keys and kinds that are wrong. */
function* wrongConnectionOptions(): Generator<
  [unknown, typeof TypeError | typeof RangeError]
> {
  for (const options of [null, 5, "x", true]) yield [options, TypeError];
  for (const key of ["maxMessageByte", "MaxFragments", "toString", ""]) {
    yield [{ [key]: 5 }, TypeError];
  }
  for (const name of AMOUNTS) {
    for (const value of ["5", null, {}, 5n]) {
      yield [{ [name]: value }, TypeError];
    }
    for (const value of [-1, NaN, -Infinity]) {
      yield [{ [name]: value }, RangeError];
    }
  }
}

test("AP-1: a site refuses options that are unknown or wrong", () => {
  for (const [options, type] of wrongConnectionOptions()) {
    assertThrows(() => new Site(options as SiteOptions), type);
  }
  const wrong: unknown[] = [
    { root: "x" },
    { root: {} },
    { onError: 5 },
    { origins: 5 },
    { origins: "https://example.com" },
    { origins: [5] },
    { openTimeoutMs: "5" },
  ];
  for (const options of wrong) {
    assertThrows(() => new Site(options as SiteOptions), TypeError);
  }
  assertThrows(() => new Site({ openTimeoutMs: -1 }), RangeError);
});

test("AP-1: addHandler refuses wrong paths, handlers and options", () => {
  const site = new Site();
  const add = (path: unknown, handler: unknown, options?: unknown) => () =>
    site.addHandler(
      path as string,
      handler as HandlerFunction,
      options as HandlerOptions,
    );
  const handler = () => {};
  for (
    const path of ["", "x", "ws://x/", "?", 5, null, undefined, {}, ["/x"]]
  ) {
    assertThrows(add(path, handler), TypeError);
  }
  for (
    const wrong of [null, undefined, 5, "x", {}, new Handler({} as Connection)]
  ) {
    assertThrows(add("/x", wrong), TypeError);
  }
  for (const [options, type] of wrongConnectionOptions()) {
    assertThrows(add("/x", handler, options), type);
  }
  const wrong: unknown[] = [
    { root: handler },
    { onError: handler },
    { openTimeoutMs: 5 },
    { origins: [5] },
    { subprotocols: "chat" },
    { subprotocols: ["a b"] },
    { subprotocols: ["a\r\nb"] },
    { subprotocols: ["ü"] },
    { subprotocols: [""] },
    { subprotocols: [5] },
    { replace: 1 },
  ];
  for (const options of wrong) {
    assertThrows(add("/x", handler, options), TypeError);
  }
  assertEquals(site.hasHandler("/x"), false);
  assertEquals(site.removeHandler("/x"), false);
  assertEquals(site.removeHandler(5 as unknown as string), false);
});

test("AP-1: listen refuses options that are unknown or wrong", async () => {
  const site = new Site();
  const wrong: [unknown, typeof TypeError | typeof RangeError][] = [
    [undefined, TypeError],
    [null, TypeError],
    [8080, TypeError],
    [{}, TypeError],
    [{ port: "0" }, TypeError],
    [{ port: null }, TypeError],
    [{ port: 0, path: "/tmp/x" }, TypeError],
    [{ port: 0, host: "127.0.0.1" }, TypeError],
    [{ port: -1 }, RangeError],
    [{ port: 65_536 }, RangeError],
    [{ port: 1.5 }, RangeError],
    [{ port: NaN }, RangeError],
    [{ port: 0, hostname: 5 }, TypeError],
    [{ port: 0, hostname: null }, TypeError],
    [{ path: 5 }, TypeError],
    [{ path: "" }, TypeError],
    [{ port: 0, backlog: "x" }, TypeError],
    [{ port: 0, backlog: -1 }, RangeError],
    [{ port: 0, reusePort: 1 }, TypeError],
    [{ port: 0, signal: {} }, TypeError],
    [{ port: 0, signal: null }, TypeError],
    [{ port: 0, tls: null }, TypeError],
    [{ port: 0, tls: {} }, TypeError],
    [{ port: 0, tls: { cert: "x" } }, TypeError],
    [{ port: 0, tls: { cert: 5, key: "x" } }, TypeError],
    [{ port: 0, tls: { cert: "x", key: "x", ca: "x" } }, TypeError],
    [{ port: 0, tls: { cert: "x", key: "x", alpnProtocols: "h2" } }, TypeError],
  ];
  for (const [options, type] of wrong) {
    const listening = site.listen(options as ListenOptions);
    const error = await assertRejects(() => listening, type);
    assert(error.message.startsWith("Cannot listen: "), error.message);
  }
});

test("AP-1: shutdown refuses options that are unknown or wrong, and changes nothing", async () => {
  const site = new Site();
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  const wrong: [unknown, typeof TypeError | typeof RangeError][] = [
    [null, TypeError],
    [5, TypeError],
    [{ timeout: 5 }, TypeError],
    [{ timeoutMs: "5" }, TypeError],
    [{ timeoutMs: null }, TypeError],
    [{ timeoutMs: -1 }, RangeError],
    [{ timeoutMs: NaN }, RangeError],
    [{ code: "1001" }, TypeError],
    [{ code: 1006 }, RangeError],
    [{ reason: 5 }, TypeError],
    [{ drain: 1 }, TypeError],
    [{ reason: "\ud800" }, TypeError],
    [{ reason: "x".repeat(124) }, RangeError],
  ];
  for (const [options, type] of wrong) {
    // Thrown at once, or rejected: both are heard here.
    const shutDown = (one: Server | Site) => async () =>
      await one.shutdown(options as ShutdownOptions);
    await assertRejects(shutDown(server), type);
    await assertRejects(shutDown(site), type);
  }
  await using raw = await rawConnect(portOf(server));
  raw.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  assert((await raw.readHead()).startsWith("HTTP/1.1 404 "));
});

test("Infinity waits, in every time there is", async () => {
  // Regression: a timer that is set to Infinity fires at once.
  const site = new Site({
    openTimeoutMs: Infinity,
    closeTimeoutMs: Infinity,
    pingIntervalMs: Infinity,
    pingTimeoutMs: Infinity,
  });
  site.addHandler("/", async (connection) => {
    await connection.receive();
  });
  const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
  const where = { port: 0, hostname: "127.0.0.1" };
  await using server = await site.listen(where);
  await using secure = await site.listen({ ...where, tls });
  for (const one of [server, secure]) {
    const scheme = one === secure ? "wss" : "ws";
    const connection = await dial(`${scheme}://127.0.0.1:${portOf(one)}/`, {
      tls: { ca: certificate("ca.crt") },
      openTimeoutMs: Infinity,
      closeTimeoutMs: Infinity,
    });
    assertEquals((await connection.close()).wasClean, true);
  }
  await using raw = await rawUpgrade(portOf(server), "/");
  const down = server.shutdown({ timeoutMs: Infinity });
  assertEquals((await raw.readFrame()).opcode, 8);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(raw.ended, false);
  raw.sendFrame({ opcode: "close", payload: closePayload(1001) });
  await raw.readToEnd();
  raw.end();
  await down;
});

test("AP-1: dial refuses arguments that are unknown or wrong", async () => {
  const url = "ws://127.0.0.1:1/";
  for (const wrong of [5, null, undefined, {}, [url], new String(url), true]) {
    await assertRejects(() => dial(wrong as string), TypeError);
  }
  for (const [options, type] of wrongConnectionOptions()) {
    await assertRejects(() => dial(url, options as DialOptions), type);
  }
  const wrong: unknown[] = [
    { protocols: ["x"] },
    { subprotocols: "chat" },
    { subprotocols: [5] },
    { requireSubprotocol: 1 },
    { headers: 5 },
    { openTimeoutMs: "5" },
    { signal: {} },
    { signal: null },
    { tls: 5 },
  ];
  for (const options of wrong) {
    await assertRejects(() => dial(url, options as DialOptions), TypeError);
  }
  await assertRejects(() => dial(url, { openTimeoutMs: NaN }), RangeError);
});

test("AP-2: dial refuses headers and subprotocols that would change the request", async () => {
  const url = "ws://127.0.0.1:1/";
  const values = [
    "a\r\nEvil: 1",
    "a\nb",
    "a\rb",
    "a\0b",
    "\u0100",
    "\ud83d\udc1f",
    "a\x7fb",
    "a\x01b",
  ];
  for (const value of values) {
    const wrong: DialOptions[] = [
      { headers: { "x-test": value } },
      { headers: [["x-test", value]] },
      { headers: { [`x${value}`]: "1" } },
      { subprotocols: [value] },
    ];
    for (const options of wrong) {
      await assertRejects(() => dial(url, options), TypeError);
    }
  }
  for (const name of ["", "a b", "a:b", "ü", "a\tb", "(x)"]) {
    await assertRejects(
      () => dial(url, { headers: { [name]: "1" } }),
      TypeError,
    );
  }
  for (
    const name of [
      "Host",
      "Connection",
      "Upgrade",
      "Content-Length",
      "Transfer-Encoding",
      "Sec-WebSocket-Key",
      "Sec-WebSocket-Version",
      "Sec-WebSocket-Protocol",
      "sec-websocket-extensions",
      "SEC-WEBSOCKET-ACCEPT",
    ]
  ) {
    await assertRejects(
      () => dial(url, { headers: { [name]: "1" } }),
      TypeError,
    );
  }
  for (const subprotocols of [["a", "a"], [""], ["a,b"], ["a b"], ["a/b"]]) {
    await assertRejects(() => dial(url, { subprotocols }), TypeError);
  }
});

test("AP-5: the message of a HandshakeError quotes nothing of the peer's", async () => {
  const hostile = "\x1b[31mEVIL\x07\x85\u00ad";
  const bytes = Uint8Array.from(
    `HTTP/1.1 403 ${hostile}\r\nX-EVIL: ${hostile}\r\nContent-Length: 4\r\n\r\nEVIL`,
    (character) => character.charCodeAt(0),
  );
  const garbage = Uint8Array.from(
    `EVIL${hostile}\r\n\r\n`,
    (character) => character.charCodeAt(0),
  );
  for (const response of [bytes, garbage]) {
    const { message } = await refusalOf(response);
    assert(!/EVIL|\p{C}/u.test(message), message);
    assert(message.length <= 256);
  }
});

test("AP-6: default answers tell no stack, version or path", async () => {
  class Failing extends Handler {
    static upgrade(request: { url: string }): void {
      if (request.url.endsWith("?upgrade")) {
        throw new Error("secret of upgrade");
      }
    }
    constructor(connection: Connection) {
      super(connection);
      throw new Error("secret of constructor");
    }
  }
  const site = new Site({ onError: () => {} });
  site.addHandler("/failing", Failing);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  const requests = [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /failing HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /failing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "NONSENSE\r\n\r\n",
    "GET / HTTP/3.0\r\n\r\n",
    `GET /${"x".repeat(9000)} HTTP/1.1\r\n\r\n`,
    `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    upgradeRequest("/nowhere"),
    upgradeRequest("/failing"),
    upgradeRequest("/failing?upgrade"),
    upgradeRequest("/failing", { "Sec-WebSocket-Version": "8" }),
    upgradeRequest("/failing", { "Sec-WebSocket-Key": "short" }),
    upgradeRequest("/failing", { Origin: "https://evil.test" }),
  ];
  for (const request of requests) {
    await using raw = await rawConnect(portOf(server));
    raw.write(request);
    raw.end();
    const answer = new TextDecoder().decode(await raw.readToEnd());
    const name = `${request.slice(0, 60)}: ${answer}`;
    assert(/^HTTP\/1\.1 [45]\d\d /.test(answer), name);
    assert(answer.length < 600, name);
    const told =
      /secret|\bat \S+:\d|\.ts\b|\/work|file:|node|deno|\bbun\b|v?\d+\.\d+\.\d+|sockeye|^server:|stack/im;
    assert(!told.test(answer), name);
  }
});
