/**
 * What a connection does, as the seed systems' users know it (TW5, TW7, AB6 and WS30
 * to WS41), in memory.
 */
import { ClosedError, type CloseInfo } from "../../client.ts";
import { type Connection, Handler } from "../../server.ts";
import { connect, FakeClock, RawPeer, settle } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";

/** Notes its hooks. */
class Noting extends Handler {
  readonly calls: string[] = [];

  override open(): void {
    this.calls.push("open");
  }

  override message(data: string | Uint8Array): void {
    this.calls.push(
      typeof data === "string" ? data.slice(0, 8) : `${data.length} B`,
    );
  }

  override close({ code, wasClean }: CloseInfo): void {
    this.calls.push(`close ${code} ${wasClean}`);
  }
}

/** Takes nothing by itself. */
class Idle extends Handler {}

test("TW5: open comes once and first, also when frames share a segment with the handshake", async () => {
  const early = [{ payload: "one" }, { payload: "two" }, { code: 1000 }];
  await using client = await RawPeer.connect(Noting, { early });
  assertEquals((await client.readFrame()).code, 1000);
  client.end();
  await client.connection.closed;
  assertEquals((client.handler as Noting).calls, [
    "open",
    "one",
    "two",
    "close 1000 true",
  ]);

  const made: Noting[] = [];
  class Kept extends Noting {
    constructor(connection: Connection) {
      super(connection);
      made.push(this);
    }
  }
  await using server = await RawPeer.accept({ handler: Kept, early });
  assertEquals((await server.readFrame()).code, 1000);
  server.end();
  await server.connection.closed;
  assertEquals(made.map(({ calls }) => calls), [[
    "open",
    "one",
    "two",
    "close 1000 true",
  ]]);
});

test("TW7: fragments, and a frame that arrives in pieces, are one message each", async () => {
  for (const chunkBytes of [1, 7, Infinity]) {
    await using peer = await RawPeer.connect(Noting, { chunkBytes });
    peer.sendFrame(
      { payload: "hel", fin: false },
      { opcode: "ping" },
      { payload: "lo", opcode: "continuation" },
      { payload: new Uint8Array(30_000), opcode: "binary" },
      { payload: "", fin: false },
      { payload: "", opcode: "continuation" },
    );
    await settle();
    const { calls } = peer.handler as Noting;
    assertEquals([chunkBytes, ...calls], [
      chunkBytes,
      "open",
      "hello",
      "30000 B",
      "",
    ]);
  }
});

test("AB6: open, messages, close with its report; async hooks one after the other", async () => {
  const log: string[] = [];
  class Slow extends Handler {
    override async message(data: string | Uint8Array): Promise<void> {
      log.push(`begin ${data}`);
      await settle();
      await settle();
      log.push(`end ${data}`);
    }

    override close({ code, reason, wasClean, cause }: CloseInfo): void {
      log.push(`close ${code} ${reason} ${wasClean} ${cause}`);
    }
  }
  await using pair = await connect(Slow);
  for (const text of ["a", "b", "c"]) pair.client.send(text);
  await pair.client.close(4000, "bye");
  await settle();
  assertEquals(log, [
    "begin a",
    "end a",
    "begin b",
    "end b",
    "begin c",
    "end c",
    "close 4000 bye true peer",
  ]);
});

test("WS30: calls of receive() are served in order, and what came before the end can be taken after it", async () => {
  using clock = new FakeClock();
  await using pair = await connect(Idle);
  const { client, server } = pair;
  const waiting = [1, 2, 3].map(() => server.receive());
  for (const text of ["a", "b", "c", "d", "e"]) client.send(text);
  assertEquals(await Promise.all(waiting), ["a", "b", "c"]);
  void client.close();
  // Who takes messages has half of closeTimeoutMs to say something to them.
  await clock.advance(6_000);
  assertEquals(server.readyState, 3);
  assertEquals([await server.receive(), await server.receive()], ["d", "e"]);
  await assertRejects(() => server.receive(), ClosedError, "code 1000");
});

test("WS30, WS31: leaving a loop leaves the connection open, another one goes on", async () => {
  await using pair = await connect(Idle);
  const { client, server } = pair;
  for (const text of ["a", "b", "c"]) client.send(text);
  for await (const message of server) {
    assertEquals(message, "a");
    break;
  }
  assertEquals(server.readyState, 1);
  void client.close();
  const rest = [];
  for await (const message of server) rest.push(message);
  assertEquals(rest, ["b", "c"]);
});

test("WS31, WS37: a loop ends after 1000, 1001 and no code; any other code is an error that tells it", async () => {
  const codes = [undefined, 1000, 1001, 1011, 1012, 1013, 3000, 4999];
  for (const code of codes) {
    await using peer = await RawPeer.accept();
    peer.sendFrame(code === undefined ? { opcode: "close" } : { code });
    const loop = async (): Promise<void> => {
      for await (const _ of peer.connection) assert(false, "a message");
    };
    if (code === undefined || code < 1002) {
      await loop();
    } else {
      const error = await assertRejects(loop, ClosedError, `code ${code}`);
      const { info } = error as ClosedError;
      assertEquals(
        [info.code, info.received?.code, info.sent?.code, info.wasClean],
        [code, code, code, true],
      );
    }
  }
});

test("WS33: text and bytes of any kind go, an object does not; what is nothing sends nothing", async () => {
  await using pair = await connect(Idle);
  const { client, server } = pair;
  const bytes = Uint8Array.of(1, 2, 3, 4);
  for (
    const data of [bytes, bytes.buffer, new DataView(bytes.buffer, 1, 2), ""]
  ) {
    client.send(data);
  }
  assertEquals(await server.receive(), bytes);
  assertEquals(await server.receive(), bytes);
  assertEquals(await server.receive(), Uint8Array.of(2, 3));
  assertEquals(await server.receive(), "");
  for (const data of [{}, null, 5, ["a"], true]) {
    const wrong = data as unknown as string;
    assertThrows(() => client.send(wrong), TypeError, "neither a string nor");
  }
  await client.sendStream([]);
  client.send("next");
  assertEquals(await server.receive(), "next");
});

test("WS33: an iterable is one message of fragments, others wait, Pings do not", async () => {
  await using peer = await RawPeer.accept();
  const { connection } = peer;
  const gate = Promise.withResolvers<void>();
  const sent = connection.sendStream((async function* () {
    yield "a";
    yield "b";
    await gate.promise;
    yield "c";
  })());
  await settle();
  connection.send("after");
  void connection.ping();
  await settle();
  gate.resolve();
  await sent;
  await settle();
  const frames = peer.takeFrames().map(({ opcode, fin, text }) =>
    opcode === "ping" ? opcode : `${opcode} ${fin} ${text}`
  );
  assertEquals(frames, [
    "text false a",
    "ping",
    "continuation false b",
    "continuation true c",
    "text true after",
  ]);

  const mixed = ["text", Uint8Array.of(1)];
  await assertRejects(() => connection.sendStream(mixed), TypeError);
  await settle();
  assertEquals(peer.takeFrames().at(-1)?.code, 1011);
});

test("WS34: close() is checked before anything changes, and idempotent", async () => {
  await using pair = await connect(Idle);
  const { client, server } = pair;
  assertThrows(() => client.close(1000, "é".repeat(62)), RangeError);
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000]) {
    assertThrows(() => client.close(code), RangeError);
  }
  assertEquals(client.readyState, 1);
  client.send("still open");
  assertEquals(await server.receive(), "still open");
  const first = client.close(3001, "é".repeat(61));
  const second = client.close(3002);
  void server.receive().catch(() => {});
  assertEquals(await first, await second);
  assertEquals((await server.closed).code, 3001);
  assertEquals((await server.closed).reason.length, 61);
});

test("WS34: close() in the middle of a sendStream ends it", async () => {
  await using pair = await connect(Idle);
  const { client, server } = pair;
  const never = Promise.withResolvers<void>();
  const sent = client.sendStream((async function* () {
    yield "a";
    yield "b";
    await never.promise;
  })());
  await settle();
  void client.close(3003);
  await assertRejects(() => sent, ClosedError);
  assertEquals((await server.closed).code, 3003);
  await assertRejects(() => server.receive(), ClosedError);
});

test("WS35: a Pong answers its Ping and those before it; a payload twice is refused; the end rejects", async () => {
  await using peer = await RawPeer.accept();
  const { connection } = peer;
  const settled: number[] = [];
  const pings = [1, 2, 3].map((byte, index) => {
    const ping = connection.ping(Uint8Array.of(byte));
    ping.then(() => settled.push(index), () => {});
    return ping;
  });
  assertThrows(
    () => connection.ping(Uint8Array.of(2)),
    Error,
    "is under way",
  );
  peer.sendFrame({ opcode: "pong", payload: Uint8Array.of(2) });
  await settle();
  assertEquals(settled, [0, 1]);
  peer.sendFrame({ opcode: "pong", payload: "nobody's" });
  await settle();
  assertEquals(settled, [0, 1]);
  connection.ping();
  await settle();
  assertEquals(peer.takeFrames().map(({ payload }) => payload.length), [
    1,
    1,
    1,
    4,
  ]);
  peer.reset();
  await assertRejects(() => pings[2]!, ClosedError);
  await assertRejects(() => connection.ping(), ClosedError);
});

test("WS36: a connection tells its state, addresses, request, subprotocol and latency", async () => {
  await using pair = await connect(Idle, {
    path: "/a?b=c",
    subprotocols: ["x"],
    handlerOptions: { subprotocols: ["x"] },
    headers: { "X-One": "1" },
    remoteAddress: "192.0.2.1",
  });
  const { client, server } = pair;
  assertEquals(server.remoteAddress, client.localAddress);
  assertEquals(server.localAddress, client.remoteAddress);
  assert(server.remoteAddress.transport === "tcp");
  assertEquals(server.remoteAddress.hostname, "192.0.2.1");
  assertEquals(server.request.method, "GET");
  assertEquals(server.request.url, "ws://localhost/a?b=c");
  assertEquals(server.request.headers.get("x-one"), "1");
  assertEquals(client.request.url, server.request.url);
  assertEquals([client.subprotocol, server.subprotocol], ["x", "x"]);
  assertEquals([client.readyState, client.latencyMs], [1, undefined]);
  assert(await client.ping() >= 0 && client.latencyMs !== undefined);
  const closed = client.close();
  assertEquals(client.readyState, 2);
  await closed;
  assertEquals([client.readyState, server.readyState], [3, 3]);
});

test("WS37: the error of an end has both Close frames, and what came of it", async () => {
  await using peer = await RawPeer.accept();
  const waiting = peer.connection.receive();
  peer.sendFrame({ code: 1012, payload: "restarting" });
  const error = await assertRejects(() => waiting, ClosedError) as ClosedError;
  const { code, reason, sent, received, cause, wasClean } = error.info;
  assertEquals([code, reason, cause, wasClean], [
    1012,
    "restarting",
    "peer",
    true,
  ]);
  assertEquals([sent?.code, received?.code], [1012, 1012]);
});

test("WS39: what is not taken makes reading pause; what is taken makes it go on", async () => {
  await using peer = await RawPeer.accept({ capacityBytes: 1_000 });
  const { connection } = peer;
  const payload = "x".repeat(1_000);
  for (let i = 0; i < 100; i++) peer.sendFrame({ payload });
  await settle();
  // 16 messages wait with the connection, the rest on its way.
  assert(connection.stats.messagesReceived <= 20);
  for (let i = 0; i < 100; i++) {
    assertEquals(await connection.receive(), payload);
  }
});

test("WS40: text that is no UTF-8 fails as its bytes arrive, whether or not anybody takes it", async () => {
  await using peer = await RawPeer.connect(Idle);
  peer.sendFrame({ payload: Uint8Array.of(0x61, 0xff), fin: false });
  assertEquals((await peer.readFrame()).code, 1007);
  peer.end();
  assertEquals((await peer.connection.closed).cause, "protocol-error");
});

test("WS41: a message over the limit fails at its header, and over all its fragments", async () => {
  const handlerOptions = { maxMessageBytes: 1_000 };
  await using peer = await RawPeer.connect(Noting, { handlerOptions });
  peer.sendFrame({ payload: "x".repeat(1_000) });
  // 1,001 bytes would follow, after the mask.
  peer.write(Uint8Array.of(0x82, 0xfe, 0x03, 0xe9, 1, 2, 3, 4));
  assertEquals((await peer.readFrame()).code, 1009);
  peer.end();
  assertEquals((await peer.connection.closed).cause, "too-big");
  assertEquals((peer.handler as Noting).calls.slice(0, 2), [
    "open",
    "xxxxxxxx",
  ]);

  await using other = await RawPeer.connect(Noting, { handlerOptions });
  other.sendFrame(
    { payload: "x".repeat(600), fin: false },
    { payload: "x".repeat(401), opcode: "continuation" },
  );
  assertEquals((await other.readFrame()).code, 1009);
});
