/** `send` and `bufferedAmount`, after the tests `Send-*` of the web platform. */
import { WebSocket } from "../../websocket.ts";
import {
  assertEquals,
  assertMatch,
  assertStrictEquals,
  test,
} from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { RawServer } from "../harness/raw_server.ts";
import {
  type AnySocket,
  assertThrowsDom,
  end,
  event,
  opened,
  OURS,
  testBoth,
  testOurs,
} from "./shapes.ts";

/** Sends something; returns what comes back. */
async function echoed(socket: AnySocket, data: unknown): Promise<unknown> {
  const answer = event<MessageEvent>(socket, "message");
  socket.send(data as string);
  return (await answer).data;
}

testBoth("Send-before-open: InvalidStateError", [], async (Socket, base) => {
  const socket = new Socket(`${base}/echo`);
  assertThrowsDom("InvalidStateError", () => socket.send("x"));
  await event(socket, "open");
  await end(socket);
});

testBoth(
  "Send-data, Send-unicode-data, Send-null: as text",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    for (
      const text of ["", "Message", "¥¥¥¥¥¥", "c".repeat(65_536), "\u{10102}"]
    ) {
      assertEquals(await echoed(socket, text), text);
    }
    assertEquals(await echoed(socket, null), "null");
    assertEquals(await echoed(socket, 12), "12");
    assertEquals(await echoed(socket, { toString: () => "x" }), "x");
    await end(socket);
  },
);

testBoth("Send-Unpaired-Surrogates: U+FFFD", [], async (Socket, base) => {
  const socket = await opened(Socket, `${base}/echo`);
  assertEquals(await echoed(socket, "\ud807"), "\ufffd");
  await end(socket);
});

testBoth(
  "Send-binary-arraybuffer: buffers, and views of every kind",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    socket.binaryType = "arraybuffer";
    const { buffer } = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const views: [unknown, number[]][] = [
      [buffer, [0, 1, 2, 3, 4, 5, 6, 7]],
      [new ArrayBuffer(0), []],
      [new Int8Array(buffer), [0, 1, 2, 3, 4, 5, 6, 7]],
      [new Uint8Array(buffer, 2, 4), [2, 3, 4, 5]],
      [new Int16Array(buffer, 2), [2, 3, 4, 5, 6, 7]],
      [new Uint16Array(buffer, 2, 2), [2, 3, 4, 5]],
      [new Uint32Array(buffer, 4), [4, 5, 6, 7]],
      [new Float64Array(buffer), [0, 1, 2, 3, 4, 5, 6, 7]],
      [new DataView(buffer, 1, 3), [1, 2, 3]],
    ];
    for (const [data, bytes] of views) {
      const answer = await echoed(socket, data) as ArrayBuffer;
      assertEquals(answer instanceof ArrayBuffer, true);
      assertEquals([...new Uint8Array(answer)], bytes);
    }
    await end(socket);
  },
);

testBoth(
  "Send-binary-blob: comes back as a blob",
  ["bun"],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const answer = await echoed(socket, new Blob([Uint8Array.of(1, 2, 3)]));
    assertEquals(answer instanceof Blob, true);
    const bytes = await (answer as Blob).arrayBuffer();
    assertEquals([...new Uint8Array(bytes)], [1, 2, 3]);
    await end(socket);
  },
);

testOurs(
  "bytes are copied, and messages keep their order behind a blob",
  async (base) => {
    const socket = new WebSocket(`${base}/echo`);
    socket.binaryType = "arraybuffer";
    await event(socket, "open");
    const answers: string[] = [];
    socket.onmessage = ({ data }) => {
      answers.push(
        typeof data === "string" ? data : new TextDecoder().decode(data),
      );
    };
    const bytes = new TextEncoder().encode("before");
    socket.send(bytes);
    bytes.fill(0x78);
    socket.send(new Blob(["blob"]));
    const later = new TextEncoder().encode("bytes");
    socket.send(later.buffer);
    later.fill(0x78);
    const view = new TextEncoder().encode("a view");
    socket.send(view.subarray(2));
    view.fill(0x78);
    socket.send("text");
    assertEquals(socket.bufferedAmount, 6 + 4 + 5 + 4 + 4);
    // What was sent before leaves first, also what is still being read.
    const closed = event<CloseEvent>(socket, "close");
    socket.send(new Blob(["last"]));
    const all = new Promise<void>((resolve) => {
      socket.addEventListener(
        "message",
        () => answers.length === 6 && resolve(),
      );
    });
    await all;
    const texts = ["before", "blob", "bytes", "view", "text", "last"];
    assertEquals(answers, texts);
    socket.close();
    assertEquals((await closed).wasClean, true);
  },
);

test("a close waits for the blobs that were sent before", async () => {
  await using server = await RawServer.listen();
  const compression = false;
  const url = `ws://127.0.0.1:${server.port}/`;
  const socket = new WebSocket(url, { compression });
  const raw = await server.acceptUpgrade();
  await event(socket, "open");
  socket.send(new Blob(["x".repeat(100_000)]));
  socket.close(3000, "done");
  assertEquals(socket.readyState, 2);
  const { opcode, payload } = await raw.readFrame();
  assertEquals([opcode, payload.length], [2, 100_000]);
  assertEquals((await raw.readFrame()).opcode, 8);
  const closed = event<CloseEvent>(socket, "close");
  raw.end();
  await closed;
});

testOurs("bytes are copied, be they many", async (base) => {
  for (const compression of [true, false]) {
    const socket = new WebSocket(`${base}/echo`, { compression });
    socket.binaryType = "arraybuffer";
    await event(socket, "open");
    const bytes = new Uint8Array(1_000_000).fill(7);
    socket.send(bytes);
    bytes.fill(0);
    const { data } = await event<MessageEvent>(socket, "message");
    const isWhole = new Uint8Array(data).every((byte) => byte === 7);
    assertEquals([data.byteLength, isWhole], [1_000_000, true]);
    socket.close();
    await event(socket, "close");
  }
});

testOurs("bufferedAmount: payload, although it is compressed", async (base) => {
  const socket = new WebSocket(`${base}/echo`, { compression: true });
  await event(socket, "open");
  socket.send("a".repeat(300_000));
  assertEquals(socket.bufferedAmount, 300_000);
  await Promise.resolve();
  assertEquals(socket.bufferedAmount, 300_000);
  await event(socket, "message");
  assertEquals(socket.bufferedAmount, 0);
  socket.close();
  await event(socket, "close");
});

testOurs("a blob that cannot be read drops the connection", async (base) => {
  const socket = new WebSocket(`${base}/echo`);
  await event(socket, "open");
  const gone = new Blob(["x"]);
  gone.arrayBuffer = () => Promise.reject(new Error("the file is gone"));
  socket.send(gone);
  assertEquals((await event<CloseEvent>(socket, "close")).wasClean, false);
});

testBoth("bufferedAmount: bytes of UTF-8, which do not fall during a task", [
  "bun",
], async (Socket, base) => {
  const socket = await opened(Socket, `${base}/echo`);
  let count = 0;
  const both = new Promise<void>((resolve) => {
    socket.addEventListener("message", () => ++count === 2 && resolve());
  });
  socket.send("¥€\u{10102}a");
  assertEquals(socket.bufferedAmount, 2 + 3 + 4 + 1);
  await Promise.resolve();
  socket.send(new Uint8Array(100));
  assertEquals(socket.bufferedAmount, 110);
  await within(both, "both answers");
  assertEquals(socket.bufferedAmount, 0);
  await end(socket);
});

testOurs("bufferedAmount: what is sent too late stays", async (base) => {
  const socket = await opened(OURS, `${base}/echo`);
  const closed = event(socket, "close");
  socket.close();
  socket.send("abc");
  assertEquals(socket.bufferedAmount, 3);
  await closed;
  socket.send(new ArrayBuffer(5));
  socket.send(new Blob(["xy"]));
  assertEquals(socket.bufferedAmount, 10);
});

testOurs("binaryType: anything else changes nothing", async (base) => {
  const socket = new WebSocket(`${base}/echo`);
  (socket as { binaryType: string }).binaryType = "notBlobOrArrayBuffer";
  assertStrictEquals(socket.binaryType, "blob");
  socket.binaryType = "arraybuffer";
  assertStrictEquals(socket.binaryType, "arraybuffer");
  socket.close();
  await event(socket, "close");
});

testOurs("compression is agreed on where it is asked for", async (base) => {
  const socket = new WebSocket(`${base}/echo`, { compression: true });
  await event(socket, "open");
  const text = "compress me ".repeat(1_000);
  const answer = event<MessageEvent>(socket, "message");
  socket.send(text);
  assertEquals((await answer).data, text);
  assertMatch(socket.extensions, /^permessage-deflate\b/);
  socket.close();
  await event(socket, "close");
});
