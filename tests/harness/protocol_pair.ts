/**
 * Two Sans-I/O protocols that talk to each other without a socket, so that each
 * case can be played in both directions.
 */
import { assertEquals } from "../harness.ts";
import { concat } from "./bytes.ts";
import { closeCode, parseFrames } from "./frame.ts";

/** What the helpers need of a protocol; `codec/protocol.ts` has it. */
export interface SansIo<Event> {
  receive(chunk: Uint8Array): void;
  receiveEnd(): void;
  takeEvents(): readonly Event[];
  takeOutput(): Uint8Array | undefined;
}

/** Takes all events there are. */
export function allEvents<Event>(protocol: SansIo<Event>): Event[] {
  const events: Event[] = [];
  while (true) {
    const batch = protocol.takeEvents();
    if (batch.length === 0) return events;
    events.push(...batch);
  }
}

/** Takes all output there is, in one copy. */
export function allOutput(
  protocol: Pick<SansIo<never>, "takeOutput">,
): Uint8Array<ArrayBuffer> {
  const chunks = [];
  while (true) {
    const chunk = protocol.takeOutput();
    if (chunk === undefined) return concat(...chunks);
    // Valid until the next call only.
    chunks.push(chunk.slice());
  }
}

/** Which end of a pair. */
export type Side = "client" | "server";

/** A client and a server, and the wire between them. */
export class ProtocolPair<Event, P extends SansIo<Event>> {
  /** The client. */
  readonly client: P;
  /** The server. */
  readonly server: P;
  /** All bytes that each has sent so far. */
  readonly sent: Record<Side, Uint8Array[]> = { client: [], server: [] };
  readonly #chunkBytes: number;

  /** @param chunkBytes Largest chunk that the wire delivers. */
  constructor(client: P, server: P, chunkBytes: number = Infinity) {
    this.client = client;
    this.server = server;
    this.#chunkBytes = chunkBytes;
  }

  /** Moves what one side has to send to the other; returns the other's events. */
  move(from: Side): Event[] {
    const [sender, receiver] = from === "client"
      ? [this.client, this.server]
      : [this.server, this.client];
    const bytes = allOutput(sender);
    this.sent[from].push(bytes);
    const size = Math.min(this.#chunkBytes, bytes.length);
    const events: Event[] = [];
    for (let i = 0; i < bytes.length; i += size) {
      // A copy: the receiver overwrites it, and the log must stay true.
      receiver.receive(bytes.slice(i, i + size));
      events.push(...allEvents(receiver));
    }
    return events;
  }

  /** Moves bytes both ways until neither has more to send; returns all events. */
  settle(): Record<Side, Event[]> {
    const events: Record<Side, Event[]> = { client: [], server: [] };
    let before = -1;
    let moved = 0;
    while (moved !== before) {
      before = moved;
      events.server.push(...this.move("client"));
      events.client.push(...this.move("server"));
      moved = [...this.sent.client, ...this.sent.server]
        .reduce((sum, bytes) => sum + bytes.length, 0);
    }
    return events;
  }
}

/** An event that says that the peer broke the protocol. */
export interface FailedEvent {
  readonly type: "failed";
  readonly error: { readonly reason: string; readonly code: number };
}

/**
 * Asserts that `bytes` fail with `reason`: the last event says so, the output
 * ends with a Close frame of that code, and whatever follows is dropped in
 * silence (RFC 6455, section 7.1.7).
 */
export function assertFails<Event extends { readonly type: string }>(
  protocol: SansIo<Event>,
  bytes: Uint8Array,
  reason: string,
): void {
  protocol.receive(bytes.slice());
  const last = allEvents(protocol).at(-1) as Partial<FailedEvent> | undefined;
  assertEquals([last?.type, last?.error?.reason], ["failed", reason]);
  const frames = parseFrames(allOutput(protocol));
  const close = frames.at(-1);
  assertEquals(
    [close?.opcode, closeCode(close?.payload ?? new Uint8Array())],
    [8, last?.error?.code],
  );
  protocol.receive(Uint8Array.of(0x81, 0x01, 0x41, 0xff, 0xff));
  protocol.receiveEnd();
  assertEquals(allEvents(protocol), [], "an event after the failure");
  assertEquals(allOutput(protocol).length, 0, "output after the failure");
}
