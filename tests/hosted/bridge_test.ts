/** A host's WebSocket as a transport, with a host made of notes. */
import type { HostEnd, HostSocket } from "../../runtime/host.ts";
import type { TransportSink } from "../../runtime/transport.ts";
import { Bridge, type BridgeOwner } from "../../server/hosted/bridge.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { closePayload, frame, parseFrames } from "../harness/frame.ts";

/** What happened, in order. */
class Notes implements HostSocket, TransportSink, BridgeOwner {
  readonly said: string[] = [];
  readonly received: Uint8Array[] = [];
  bufferedBytes = 0;
  /** Called from inside `close`, as Bun does. */
  onClose: () => void = () => {};

  // As a host's WebSocket.

  send(data: string | Uint8Array): void {
    this.said.push(typeof data === "string" ? data : `${data.length} bytes`);
  }
  ping(payload: Uint8Array): void {
    this.said.push(`ping ${payload.length}`);
  }
  watchDrain(): void {
    this.said.push("watch");
  }
  close(code?: number | Error, reason?: string): void {
    if (reason === undefined) {
      this.said.push(`gone ${code instanceof Error ? code.message : "well"}`);
    } else {
      this.said.push(`close ${code} ${reason}`);
      this.onClose();
    }
  }
  drop(): void {
    this.said.push("drop");
  }

  // As a sink.

  data(chunk: Uint8Array): void {
    this.received.push(chunk);
  }
  drain(): void {
    this.said.push("drained");
  }
  end(): void {}

  // As a connection.

  onSettled(): void {
    this.said.push("settled");
  }
  onHostEnded(cause: string): void {
    this.said.push(`ended ${cause}`);
  }
  onUnable(code: number): void {
    this.said.push(`unable ${code}`);
  }

  take(): string[] {
    return this.said.splice(0);
  }

  /** Payloads of what was received, and its opcodes. */
  takeFrames(): [number, string][] {
    const frames = parseFrames(concat(...this.received.splice(0)));
    return frames.map(({ opcode, payload }) => [
      opcode,
      new TextDecoder().decode(payload),
    ]);
  }
}

const settle = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 0));

/** A bridge whose answer has been written. */
function bridged(isOpen = true): { bridge: Bridge; notes: Notes } {
  const notes = new Notes();
  const bridge = new Bridge({
    remoteAddress: { transport: "unix", path: "" },
    secure: false,
    maxMessageBytes: 1_000_000,
    maxUnfinishedBytes: 1_000,
  });
  bridge.owner = notes;
  bridge.start(notes);
  assertEquals(bridge.write(new Uint8Array(100)), true);
  if (isOpen) bridge.open(notes);
  return { bridge, notes };
}

test("what is written is told to the host, however it is cut", () => {
  const bytes = concat(
    frame({ payload: "grüße" }),
    frame({ opcode: "binary", payload: new Uint8Array(300) }),
    frame({ payload: "" }),
    frame({ payload: "fra", fin: false }),
    frame({ opcode: "ping", payload: "?" }),
    frame({ opcode: "continuation", payload: "gm", fin: false }),
    frame({ opcode: "continuation", payload: "ents" }),
    frame({ opcode: "pong", payload: "answered by the host" }),
    frame({ opcode: "binary" }),
    frame({ opcode: "close", payload: closePayload(1001, "bye") }),
  );
  const wanted = [
    "grüße",
    "300 bytes",
    "",
    "ping 1",
    "fragments",
    "0 bytes",
    "close 1001 bye",
  ];
  for (const size of [bytes.length, 1, 2, 3, 7, 50]) {
    const { bridge, notes } = bridged();
    for (let at = 0; at < bytes.length; at += size) {
      assertEquals(bridge.write(bytes.subarray(at, at + size)), true);
    }
    assertEquals(notes.take(), wanted, `in pieces of ${size}`);
    assertEquals(bridge.writtenBytes, 100 + bytes.length);
  }
});

test("an empty Close frame has no code", () => {
  const { bridge, notes } = bridged();
  bridge.write(frame({ opcode: "close" }));
  assertEquals(notes.take(), ["close undefined "]);
});

test("what the host says becomes frames of a client", async () => {
  const { bridge, notes } = bridged();
  bridge.message("grüße");
  bridge.message(Uint8Array.of(65, 66));
  bridge.message("x".repeat(200));
  bridge.ping(Uint8Array.of(67));
  bridge.pong(Uint8Array.of(68));
  bridge.close({ received: { code: 4000, reason: "🐟" } });
  await settle();
  const reason = "\u000f\ufffd🐟";
  assertEquals(notes.takeFrames(), [
    [1, "grüße"],
    [2, "AB"],
    [1, "x".repeat(200)],
    [9, "C"],
    [10, "D"],
    [8, reason],
  ]);
  assertEquals(notes.take(), ["settled", "gone well"]);
});

test("of a message that is too big only the header is told", () => {
  const { bridge, notes } = bridged();
  for (const data of [new Uint8Array(1_000_001), "ü".repeat(500_001)]) {
    bridge.message(data);
    const [header] = notes.received.splice(0);
    assertEquals(header?.length, 14);
  }
});

test("before the WebSocket is open, what is written waits", () => {
  const { bridge, notes } = bridged(false);
  const chunk = frame({ payload: "early" });
  assertEquals(bridge.write(chunk), false);
  assertEquals(bridge.bufferedBytes, chunk.length);
  bridge.open(notes);
  assertEquals(notes.take(), ["early", "drained"]);
  assertEquals(bridge.bufferedBytes, 0);
});

test("a host that holds much is handed no more, until it has sent it", () => {
  const { bridge, notes } = bridged();
  notes.bufferedBytes = 65_536;
  assertEquals(bridge.write(frame({ payload: "a" })), true);
  notes.bufferedBytes = 65_537;
  assertEquals(bridge.write(frame({ payload: "b" })), false);
  assertEquals(bridge.bufferedBytes, 65_537);
  bridge.drain();
  notes.bufferedBytes = 10;
  bridge.drain();
  bridge.drain();
  assertEquals(notes.take(), ["a", "b", "watch", "watch", "drained"]);
  assertEquals(bridge.bufferedBytes, 0);
});

test("while reading is paused, messages and the end wait in order", async () => {
  const { bridge, notes } = bridged();
  bridge.pause();
  for (let i = 0; i < 600; i++) bridge.message(`${i}`);
  bridge.close({ received: { code: 1000, reason: "" } });
  await settle();
  assertEquals(notes.received.length, 0);
  bridge.resume();
  assertEquals(notes.received.length, 0, "told from inside of resume()");
  await settle();
  const frames = notes.takeFrames();
  assertEquals(frames.length, 601);
  assertEquals(frames.slice(0, 600).map(([, text]) => Number(text)), [
    ...Array(600).keys(),
  ]);
  assertEquals(notes.take(), ["settled", "gone well"]);
});

test("a pause while what waits is passed on holds the rest", async () => {
  const { bridge, notes } = bridged();
  bridge.pause();
  for (let i = 0; i < 5; i++) bridge.message(`${i}`);
  const { data } = notes;
  notes.data = (chunk) => {
    data.call(notes, chunk);
    if (notes.received.length === 2) bridge.pause();
  };
  bridge.resume();
  await settle();
  assertEquals(notes.received.length, 2);
  bridge.message("5");
  bridge.resume();
  await settle();
  assertEquals(notes.takeFrames().map(([, text]) => text), [
    ..."012345",
  ]);
});

test("too much that waits is refused once, and nothing of it kept", async () => {
  const { bridge, notes } = bridged();
  bridge.pause();
  const message = new Uint8Array(1_000_000);
  for (let i = 0; i < 30; i++) bridge.message(message);
  assertEquals(notes.take(), ["unable 1013"]);
  bridge.resume();
  await settle();
  assertEquals(notes.received.length, 0);
});

test("a single message may be larger than what may wait", async () => {
  const notes = new Notes();
  const bridge = new Bridge({
    remoteAddress: { transport: "unix", path: "" },
    secure: false,
    maxMessageBytes: Infinity,
    maxUnfinishedBytes: 1_000,
  });
  bridge.owner = notes;
  bridge.start(notes);
  bridge.pause();
  bridge.message(new Uint8Array(20_000_000));
  bridge.resume();
  await settle();
  assertEquals([notes.take(), notes.received.length], [[], 1]);
});

test("a message in fragments that grows too long cannot be sent", async () => {
  const { bridge, notes } = bridged();
  const part = { payload: new Uint8Array(600), fin: false };
  bridge.write(frame({ opcode: "binary", ...part }));
  assertEquals(notes.take(), []);
  bridge.write(frame({ opcode: "continuation", ...part }));
  await settle();
  assertEquals(notes.take(), ["unable 1011"]);
});

const ENDS: readonly (readonly [HostEnd, readonly string[]])[] = [
  [{}, ["gone well"]],
  [{ error: new Error("reset") }, ["gone reset"]],
  [{ cause: "ping-timeout", error: new Error("no Pong") }, [
    "ended ping-timeout",
    "gone no Pong",
  ]],
];

test("an end without a Close frame says what the host says of it", async () => {
  for (const [end, wanted] of ENDS) {
    const { bridge, notes } = bridged();
    bridge.close(end);
    bridge.close({ error: new Error("twice") });
    assertEquals(notes.take(), [], "told from inside of the host's call");
    await settle();
    assertEquals(notes.take(), [...wanted]);
    assertEquals(bridge.write(frame({ payload: "too late" })), true);
    assertEquals(notes.take(), []);
  }
});

test("destroy() drops the host's WebSocket, and is told last and once", async () => {
  const { bridge, notes } = bridged();
  bridge.pause();
  bridge.message("unheard");
  bridge.destroy();
  bridge.destroy();
  bridge.close({ error: new Error("dropped") });
  assertEquals(notes.take(), ["drop"]);
  await settle();
  assertEquals(notes.take(), ["gone well"]);
  assertEquals(notes.received.length, 0);
  bridge.message("unheard");
  assert(notes.received.length === 0);
});

test("what is destroyed before it is open is dropped when it opens", async () => {
  const { bridge, notes } = bridged(false);
  bridge.destroy();
  await settle();
  assertEquals(notes.take(), ["gone well"]);
  bridge.open(notes);
  assertEquals(notes.take(), ["drop"]);
});

test("a host that says so from inside of close() is heard afterwards", async () => {
  const { bridge, notes } = bridged();
  notes.onClose = () => bridge.close({});
  bridge.write(frame({ opcode: "close", payload: closePayload(1000) }));
  assertEquals(notes.take(), ["close 1000 "]);
  await settle();
  assertEquals(notes.take(), ["gone well"]);
});
