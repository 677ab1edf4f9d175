/** Bytes that are sent: of whatever realm, or transferred; and what is left of them. */
import { runInNewContext } from "node:vm";
import { WebSocket, WebSocketStream } from "../../websocket.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { RawServer } from "../harness/raw_server.ts";
import { pause } from "../site/served.ts";
import { event, opened, OURS, testOurs } from "./shapes.ts";

/** Bytes 1, 2, 3 in the classes of another realm, and how many in all. */
const BUFFERS = [
  ["new Uint8Array([1, 2, 3]).buffer", 3],
  ["new Uint8Array([1, 2, 3])", 3],
  ["new Uint16Array([0, 0x201, 3, 0]).subarray(1, 3)", 4],
  ["new DataView(new Uint8Array([0, 1, 2, 3]).buffer, 1)", 3],
] as const;

/** Buffers whose content is somewhere else by now. */
function transferred(): (ArrayBuffer | ArrayBufferView)[] {
  const buffer = new ArrayBuffer(4);
  const view = new Uint8Array(4);
  for (const gone of [buffer, view.buffer]) {
    structuredClone(gone, { transfer: [gone] });
  }
  return [buffer, view];
}

testOurs("send: bytes of another realm are bytes", async (base) => {
  const socket = await opened(OURS, `${base}/echo`);
  socket.binaryType = "arraybuffer";
  for (const [code, length] of BUFFERS) {
    const answer = event<MessageEvent>(socket, "message");
    socket.send(runInNewContext(code));
    assertEquals(socket.bufferedAmount, length);
    const { data } = await answer;
    assert(data instanceof ArrayBuffer, `sent as a text: ${code}`);
    assertEquals([...new Uint8Array(data)].slice(0, 3), [1, 2, 3]);
  }
  for (
    const code of [
      "new Uint8Array(new SharedArrayBuffer(4))",
      "new ArrayBuffer(4, { maxByteLength: 8 })",
    ]
  ) assertThrows(() => socket.send(runInNewContext(code)), TypeError);
  const closed = event(socket, "close");
  socket.close();
  await closed;
});

testOurs(
  "send: of a buffer that was transferred no bytes are left",
  async (base) => {
    const socket = await opened(OURS, `${base}/echo`);
    for (const gone of transferred()) {
      const answer = event<MessageEvent<Blob>>(socket, "message");
      socket.send(gone as ArrayBuffer);
      assertEquals((await answer).data.size, 0);
    }
    const closed = event(socket, "close");
    socket.close();
    await closed;
  },
);

testOurs(
  "stream/write: bytes of another realm, or transferred",
  async (base) => {
    const stream = new WebSocketStream(`${base}/echo`);
    const { readable, writable } = await stream.opened;
    const reader = readable.getReader();
    const writer = writable.getWriter();
    const echoed = async (bytes: BufferSource): Promise<number> => {
      await writer.write(bytes);
      const { value } = await reader.read();
      assert(value instanceof Uint8Array, "sent as a text");
      return value.length;
    };
    for (const [code, length] of BUFFERS) {
      assertEquals(await echoed(runInNewContext(code)), length);
    }
    for (const gone of transferred()) {
      assertEquals(await echoed(gone as ArrayBuffer), 0);
    }
    stream.close();
    await stream.closed;
  },
);

testOurs(
  "bufferedAmount: asked for right after each send, it falls too",
  async (base) => {
    const socket = await opened(OURS, `${base}/echo`);
    for (let i = 1; i <= 5; i++) {
      const answer = event(socket, "message");
      socket.send("x".repeat(i));
      assertEquals(socket.bufferedAmount, i);
      await answer;
    }
    const closed = event(socket, "close");
    socket.close();
    await closed;
  },
);

test("bufferedAmount: what a connection took along when it broke stays", async () => {
  await using server = await RawServer.listen();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  const raw = await server.acceptUpgrade();
  await event(socket, "open");
  raw.pause();
  const size = 65_536;
  // More than the buffers of a kernel take, less than `sendMaxBytes`.
  for (let i = 0; i < 200; i++) socket.send(new Uint8Array(size));
  // Long enough to fill every buffer on the way.
  await pause(300);
  const before = socket.bufferedAmount;
  assert(before > 0, "13 MB have gone although nobody reads");
  const closed = event(socket, "close");
  raw.reset();
  await closed;
  const after = socket.bufferedAmount;
  assert(after > 0 && after <= before, `${after} of ${before}`);
  await pause(20);
  assertEquals(socket.bufferedAmount, after);
  socket.send("abc");
  assertEquals(socket.bufferedAmount, after + 3);
});

test("bufferedAmount: nobody has asked for it before the connection broke", async () => {
  await using server = await RawServer.listen();
  for (const isLate of [false, true]) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    const raw = await server.acceptUpgrade();
    await event(socket, "open");
    const closed = event(socket, "close");
    if (isLate) raw.pause();
    socket.send(new Uint8Array(isLate ? 12_000_000 : 5));
    if (isLate) await pause(300);
    else await raw.readFrame();
    raw.reset();
    await closed;
    const left = socket.bufferedAmount;
    assert(isLate ? left > 0 : left === 0, `${left}`);
  }
});

testOurs(
  "bufferedAmount: nothing is left after a close in good order",
  async (base) => {
    const socket = await opened(OURS, `${base}/echo`);
    const closed = event(socket, "close");
    socket.send("x".repeat(100_000));
    socket.send(new Blob(["y".repeat(100_000)]));
    socket.close();
    assertEquals(socket.bufferedAmount, 200_000);
    await closed;
    assertEquals(socket.bufferedAmount, 0);
  },
);
