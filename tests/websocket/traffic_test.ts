/**
 * Messages, and the closing handshake behind them, after `binary`,
 * `closing-handshake`, `extended-payload-length`, `keeping-connection-open` and
 * `send-many-64K-messages-with-backpressure` of the web platform.
 */
import { WebSocket } from "../../websocket.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { RawServer } from "../harness/raw_server.ts";
import { pause } from "../site/served.ts";
import { end, event, opened, testBoth, testOurs } from "./shapes.ts";

testBoth(
  "extended-payload-length, Send-65K-data: lengths on either side of a field's end",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    for (const length of [0, 1, 125, 126, 0xffff, 0x10000]) {
      const answer = event<MessageEvent>(socket, "message");
      const text = "a".repeat(length);
      socket.send(text);
      assertEquals((await answer).data, text);
    }
    await end(socket);
  },
);

testBoth(
  "binary/001, 002: a blob is a Blob, small or large",
  ["bun"],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    for (const size of [10, 100_000]) {
      const answer = event<MessageEvent>(socket, "message");
      socket.send(new ArrayBuffer(size));
      const { data } = await answer;
      assert(data instanceof Blob);
      assertEquals([data.size, data.type], [size, ""]);
    }
    await end(socket);
  },
);

testBoth(
  "binary/004, 005, Send-binary-65K-arraybuffer: an ArrayBuffer",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    socket.binaryType = "arraybuffer";
    assertEquals(socket.binaryType, "arraybuffer");
    for (const size of [10, 65_000, 100_000]) {
      const answer = event<MessageEvent>(socket, "message");
      socket.send(new ArrayBuffer(size));
      const { data } = await answer;
      assert(data instanceof ArrayBuffer);
      assertEquals(data.byteLength, size);
    }
    await end(socket);
  },
);

testBoth(
  "Send-binary-arraybufferview-float16, -float32, -int32: every kind of view",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    socket.binaryType = "arraybuffer";
    const names = ["Float16Array", "Float32Array", "Int32Array"];
    names.push("Uint8ClampedArray", "BigInt64Array");
    const all = globalThis as unknown as Record<string, unknown>;
    for (const name of names) {
      const View = all[name] as typeof Float32Array | undefined;
      // Not every runtime has the first one.
      if (View === undefined) continue;
      const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
      const answer = event<MessageEvent>(socket, "message");
      socket.send(new View(bytes.buffer));
      assertEquals(new Uint8Array((await answer).data), bytes, name);
    }
    await end(socket);
  },
);

testBoth(
  "interfaces bufferedAmount-arraybuffer, -blob, -initial, -large",
  ["deno", "bun"],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    assertEquals(socket.bufferedAmount, 0);
    const messages: [string | ArrayBuffer | Blob, number][] = [
      [new ArrayBuffer(10), 10],
      [new Blob([new Uint8Array(10)]), 10],
      ["x".repeat(65_000), 65_000],
    ];
    for (const [message, size] of messages) {
      const answer = event<MessageEvent>(socket, "message");
      socket.send(message);
      assertEquals(socket.bufferedAmount, size);
      await answer;
      assertEquals(socket.bufferedAmount, 0);
    }
    await end(socket);
  },
);

/** More than the buffers of a kernel take, less than `sendMaxBytes`. */
const COUNT = 200;

testBoth("send-many-64K-messages-with-backpressure: all arrive", [], async (
  Socket,
) => {
  await using server = await RawServer.listen();
  const socket = new Socket(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade();
  await event(socket, "open");
  raw.pause();
  const message = new Uint8Array(65_536);
  for (let i = 0; i < COUNT; i++) socket.send(message);
  // Long enough to fill every buffer on the way.
  await pause(300);
  assert(socket.bufferedAmount > 0, "13 MB have gone although nobody reads");
  raw.resume();
  let count = 0;
  const all = new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => {
      if (data === "65536" && ++count === COUNT) resolve();
    };
  });
  const answer = Uint8Array.of(0x81, 5, ...new TextEncoder().encode("65536"));
  for (let i = 0; i < COUNT; i++) {
    assertEquals((await raw.readFrame()).payload.length, 65_536);
    raw.write(answer);
  }
  await all;
  const closed = event<CloseEvent>(socket, "close");
  socket.close();
  await raw.readFrame();
  raw.write(Uint8Array.of(0x88, 0));
  raw.end();
  assertEquals((await closed).wasClean, true);
});

testOurs("keeping-connection-open: idle, beyond many pings", async (base) => {
  const options = { pingIntervalMs: 20, pingTimeoutMs: 5_000 };
  const socket = new WebSocket(`${base}/echo`, options);
  await event(socket, "open");
  const types: string[] = [];
  const note = ({ type }: Event) => void types.push(type);
  socket.onerror = socket.onclose = note;
  await pause(400);
  assertEquals(types, []);
  const answer = event<MessageEvent>(socket, "message");
  socket.send("test");
  assertEquals((await answer).data, "test");
  socket.close();
  await event(socket, "close");
});

testBoth(
  "Close-delayed: no close event before the peer has answered",
  [],
  async (Socket) => {
    await using server = await RawServer.listen();
    const socket = new Socket(`ws://127.0.0.1:${server.port}/`);
    const raw = await server.acceptUpgrade();
    await event(socket, "open");
    let isClosed = false;
    socket.addEventListener("close", () => isClosed = true);
    const closed = event<CloseEvent>(socket, "close");
    socket.close();
    assertEquals((await raw.readFrame()).opcode, 8);
    await pause(200);
    assertEquals([isClosed, socket.readyState], [false, 2]);
    raw.write(Uint8Array.of(0x88, 0));
    raw.end();
    assertEquals((await closed).wasClean, true);
  },
);

testBoth(
  "closing-handshake/004: what comes behind a Close frame is no message",
  [],
  async (Socket) => {
    await using server = await RawServer.listen();
    const socket = new Socket(`ws://127.0.0.1:${server.port}/`);
    const types: string[] = [];
    const note = ({ type }: Event) => void types.push(type);
    socket.onmessage = socket.onerror = note;
    const raw = await server.acceptUpgrade();
    await event(socket, "open");
    socket.send("Goodbye");
    assertEquals((await raw.readFrame()).opcode, 1);
    const closed = event<CloseEvent>(socket, "close");
    raw.write(Uint8Array.of(0x88, 2, 0x03, 0xe8, 0x81, 1, 65));
    assertEquals((await raw.readFrame()).opcode, 8);
    raw.end();
    const { code, wasClean } = await closed;
    assertEquals([code, wasClean, types.join()], [1000, true, ""]);
  },
);

testBoth(
  "closing-handshake/002: of the server, behind its answer",
  [],
  async (Socket, base) => {
    const socket = await opened(Socket, `${base}/echo`);
    const closed = event<CloseEvent>(socket, "close");
    socket.onmessage = () => socket.close(1000);
    socket.send("Goodbye");
    const { code, wasClean } = await closed;
    assertEquals([code, wasClean], [1000, true]);
  },
);

test("bytes in a shared or resizable buffer are a TypeError", async () => {
  await using server = await RawServer.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade();
  await event(socket, "open");
  const resizable = new ArrayBuffer(4, { maxByteLength: 8 });
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  const wrong = [resizable, new Uint8Array(resizable), shared];
  for (const data of wrong) {
    let caught: unknown;
    try {
      socket.send(data as ArrayBuffer);
    } catch (error) {
      caught = error;
    }
    assert(caught instanceof TypeError);
  }
  assertEquals([socket.readyState, socket.bufferedAmount], [1, 0]);
  const closed = event(socket, "close");
  socket.close();
  // The first frame is the Close frame: nothing else was sent.
  assertEquals((await raw.readFrame()).opcode, 8);
  raw.write(Uint8Array.of(0x88, 0));
  raw.end();
  await closed;
});
