import { assert, assertEquals, test } from "../harness.ts";
import type { BunSocket } from "../../runtime/bun_socket.ts";
import { BunTransport } from "../../runtime/bun_transport.ts";
import { bytes, Recorder } from "./recorder.ts";

/** A socket that takes as much as it is told to, write by write. */
class FakeSocket {
  data: unknown;
  readonly authorized = false;
  readonly remoteAddress = "192.0.2.1";
  readonly remotePort = 1234;
  readonly localAddress = "192.0.2.2";
  readonly localPort = 80;
  readonly calls: string[] = [];
  readonly #counts: number[];

  constructor(counts: number[]) {
    this.#counts = counts;
  }

  write(chunk: Uint8Array): number {
    const count = Math.min(this.#counts.shift() ?? Infinity, chunk.length);
    if (count < 0) return count;
    this.calls.push(new TextDecoder().decode(chunk.subarray(0, count)));
    return count;
  }

  pause(): void {
    this.calls.push("(pause)");
  }

  resume(): void {
    this.calls.push("(resume)");
  }

  shutdown(): void {
    this.calls.push("(shutdown)");
  }

  close(): void {
    this.calls.push("(close)");
  }

  terminate(): void {
    this.calls.push("(terminate)");
  }
}

function open(counts: number[]): {
  socket: FakeSocket;
  transport: BunTransport;
  sink: Recorder;
} {
  const socket = new FakeSocket(counts);
  const transport = new BunTransport(socket as unknown as BunSocket, {
    secure: false,
    isPaused: false,
    path: undefined,
  });
  const sink = new Recorder();
  transport.start(sink);
  return { socket, transport, sink };
}

test("a write split in every possible way stays byte-exact (BP-7)", () => {
  const text = "abcdefg";
  const chunk = bytes(text);
  // Every sequence of four counts, zeros included.
  for (let code = 0; code < 8 ** 4; code++) {
    const counts = [0, 3, 6, 9].map((shift) => (code >> shift) & 7);
    const { socket, transport, sink } = open(counts);
    let isDone = transport.write(chunk);
    for (let last = 0; !isDone;) {
      assertEquals(sink.events, []);
      assert(transport.bufferedBytes > 0);
      assert(transport.writtenBytes >= last);
      assertEquals(transport.writtenBytes + transport.bufferedBytes, 7);
      last = transport.writtenBytes;
      transport.onDrain();
      isDone = transport.bufferedBytes === 0;
      assertEquals(sink.events, isDone ? ["drain"] : []);
    }
    assertEquals(socket.calls.join(""), text);
    assertEquals(transport.writtenBytes, 7);
    // Bun calls it at other times too.
    transport.onDrain();
    assert(sink.events.length <= 1);
  }
});

test("FIN waits for what is written, on Bun", () => {
  const { socket, transport, sink } = open([2, 0, 1]);
  assertEquals(transport.write(bytes("abcd")), false);
  transport.end();
  transport.end();
  assertEquals(transport.write(bytes("dropped")), true);
  for (let turn = 0; turn < 5; turn++) transport.onDrain();
  assertEquals(socket.calls, ["ab", "", "c", "d", "(shutdown)"]);
  assertEquals(sink.events, ["drain"]);
});

test("destroy resets only where bytes are left, on Bun", async () => {
  const flushed = open([]);
  flushed.transport.write(bytes("abc"));
  flushed.transport.destroy();
  assertEquals(flushed.socket.calls, ["abc", "(close)", "(terminate)"]);
  const blocked = open([1]);
  blocked.transport.write(bytes("abc"));
  blocked.transport.destroy();
  blocked.transport.onDrain();
  blocked.transport.onClose(undefined);
  assertEquals(blocked.socket.calls, ["a", "(terminate)"]);
  await Promise.all([flushed.sink.closed(), blocked.sink.closed()]);
  assertEquals(blocked.sink.events, ["close"]);
});

test("a close without an end tells both, on Bun", () => {
  const { transport, sink } = open([]);
  transport.onClose(undefined);
  transport.onClose(undefined);
  assertEquals(sink.events, ["end", "close"]);
  const broken = open([]);
  broken.transport.onClose(new Error("reset"));
  assertEquals(broken.sink.events, ["close"]);
  assertEquals(broken.sink.error?.message, "reset");
});
