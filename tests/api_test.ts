/**
 * API hygiene: wrong arguments are refused at once, and what reaches the wire is
 * exactly what was given (AP-1 to AP-6, CL-9). AP-4, comparing secrets in constant
 * time, is in `tests/site/basic_auth_test.ts`.
 */
import { type Connection, dial, type DialOptions } from "../client.ts";
import {
  Handler,
  type HandlerFunction,
  type HandlerOptions,
  type ListenOptions,
  type Sendable,
  type SendOptions,
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
import { opened, refusalOf } from "./client/dialing.ts";
import { closeCode, closePayload } from "./harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "./harness/raw_client.ts";
import { certificate } from "./runtime/recorder.ts";

/** One connection of ours, with the other end in our hands. */
interface End {
  readonly role: "server" | "client";
  readonly connection: Connection;
  readonly raw: RawClient;
}

async function withServerEnd(body: (end: End) => Promise<void>): Promise<void> {
  const accepted = Promise.withResolvers<Connection>();
  class Quiet extends Handler {
    override open(): void {
      accepted.resolve(this.connection);
    }
  }
  const site = new Site();
  site.addHandler("/", Quiet);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  await using raw = await rawUpgrade(portOf(server), "/");
  await body({ role: "server", connection: await accepted.promise, raw });
}

/** Runs a body with a connection of either role. */
async function withBothEnds(body: (end: End) => Promise<void>): Promise<void> {
  await withServerEnd(body);
  await using end = await opened();
  await body({ role: "client", connection: end.connection, raw: end.raw });
}

function portOf(server: Server): number {
  assert(server.addr.transport === "tcp");
  return server.addr.port;
}

/** Asserts that nothing has been sent: the next frame is one sent from here. */
async function assertSilent({ connection, raw }: End): Promise<void> {
  assertEquals(connection.send("marker"), true);
  const { opcode, payload } = await raw.readFrame();
  assertEquals([opcode, new TextDecoder().decode(payload)], [1, "marker"]);
}

/** What is neither text nor bytes. */
const NO_BYTES: unknown[] = [
  0,
  5,
  -1,
  NaN,
  1e9,
  Infinity,
  10n,
  true,
  null,
  undefined,
  {},
  { length: 10 },
  { buffer: new ArrayBuffer(8), byteOffset: 0, byteLength: 8 },
  [],
  [1, 2, 3],
  () => 5,
  Symbol("x"),
  new Date(),
  new String("text"),
  new Map(),
  new SharedArrayBuffer(8),
  Promise.resolve("text"),
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(4), {}),
];

test("AP-1: send, ping and sendStream refuse what is no bytes, and send nothing", async () => {
  await withBothEnds(async (end) => {
    const { connection } = end;
    for (const value of NO_BYTES) {
      assertThrows(() => connection.send(value as string), TypeError);
      if (value === undefined) continue;
      assertThrows(() => connection.ping(value as Uint8Array), TypeError);
    }
    assertThrows(
      () => connection.ping("text" as unknown as Uint8Array),
      TypeError,
    );
    for (const value of [0, NaN, null, undefined, {}, new ArrayBuffer(4)]) {
      assertThrows(() => connection.sendStream(value as string[]), TypeError);
    }
    for (const length of [126, 127, 70_000]) {
      const payload = new Uint8Array(length);
      assertThrows(() => connection.ping(payload), RangeError);
    }
    await assertSilent(end);
  });
});

const CANARY = 0xa5;

/** A buffer full of canaries, with a few bytes of ours in its middle. */
function guarded<T extends ArrayBufferLike>(
  buffer: T,
  from: number,
  size: number,
): T {
  new Uint8Array(buffer).fill(CANARY);
  new Uint8Array(buffer, from, size).forEach((_, i, view) => {
    view[i] = i % 128;
  });
  return buffer;
}

/** Each kind of bytes that may be sent, `size` of them at 16 in their buffer. */
function viewsOf(size: number): [name: string, Sendable][] {
  const plain = () => guarded(new ArrayBuffer(size + 64), 16, size);
  const shared = () => guarded(new SharedArrayBuffer(size + 64), 16, size);
  const resizable = () => {
    const Resizable = ArrayBuffer as unknown as {
      new (size: number, options: { maxByteLength: number }): ArrayBuffer;
    };
    return guarded(
      new Resizable(size + 64, { maxByteLength: size * 2 + 64 }),
      16,
      size,
    );
  };
  return [
    ["Uint8Array", new Uint8Array(plain(), 16, size)],
    ["Int8Array", new Int8Array(plain(), 16, size)],
    ["Uint8ClampedArray", new Uint8ClampedArray(plain(), 16, size)],
    ["Float32Array", new Float32Array(plain(), 16, size / 4)],
    ["BigInt64Array", new BigInt64Array(plain(), 16, size / 8)],
    ["DataView", new DataView(plain(), 16, size)],
    ["ArrayBuffer", plain().slice(16, 16 + size)],
    ["shared Uint8Array", new Uint8Array(shared(), 16, size)],
    ["shared DataView", new DataView(shared(), 16, size)],
    ["resizable Uint8Array", new Uint8Array(resizable(), 16, size)],
    ["resizable DataView", new DataView(resizable(), 16, size)],
    ["resizable ArrayBuffer", resizable().slice(16, 16 + size)],
  ];
}

test("AP-1: exactly the bytes given reach the wire, of any kind and size", async () => {
  await withBothEnds(async ({ role, connection, raw }) => {
    for (const size of [0, 8, 120, 128, 4096, 65_536, 131_072]) {
      for (const [name, data] of viewsOf(size)) {
        connection.send(data);
        const { opcode, payload } = await raw.readFrame();
        assertEquals(opcode, 2);
        const isRight = payload.length === size &&
          payload.every((byte, i) => byte === i % 128);
        assert(isRight, `${role}, ${name}, ${size} bytes`);
        if (size > 125) continue;
        const roundTrip = connection.ping(data as ArrayBufferView);
        const ping = await raw.readFrame();
        assertEquals([ping.opcode, ping.payload.length], [9, size]);
        assert(ping.payload.every((byte, i) => byte === i % 128), name);
        raw.sendFrame({
          opcode: "pong",
          mask: role === "server",
          payload: ping.payload,
        });
        await roundTrip;
      }
    }
  });
});

test("AP-1: a view that follows a resized buffer, and one that was given away", async () => {
  await withBothEnds(async (end) => {
    const { connection, raw } = end;
    const Resizable = ArrayBuffer as unknown as {
      new (size: number, options: { maxByteLength: number }): ArrayBuffer & {
        resize(size: number): void;
      };
    };
    const buffer = new Resizable(8, { maxByteLength: 200_000 });
    const view = new Uint8Array(buffer);
    for (const size of [100, 3, 0, 100_000, 5]) {
      buffer.resize(size);
      view.fill(7);
      connection.send(view);
      // Copied when it was sent, so that what follows does not matter.
      buffer.resize(1);
      const { payload } = await raw.readFrame();
      assertEquals([payload.length, payload.every((byte) => byte === 7)], [
        size,
        true,
      ]);
      buffer.resize(0);
    }
    const gone = new Uint8Array(100);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assertThrows(() => connection.send(gone.buffer), TypeError);
    connection.send(gone); // which has no bytes any more
    assertEquals((await raw.readFrame()).payload.length, 0);
    await assertSilent(end);
  });
});

test("AP-1: a buffer given away while it waits costs that message, no other", async () => {
  await withBothEnds(async ({ connection, raw }) => {
    raw.pause();
    const filler = new Uint8Array(65_536).fill(1);
    while (connection.bufferedAmount < 400_000) {
      connection.send(filler);
      await new Promise((resolve) => setTimeout(resolve));
    }
    const gone = new Uint8Array(60_000).fill(2);
    connection.send("before");
    connection.send(gone);
    connection.send("after");
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    raw.resume();
    let frame = await raw.readFrame();
    while (frame.opcode === 2) frame = await raw.readFrame();
    assertEquals(frame.payload.length, 6);
    // A client masks a copy, so that its message is whole.
    const { payload } = await raw.readFrame();
    assertEquals(payload.length, 60_000);
    assert(payload.every((byte) => byte === payload[0] && byte !== CANARY));
    assertEquals((await raw.readFrame()).payload.length, 5);
  });
});

test("AP-3: sending changes no buffer of the caller's, in either role", async () => {
  await withBothEnds(async ({ role, connection, raw }) => {
    for (const size of [1, 100, 40_000, 49_152, 200_000]) {
      const data = new Uint8Array(size).map((_, i) => i * 13);
      const before = data.slice();
      connection.send(data);
      const { payload } = await raw.readFrame();
      assertEquals([role, size, payload], [role, size, before]);
      assertEquals(data, before);
    }
  });
});

test("AP-3: what is changed after drained does not reach the wire", async () => {
  await withBothEnds(async ({ connection, raw }) => {
    for (const size of [100, 40_000, 200_000]) {
      const data = new Uint8Array(size).fill(1);
      const reading = raw.readFrame();
      connection.send(data);
      // The buffer is over its mark only with the larger ones.
      if (size < 49_152) data.fill(2);
      await connection.drained;
      const { payload } = await reading;
      assert(payload.every((byte) => byte === 1), `${size} bytes`);
    }
  });
});

test("AP-3: bytes that were received are the receiver's", async () => {
  await withBothEnds(async ({ role, connection, raw }) => {
    if (role === "server") return; // its messages go to a hook
    for (const fill of [1, 2, 3]) {
      raw.sendFrame({
        opcode: "binary",
        mask: false,
        payload: new Uint8Array(50).fill(fill),
      });
    }
    for (const fill of [1, 2, 3]) {
      const data = await connection.receive();
      assert(data instanceof Uint8Array);
      assert(data.every((byte) => byte === fill));
      data.fill(0xff);
    }
  });
});

test("CL-9: close() refuses codes and reasons that must not be sent", async () => {
  await withBothEnds(async (end) => {
    const close = (code: unknown, reason?: unknown) => () =>
      end.connection.close(code as number, reason as string);
    for (const code of ["1000", null, {}, [], true, 1000n, new Number(1000)]) {
      assertThrows(close(code), TypeError);
    }
    for (
      const code of [
        -1,
        0,
        1,
        999,
        1000.5,
        1004,
        1005,
        1006,
        1015,
        1016,
        2999,
        5000,
        65_536,
        66_536,
        1e9,
        NaN,
        Infinity,
      ]
    ) assertThrows(close(code), RangeError);
    for (const reason of [5, null, {}, new Uint8Array(3), true]) {
      assertThrows(close(1000, reason), TypeError);
    }
    assertThrows(close(1000, "\ud800"), TypeError);
    assertThrows(close(1000, "a\udc00b"), TypeError);
    assertThrows(close(1000, "x".repeat(124)), RangeError);
    assertThrows(close(1000, "€".repeat(42)), RangeError);
    assertEquals(end.connection.readyState, 1);
    await assertSilent(end);
    // Any well-formed text may travel: a frame has a length, and no line ends.
    const reason = `${"€".repeat(39)}\r\n\0"\t\x7f`;
    void end.connection.close(4999, reason);
    const { opcode, payload } = await end.raw.readFrame();
    assertEquals([opcode, closeCode(payload)], [8, 4999]);
    assertEquals(payload, closePayload(4999, reason));
  });
});

test("AP-1: send refuses options that are unknown or wrong", async () => {
  await withBothEnds(async (end) => {
    for (
      const options of [null, 5, "x", { compres: false }, { compress: 1 }, {
        compress: null,
      }]
    ) {
      assertThrows(
        () => end.connection.send("x", options as SendOptions),
        TypeError,
      );
    }
    await assertSilent(end);
  });
});

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
  for (const value of NO_BYTES) {
    assertThrows(() => site.broadcast(value as string), TypeError);
    assertThrows(() => site.publish("topic", value as string), TypeError);
  }
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
