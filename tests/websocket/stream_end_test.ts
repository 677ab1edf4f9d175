/**
 * How a `WebSocketStream` begins and ends, after `stream/tentative/constructor`,
 * `backpressure-receive`, `close`, `remote-close`, `write` and `websocket-error`
 * of the web platform.
 */
import type { FrameListener } from "../../client.ts";
import {
  WebSocketError,
  WebSocketStream,
  type WebSocketStreamOptions,
} from "../../websocket.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import type { RawClient } from "../harness/raw_client.ts";
import { RawServer } from "../harness/raw_server.ts";
import { pause } from "../site/served.ts";
import { assertRejectsAs, assertThrowsDom, testOurs } from "./shapes.ts";

/** A stream, and the other end of its connection. */
async function withRaw(
  body: (stream: WebSocketStream, raw: RawClient) => Promise<void>,
  options: WebSocketStreamOptions = {},
): Promise<void> {
  await using server = await RawServer.listen();
  const url = `ws://127.0.0.1:${server.port}/`;
  const stream = new WebSocketStream(url, { compression: false, ...options });
  const raw = await server.acceptUpgrade();
  await stream.opened;
  await body(stream, raw);
}

test("stream/constructor: what is no URL, no dictionary, no list", () => {
  const Any = WebSocketStream as unknown as new (...args: unknown[]) => object;
  assertThrows(() => new Any(), TypeError);
  assertThrowsDom("SyntaxError", () => new Any("invalid:"));
  assertThrows(() => new Any("ws://x/", true), TypeError);
  assertThrows(() => new Any("ws://x/", { protocols: "hi" }), TypeError);
});

testOurs("stream/constructor: opened has the right types", async (base) => {
  const stream = new WebSocketStream(new URL(`${base}/echo`), {
    protocols: [],
  });
  const { readable, writable, protocol, extensions } = await stream.opened;
  ReadableStream.prototype.getReader.call(readable);
  WritableStream.prototype.getWriter.call(writable);
  assertEquals([typeof protocol, typeof extensions], ["string", "string"]);
  stream.close();
  await stream.closed;
});

test("stream/backpressure-receive: who does not read makes the peer wait", () =>
  withRaw(async (stream, raw) => {
    const { readable } = await stream.opened;
    const payload = new Uint8Array(65_000).fill(7);
    const head = Uint8Array.of(0x82, 126, 65_000 >> 8, 65_000 & 255);
    let written = 0;
    let isWaiting = false;
    const writing: Promise<void>[] = [];
    while (!isWaiting && written < 1_000) {
      written++;
      raw.write(head);
      const done = raw.writeAll(payload);
      writing.push(done);
      const isDone = await Promise.race([
        done.then(() => true),
        pause(300).then(() => false),
      ]);
      isWaiting = !isDone;
    }
    assert(isWaiting, "65 MB were sent, and nobody has read");
    const reader = readable.getReader();
    for (let i = 0; i < written; i++) {
      assertEquals((await reader.read()).value?.length, 65_000);
    }
    await within(Promise.all(writing), "the last write");
    stream.close();
    assertEquals((await raw.readFrame()).opcode, 8);
    raw.write(Uint8Array.of(0x88, 0));
    raw.end();
    assertEquals((await stream.closed).closeCode, 1005);
  }));

test("stream/close: a handshake that is not completed is unclean", () =>
  withRaw(async (stream, raw) => {
    const { readable } = await stream.opened;
    const reading = readable.getReader().read();
    stream.close({ closeCode: 3000 });
    assertEquals((await raw.readFrame()).opcode, 8);
    raw.end();
    const error = await assertRejectsAs<WebSocketError>(
      "WebSocketError",
      stream.closed,
    );
    assertEquals([error.closeCode, error.reason], [1006, ""]);
    await assertRejectsAs("WebSocketError", reading);
  }));

testOurs(
  "stream/close: a DOMException that is none of ours sets no code",
  async (base) => {
    for (const way of ["abort", "cancel"] as const) {
      const stream = new WebSocketStream(`${base}/echo`);
      const { readable, writable } = await stream.opened;
      const why = new DOMException("yes", "DataCloneError");
      Object.assign(why, { closeCode: 4000, reason: "x" });
      if (way === "abort") await writable.abort(why);
      else await readable.cancel(why);
      const { closeCode, reason } = await stream.closed;
      assertEquals([closeCode, reason], [1005, ""]);
    }
  },
);

test("stream/remote-close: code and reason of the peer, UTF-8, or none", async () => {
  const cases: [number[], number, string][] = [
    [[], 1005, ""],
    [[0x03, 0xe8], 1000, ""],
    [[0x0f, 0xa0, ...new TextEncoder().encode("ロボット")], 4000, "ロボット"],
  ];
  for (const [payload, closeCode, reason] of cases) {
    await withRaw(async (stream, raw) => {
      const { readable, writable } = await stream.opened;
      raw.write(Uint8Array.of(0x88, payload.length, ...payload));
      assertEquals((await raw.readFrame()).opcode, 8);
      raw.end();
      assertEquals(await stream.closed, { closeCode, reason });
      assertEquals((await readable.getReader().read()).done, true);
      const { closed } = writable.getWriter();
      await assertRejectsAs("InvalidStateError", closed);
    });
  }
});

test("stream/remote-close: where both close, what the peer said", () =>
  withRaw(async (stream, raw) => {
    stream.close({ closeCode: 4111, reason: "local" });
    assertEquals((await raw.readFrame()).opcode, 8);
    raw.write(Uint8Array.of(0x88, 3, 0x10, 0x7e, 114));
    raw.end();
    assertEquals(await stream.closed, { closeCode: 4222, reason: "r" });
  }));

test("stream/remote-close, stream/write: what was not written makes it unclean", async () => {
  let seen = (): void => {};
  const closeSeen = new Promise<void>((resolve) => seen = resolve);
  const onFrame: FrameListener = ({ opcode, direction }) => {
    if (opcode === "close" && direction === "received") seen();
  };
  await withRaw(async (stream, raw) => {
    const { writable } = await stream.opened;
    raw.pause();
    const writer = writable.getWriter();
    const writing = writer.write(new Uint8Array(20 * 1024 * 1024));
    const failed = assertRejectsAs<WebSocketError>("WebSocketError", writing);
    // Long enough to fill the buffers on the way.
    await pause(200);
    raw.write(Uint8Array.of(0x88, 2, 0x11, 0xd7));
    await within(closeSeen, "the Close frame at the stream");
    raw.reset();
    const error = await assertRejectsAs<WebSocketError>(
      "WebSocketError",
      stream.closed,
    );
    assertEquals([error.closeCode, error.reason], [4567, ""]);
    assert(await failed === error, "write() rejects with another error");
  }, { onFrame });
});

test("stream/remote-close: after an abrupt end all reject with one error", () =>
  withRaw(async (stream, raw) => {
    const { readable, writable } = await stream.opened;
    raw.reset();
    const error = await assertRejectsAs<WebSocketError>(
      "WebSocketError",
      stream.closed,
    );
    assert(error instanceof WebSocketError);
    assertEquals(error.closeCode, 1006);
    const reader = readable.getReader();
    const writer = writable.getWriter();
    for (const one of [reader.read(), reader.closed, writer.closed]) {
      assert(await assertRejectsAs("WebSocketError", one) === error);
    }
  }));

testOurs(
  "stream/write: no text, a resizable buffer, a shared one: TypeError",
  async (base) => {
    const resizable = new ArrayBuffer(4, { maxByteLength: 8 });
    const toString = () => {
      throw new RangeError("no text");
    };
    const wrong = [
      Symbol("x"),
      resizable,
      new Uint8Array(resizable),
      new Uint8Array(new SharedArrayBuffer(4)),
    ];
    for (const chunk of wrong) {
      const stream = new WebSocketStream(`${base}/echo`);
      const { writable } = await stream.opened;
      const writing = writable.getWriter().write(chunk as ArrayBuffer);
      await assertRejects(() => writing, TypeError);
      stream.close();
      await stream.closed;
    }
    const stream = new WebSocketStream(`${base}/echo`);
    const { writable } = await stream.opened;
    const writing = writable.getWriter().write({ toString } as never);
    await assertRejects(() => writing, RangeError);
    stream.close();
    await stream.closed;
  },
);

test("stream/websocket-error: arguments, defaults and limits", () => {
  const error = new WebSocketError("m", { closeCode: 3456, reason: "r" });
  assertEquals([error.name, error.code, error.message], [
    "WebSocketError",
    0,
    "m",
  ]);
  assertEquals([error.closeCode, error.reason], [3456, "r"]);
  assertEquals(new WebSocketError("", { closeCode: 3333 }).reason, "");
  for (const closeCode of [999, 1001, 2999, 5000]) {
    assertThrowsDom(
      "InvalidAccessError",
      () => new WebSocketError("", { closeCode }),
    );
  }
  // 32 characters, 128 bytes.
  const reason = "\u{1f50c}".repeat(32);
  assertThrowsDom("SyntaxError", () => new WebSocketError("", { reason }));
});
