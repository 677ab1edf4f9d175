/** The tools are tested too: a broken one would pass everything. */
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import {
  assert,
  assertEquals,
  assertionSource,
  assertRejects,
  assertThrows,
  test,
  testWhere,
} from "../harness.ts";
import { concat, hex, sameBytes, toHex } from "./bytes.ts";
import { within } from "./deadline.ts";
import {
  closeCode,
  closePayload,
  frame,
  parseFrame,
  parseFrames,
} from "./frame.ts";
import { memoryTransport, SinkLog } from "./memory_transport.ts";
import { assertFails, ProtocolPair, type SansIo } from "./protocol_pair.ts";
import { seededRandom } from "./random.ts";
import { rawConnect } from "./raw_client.ts";
import { assertParses, splits } from "./split.ts";

test(`assertions come from ${assertionSource}`, () => {
  assertEquals({ a: [1] }, { a: [1] });
  assertThrows(() => assertEquals<unknown>({ a: [1] }, { a: ["1"] }));
  assertThrows(() => assertEquals<unknown>([1], Uint8Array.of(1)));
});

testWhere(undefined, "testWhere() runs what nothing is missing for", () => {
  assert(true);
});

test("frame() builds the examples of RFC 6455, section 5.7", () => {
  assertEquals(toHex(frame({ payload: "Hello" })), "81 05 48 65 6c 6c 6f");
  assertEquals(
    toHex(frame({ payload: "Hello", mask: true })),
    "81 85 37 fa 21 3d 7f 9f 4d 51 58",
  );
  assertEquals(toHex(frame({ payload: "Hel", fin: false })), "01 03 48 65 6c");
  assertEquals(
    toHex(frame({ payload: "lo", opcode: "continuation" })),
    "80 02 6c 6f",
  );
  assertEquals(
    toHex(frame({ payload: "Hello", opcode: "ping" })),
    "89 05 48 65 6c 6c 6f",
  );
  assertEquals(
    toHex(frame({ payload: "Hello", opcode: "pong", mask: true })),
    "8a 85 37 fa 21 3d 7f 9f 4d 51 58",
  );
  const head = (length: number) =>
    toHex(frame({ opcode: "binary", payload: new Uint8Array(length) }))
      .slice(0, 29);
  assert(head(256).startsWith("82 7e 01 00"));
  assertEquals(head(65_536), "82 7f 00 00 00 00 00 01 00 00");
});

test("frame() builds what no library would", () => {
  assertEquals(toHex(frame({ rsv: 4, opcode: 3, fin: false })), "43 00");
  assertEquals(
    toHex(frame({ lengthForm: 16, payload: "A" })),
    "81 7e 00 01 41",
  );
  assertEquals(
    toHex(frame({ lengthForm: 64, length: 1n << 63n })),
    "81 7f 80 00 00 00 00 00 00 00",
  );
});

test("parseFrames() takes apart what frame() built", () => {
  const bytes = concat(
    frame({ payload: "Hello", mask: true }),
    frame({ opcode: "close", payload: closePayload(1001, "bye"), rsv: 1 }),
    frame({ opcode: "binary", payload: new Uint8Array(70_000), fin: false }),
  );
  assertEquals(
    parseFrames(bytes).map((f) => [f.fin, f.rsv, f.opcode, f.payload.length]),
    [[true, 0, 1, 5], [true, 1, 8, 5], [false, 0, 2, 70_000]],
  );
  assertEquals(closeCode(closePayload(1001)), 1001);
  assertEquals(closeCode(new Uint8Array()), 1005);
  assertEquals(parseFrame(bytes.subarray(0, 10)), undefined);
  assertThrows(() => parseFrames(bytes.subarray(0, 10)));
});

test("splits() cuts without losing a byte, the same way each time", () => {
  const bytes = seededRandom(7).bytes(100);
  const once = [...splits(bytes)];
  assertEquals(once.length, 22);
  assertEquals(once, [...splits(bytes)]);
  for (const { chunks } of once) assert(sameBytes(concat(...chunks), bytes));
});

test("assertParses() sees a parser that minds how bytes are cut", () => {
  const bytes = hex("01 02 03 04");
  const good = () => ({ push: (chunk: Uint8Array) => [...chunk] });
  assertParses(good, bytes, [1, 2, 3, 4]);
  const bad = () => ({ push: (chunk: Uint8Array) => [chunk[0]] });
  assertThrows(() => assertParses(bad, bytes, [1]));
});

test("a memory transport delivers, splits, and poisons lent chunks", async () => {
  const [a, b] = memoryTransport({ chunkBytes: 3 });
  const log = new SinkLog();
  let lent: Uint8Array | undefined;
  const data = log.data.bind(log);
  log.data = (chunk) => (data(chunk), void (lent = chunk));
  a.start(new SinkLog());
  b.start(log);
  assert(a.write(hex("01 02 03 04")));
  assertEquals(log.calls, []); // never from inside a call
  a.end();
  await log.until("end");
  assertEquals(log.calls, ["data 3", "data 1", "end"]);
  assertEquals(toHex(log.bytes), "01 02 03 04");
  assertEquals(lent, hex("ee"));
  b.end();
  await log.until("close");
  assertEquals([log.error, a.closed, b.closed], [undefined, true, true]);
});

test("a memory transport holds a writer up, then drains", async () => {
  const [a, b] = memoryTransport({ capacityBytes: 4 });
  const [writer, reader] = [new SinkLog(), new SinkLog()];
  a.start(writer);
  b.start(reader);
  b.pause();
  assertEquals(a.write(new Uint8Array(10)), false);
  assertEquals([a.bufferedBytes, a.writtenBytes], [6, 4]);
  assertThrows(() => a.write(new Uint8Array(1)));
  b.resume();
  await writer.until("drain");
  assertEquals([a.bufferedBytes, a.writtenBytes], [0, 10]);
  a.destroy();
  await writer.until("close");
  await reader.until("end");
  assertEquals(b.closed, false);
  assert(b.write(hex("00")));
  await reader.until("close");
  assertEquals(reader.error?.message, "Connection reset by peer");
});

test("a memory transport is not free before it has said so", async () => {
  // Regression: for a moment it had nothing buffered, and refused to be written to.
  const [a, b] = memoryTransport({ capacityBytes: 4 });
  const [writer, reader] = [new SinkLog(), new SinkLog()];
  const buffered: number[] = [];
  reader.data = () => void buffered.push(a.bufferedBytes);
  a.start(writer);
  b.start(reader);
  assertEquals(a.write(new Uint8Array(6)), false);
  await writer.until("drain");
  assertEquals([buffered[0], a.bufferedBytes], [1, 0]);
  assert(a.write(hex("00")));
  a.destroy();
  await writer.until("close");
});

test("a memory transport resets", async () => {
  const [a, b] = memoryTransport();
  const logs = [new SinkLog(), new SinkLog()] as const;
  a.start(logs[0]);
  b.start(logs[1]);
  a.write(hex("00"));
  a.reset();
  await Promise.all(logs.map((log) => log.until("close")));
  for (const log of logs) {
    assertEquals([log.calls, log.error instanceof Error], [["close"], true]);
  }
});

/** The smallest protocol: what arrives is an event and is sent back once. */
class Echo implements SansIo<{ type: string; error?: unknown }> {
  output: Uint8Array[] = [];
  events: { type: string; error?: unknown }[] = [];
  hops = 0;
  failed = false;
  receive(chunk: Uint8Array): void {
    if (this.failed) return;
    this.events.push({ type: `got ${chunk.length}` });
    if (this.hops++ < 1) this.output.push(chunk.slice());
    if (chunk[0] === 0xff) this.fail();
  }
  fail(): void {
    this.failed = true;
    this.output = [frame({ opcode: "close", payload: closePayload(1002) })];
    const error = { reason: "reserved-bits", code: 1002 };
    this.events.push({ type: "failed", error });
  }
  receiveEnd(): void {}
  takeEvents(): { type: string; error?: unknown }[] {
    return this.events.splice(0);
  }
  takeOutput(): Uint8Array | undefined {
    return this.output.shift();
  }
}

test("ProtocolPair moves bytes both ways until silence", () => {
  const pair = new ProtocolPair(new Echo(), new Echo());
  pair.client.output.push(hex("01 02"));
  const events = pair.settle();
  assertEquals(events.server.length, 2);
  assertEquals(events.client.length, 1);
});

test("assertFails() sees the reason, the Close frame and the silence", () => {
  assertFails(new Echo(), hex("ff"), "reserved-bits");
  assertThrows(() => assertFails(new Echo(), hex("ff"), "invalid-utf8"));
  assertThrows(() => assertFails(new Echo(), hex("00"), "reserved-bits"));
});

async function withTcpEcho(
  body: (port: number, server: Server) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  try {
    await body((server.address() as AddressInfo).port, server);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test("rawConnect() writes, reads, and sees the end", async () => {
  await withTcpEcho(async (port) => {
    await using client = await rawConnect(port);
    client.write("HTTP/1.1 101 Sure\r\n\r\n", frame({ payload: "Hello" }));
    assertEquals(await client.readHead(), "HTTP/1.1 101 Sure\r\n\r\n");
    assertEquals((await client.readFrame()).payload.length, 5);
    await client.writeAll(hex("0a 0b 0c"));
    assertEquals(toHex(await client.readBytes(2)), "0a 0b");
    await assertRejects(() => client.readBytes(5, 20), Error, "Waited");
    client.end();
    assertEquals(toHex(await client.readToEnd()), "0c");
    assertEquals((await client.closed).sawEnd, true);
  });
});

test("rawConnect() resets, and reports a refused connection", async () => {
  let port = 0;
  await withTcpEcho(async (open, server) => {
    port = open;
    const client = await rawConnect(open);
    const socketClosed = new Promise<void>((resolve) => {
      server.once("connection", (socket) => {
        socket.once("close", () => resolve());
      });
    });
    const second = await rawConnect(open);
    second.reset();
    await within(socketClosed, "the reset");
    await second.closed;
    await client[Symbol.asyncDispose]();
  });
  await assertRejects(() => rawConnect(port));
});
