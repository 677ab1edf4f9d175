/**
 * CI-4, CI-5, CI-10 and CI-11 for whoever takes messages in another way than one
 * by one: limits and checks hold there, too.
 */
import process from "node:process";
import { constants, deflateRawSync } from "node:zlib";
import { type CloseInfo, type Connection, dial } from "../../client.ts";
import { ClosedError } from "../../connection.ts";
import { HandshakeError } from "../../client.ts";
import { WebSocketError, WebSocketStream } from "../../websocket.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  test,
} from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { within } from "../harness/deadline.ts";
import { closeCode, frame } from "../harness/frame.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";

const MEBIBYTE = 1_048_576;
const DEFLATE = "permessage-deflate";
const HEADER = "Sec-WebSocket-Extensions";

/** What came of a connection. */
interface Taken {
  readonly messages: unknown[];
  /** What the taking ended with; `undefined` where it ended in good order. */
  readonly error: unknown;
  readonly info?: CloseInfo;
}

async function collect(source: AsyncIterable<unknown>): Promise<Taken> {
  const messages: unknown[] = [];
  try {
    for await (const message of source) messages.push(message);
  } catch (error) {
    return { messages, error };
  }
  return { messages, error: undefined };
}

async function* received(connection: Connection): AsyncGenerator<unknown> {
  for (;;) yield await connection.receive();
}

/** Messages that come in pieces, once they are whole. */
async function* pieced(connection: Connection): AsyncGenerator<unknown> {
  for (;;) {
    const message = await connection.receiveStream();
    const pieces: unknown[] = [];
    for await (const piece of message) pieces.push(piece);
    yield message.binary ? pieces : pieces.join("");
  }
}

/** The stream's chunks: not every runtime has its iterator. */
async function* chunks(stream: ReadableStream): AsyncGenerator<unknown> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Takes all messages of a connection, and its report. */
function taking(
  toSource: (connection: Connection) => AsyncIterable<unknown>,
): (url: string) => Promise<Taken> {
  return async (url) => {
    const connection = await dial(url);
    const taken = await collect(toSource(connection));
    return { ...taken, info: await connection.closed };
  };
}

/** Takes all messages of a `WebSocketStream`. */
async function takeStream(url: string): Promise<Taken> {
  const stream = new WebSocketStream(url);
  stream.closed.catch(() => {});
  const { readable } = await stream.opened;
  const taken = await collect(chunks(readable));
  const closed = await stream.closed.catch((error: unknown) => error);
  assert(closed instanceof WebSocketError);
  assertEquals(closed.closeCode, 1006);
  return taken;
}

/** Ways of taking messages. */
const WAYS: [name: string, take: (url: string) => Promise<Taken>][] = [
  ["receive()", taking(received)],
  ["receiveStream()", taking(pieced)],
  ["iteration", taking((connection) => connection)],
  ["readable", taking((connection) => chunks(connection.readable))],
  ["WebSocketStream", takeStream],
];

/** Serves one who takes messages so; returns what came of it, and its Close. */
async function takenFrom(
  take: (url: string) => Promise<Taken>,
  serve: (raw: RawClient) => void | Promise<void>,
  headers?: Record<string, string>,
): Promise<{ taken: Taken; code: number }> {
  await using server = await RawServer.listen();
  const taking = take(`ws://127.0.0.1:${server.port}/`);
  taking.catch(() => {});
  const raw = await server.acceptUpgrade(headers);
  await serve(raw);
  const close = await raw.readFrame();
  assertEquals(close.opcode, 8);
  raw.end();
  return {
    taken: await within(taking, "the end", 20_000),
    code: closeCode(close.payload),
  };
}

function assertFailed({ error, info }: Taken, name: string): void {
  if (info === undefined) return assert(error instanceof WebSocketError, name);
  assert(error instanceof ClosedError, `${name}: ${error}`);
  assertStrictEquals(error.info, info);
}

const text = (payload: string) => frame({ payload });
const part = (size: number, opcode: "binary" | "continuation") =>
  frame({ opcode, fin: false, payload: new Uint8Array(size) });
const BREACHES: [name: string, Uint8Array, code: number][] = [
  ["masked", frame({ mask: true, payload: "x" }), 1002],
  ["reserved bits", frame({ rsv: 4, payload: "x" }), 1002],
  ["FR-3: 2^63-1", frame({ length: 2n ** 63n - 1n }), 1009],
  ["FR-3: top bit", frame({ length: 2n ** 63n }), 1002],
  ["FR-2", frame({ opcode: "binary", length: MEBIBYTE + 1 }), 1009],
  [
    "FG-1",
    concat(
      part(1, "binary"),
      ...Array.from({ length: 16_384 }, () => part(1, "continuation")),
    ),
    1008,
  ],
  [
    "FG-3",
    concat(
      part(0, "binary"),
      ...Array.from({ length: 16_384 }, () => part(0, "continuation")),
    ),
    1008,
  ],
  [
    "FG-4",
    concat(part(600_000, "binary"), part(500_000, "continuation")),
    1009,
  ],
  ["FG-7", frame({ opcode: "continuation" }), 1002],
  ["UT-1", frame({ payload: Uint8Array.of(0x61, 0xff) }), 1007],
  ["CL-3", frame({ opcode: "close", payload: "x" }), 1002],
  ["CT-1", frame({ opcode: "ping", payload: new Uint8Array(126) }), 1002],
];

for (const [way, take] of WAYS) {
  test(`CI-10: breaches end who takes by ${way}, after what came before`, async () => {
    for (const [name, bytes, code] of BREACHES) {
      const seen = await takenFrom(take, (raw) => {
        raw.write(text("one"), text("two"), bytes, text("late"));
      });
      assertEquals([name, seen.code], [name, code]);
      assertEquals([name, ...seen.taken.messages], [name, "one", "two"]);
      assertFailed(seen.taken, name);
    }
  });
}

/** Zeros, as often as wished, that inflate to a mebibyte each. */
function bomb(mebibytes: number): Uint8Array {
  const block = deflateRawSync(new Uint8Array(MEBIBYTE), {
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return concat(...Array.from({ length: mebibytes }, () => block));
}

/** The same message in one frame, or cut into many. */
function compressed(payload: Uint8Array, pieces: number): Uint8Array {
  const size = Math.ceil(payload.length / pieces);
  return concat(
    ...Array.from({ length: pieces }, (_, at) =>
      frame({
        opcode: at === 0 ? "binary" : "continuation",
        rsv: at === 0 ? 4 : 0,
        fin: at === pieces - 1,
        payload: payload.subarray(at * size, (at + 1) * size),
      })),
  );
}

for (const [way, take] of WAYS) {
  test(`CI-11: a bomb ends who takes by ${way} with 1009, and takes no memory`, async () => {
    const bytes = bomb(900);
    assert(bytes.length < MEBIBYTE, "it would be too big as it is");
    for (const pieces of [1, 100]) {
      const before = process.memoryUsage().rss;
      const seen = await takenFrom(take, (raw) => {
        raw.write(compressed(bytes, pieces));
      }, { [HEADER]: DEFLATE });
      assertEquals([pieces, seen.code], [pieces, 1009]);
      assertEquals(seen.taken.messages, []);
      assertFailed(seen.taken, way);
      if (seen.taken.info) assertEquals(seen.taken.info.cause, "too-big");
      // Whole it would take 900 MiB. What other tests leave behind in the same
      // process counts as well.
      const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
      assert(grown < 450, `${grown} MiB`);
    }
  });
}

test("CI-11: a bomb without a limit is inflated no further than it is taken", async () => {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, {
    maxStreamBytes: Infinity,
  });
  const raw = await server.acceptUpgrade({ [HEADER]: DEFLATE });
  const connection = await dialing;
  const before = process.memoryUsage().rss;
  raw.write(compressed(bomb(2_048), 100));
  let size = 0;
  for await (const piece of await connection.receiveStream()) {
    size += piece.length;
    assert(piece.length < MEBIBYTE, `${piece.length} at once`);
    if (size > 16 * MEBIBYTE) break;
  }
  const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
  assert(grown < 450, `${grown} MiB`);
  connection.terminate();
  await connection.closed;
});

test("CI-11: a message that inflates to the limit is delivered, one byte more is not", async () => {
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade({ [HEADER]: DEFLATE });
  const connection = await dialing;
  const send = (size: number) => {
    const bytes = deflateRawSync(new Uint8Array(size), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    raw.write(compressed(bytes.subarray(0, -4), 1));
  };
  send(MEBIBYTE);
  assertEquals((await connection.receive()).length, MEBIBYTE);
  send(MEBIBYTE + 1);
  await assertRejects(() => connection.receive(), ClosedError);
  assertEquals(closeCode((await raw.readFrame()).payload), 1009);
  raw.end();
  assertEquals((await connection.closed).cause, "too-big");
});

/** What a `WebSocketStream` makes of a response. */
async function streamError(
  toResponse: (head: string) => string | Uint8Array,
): Promise<HandshakeError> {
  await using server = await RawServer.listen();
  const stream = new WebSocketStream(`ws://127.0.0.1:${server.port}/`);
  const opened = assertRejects(() => stream.opened, WebSocketError);
  const closed = assertRejects(() => stream.closed, WebSocketError);
  const raw = await server.accept();
  raw.write(toResponse(await raw.readHead()));
  const error = await within(opened, "the refusal");
  await within(closed, "the end");
  await raw.readToEnd();
  assert(error.cause instanceof HandshakeError, String(error.cause));
  return error.cause;
}

test("CI-4: a stream is not opened by a thousand headers, or critical ones twice", async () => {
  const many: Record<string, string> = {};
  for (let i = 0; i < 1000; i++) many[`X-${i}`] = "1";
  const tooMany = await streamError((head) => upgradeResponse(head, many));
  assertEquals(tooMany.reason, "response-head-too-big");
  const twice = [
    ["Upgrade", "bad-upgrade"],
    ["Sec-WebSocket-Accept", "bad-accept"],
  ] as const;
  for (const [name, reason] of twice) {
    const error = await streamError((head) =>
      upgradeResponse(head).replace(
        new RegExp(`${name}: .*\r\n`),
        (line) => line + line,
      )
    );
    assertEquals([name, error.reason], [name, reason]);
  }
});

test("CI-5: a stream is not harmed by bytes beyond ASCII in headers", async () => {
  const bytes = Uint8Array.from({ length: 128 }, (_, i) => 128 + i);
  const cases: [name: string, reason: string][] = [
    ["Sec-WebSocket-Protocol", "subprotocol-not-offered"],
    ["Sec-WebSocket-Extensions", "malformed-extension"],
    ["Sec-WebSocket-Accept", "bad-accept"],
    ["Upgrade", "bad-upgrade"],
    ["Connection", "bad-connection"],
  ];
  for (const [name, reason] of cases) {
    const error = await streamError((head) => {
      const [before = "", after = ""] = upgradeResponse(head, { [name]: "@" })
        .split("@");
      return concat(before, bytes, after);
    });
    assertEquals([name, error.reason], [name, reason]);
  }
});
