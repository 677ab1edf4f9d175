/**
 * Two ends of a byte stream in memory, which keep the contract of a transport and
 * complain when their user does not.
 *
 * Deliveries are microtasks, one for each call to the sink. A chunk is overwritten
 * as soon as the sink returns, since it was only lent.
 *
 * @module
 */

import type {
  Address,
  Transport,
  TransportSink,
} from "../runtime/transport.ts";
import { joinBytes } from "./raw_frame.ts";

/** Bytes on their way to one end. */
class ByteQueue {
  length = 0;
  #chunks: Uint8Array[] = [];

  /** Appends a copy. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
    this.length += chunk.length;
  }

  /** Takes bytes off, at most `most` of them, as an array of their own. */
  take(most: number): Uint8Array {
    let [first] = this.#chunks;
    if (first === undefined || first.length < most && this.#chunks.length > 1) {
      first = joinBytes(...this.#chunks);
      this.#chunks = [first];
    }
    const taken = first.slice(0, most);
    this.length -= taken.length;
    if (taken.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(taken.length);
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.length = 0;
  }
}

/** Where an end is, and how much it takes. */
export interface MemoryEnd {
  /** Address of this end. */
  readonly localAddress: Address;
  /** Address of the other end. */
  readonly remoteAddress: Address;
  /** Whether it passes for TLS. */
  readonly secure: boolean;
  /** Largest chunk that the sink is given, in bytes. */
  readonly chunkBytes: number;
  /** Bytes that wait for this end before the other one is held up. */
  readonly capacityBytes: number;
}

/** One end. */
export class MemoryTransport implements Transport {
  readonly remoteAddress: Address;
  readonly localAddress: Address;
  readonly secure: boolean;
  readonly givesChunks = false;
  /** The other end. */
  peer!: MemoryTransport;
  /** Largest chunk that this end's sink is given, in bytes. */
  chunkBytes: number;
  /** Bytes that wait for this end before the other one is held up. */
  capacityBytes: number;
  /** Calls to `write` so far. */
  writes = 0;
  #sink: TransportSink | undefined;
  readonly #inbox: ByteQueue = new ByteQueue();
  #held: Uint8Array | undefined;
  #writtenBytes = 0;
  #paused = false;
  #stalled = false;
  #ended = false;
  #endDelivered = false;
  #drainDue = false;
  #broken: { error?: Error } | undefined;
  #closed = false;
  #scheduled = false;

  /** @param end Where it is. Use {@linkcode joinEnds} to make two. */
  constructor(end: MemoryEnd) {
    this.localAddress = end.localAddress;
    this.remoteAddress = end.remoteAddress;
    this.secure = end.secure;
    this.chunkBytes = end.chunkBytes;
    this.capacityBytes = end.capacityBytes;
  }

  get sink(): TransportSink {
    if (this.#sink === undefined) throw new Error("Not started");
    return this.#sink;
  }

  set sink(sink: TransportSink) {
    if (this.#sink === undefined) throw new Error("Not started");
    this.#sink = sink;
  }

  /** Whether reading is paused. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Whether nothing that the other end does arrives here. */
  get stalled(): boolean {
    return this.#stalled;
  }

  set stalled(stalled: boolean) {
    this.#stalled = stalled;
    this.#schedule();
  }

  /** Whether `close()` has been called on the sink. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this end has sent FIN, or is gone. */
  get ended(): boolean {
    return this.#ended || this.#broken !== undefined;
  }

  get bufferedBytes(): number {
    // Until `drain()` nothing more may be written: as on Node there is a byte left.
    return this.#held?.length ?? (this.#drainDue ? 1 : 0);
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  start(sink: TransportSink): void {
    if (this.#sink !== undefined) throw new Error("Started twice");
    this.#sink = sink;
    this.#schedule();
  }

  write(chunk: Uint8Array): boolean {
    this.writes++;
    if (chunk.length === 0) throw new Error("An empty chunk was written");
    if (this.#held) throw new Error("Written before drain()");
    if (this.ended) return true;
    if (this.peer.#broken !== undefined && !this.#stalled) {
      // As TCP does: the first write after the peer has gone draws a reset.
      this.#break({ error: new Error("Connection reset by peer") });
      return true;
    }
    this.#held = chunk;
    this.#transmit();
    if (this.#held === undefined) return true;
    // The one that was due is for what has left; now there is more.
    this.#drainDue = false;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    this.#ended = true;
    this.peer.#schedule();
    this.#schedule();
  }

  destroy(): void {
    this.#break({});
  }

  /** Breaks the stream: both sinks are closed, with an error. */
  reset(): void {
    const error = new Error("Connection reset by peer");
    this.#break({ error });
    this.peer.#break({ error });
  }

  #break(how: { error?: Error }): void {
    this.#broken ??= how;
    this.#held = undefined;
    this.#inbox.clear();
    this.#schedule();
    this.peer.#schedule();
  }

  /** Moves what fits of the bytes held to the other end. */
  #transmit(): void {
    const held = this.#held;
    if (held === undefined) return;
    const room = this.peer.capacityBytes - this.peer.#inbox.length;
    const count = Math.max(0, Math.min(room, held.length));
    if (count > 0) {
      this.peer.#inbox.push(held.subarray(0, count));
      this.#writtenBytes += count;
      this.peer.#schedule();
    }
    this.#held = count < held.length ? held.subarray(count) : undefined;
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed || this.#sink === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#deliver()) this.#schedule();
    });
  }

  /** Makes at most one call to the sink; returns whether it made one. */
  #deliver(): boolean {
    if (this.#broken !== undefined) return this.#close(this.#broken.error);
    if (this.#drainDue) {
      this.#drainDue = false;
      this.sink.drain();
      return true;
    }
    if (this.#paused || this.#stalled) return false;
    if (this.#inbox.length > 0) return this.#deliverChunk();
    const peerGone = this.peer.#ended && this.peer.#held === undefined ||
      this.peer.#broken !== undefined;
    if (peerGone && !this.#endDelivered) {
      this.#endDelivered = true;
      this.sink.end();
      return true;
    }
    const sent = this.#ended && this.#held === undefined;
    return this.#endDelivered && sent ? this.#close(undefined) : false;
  }

  #deliverChunk(): boolean {
    const chunk = this.#inbox.take(this.chunkBytes);
    if (this.peer.#held !== undefined) {
      this.peer.#transmit();
      if (this.peer.#held === undefined) {
        this.peer.#drainDue = true;
        this.peer.#schedule();
      }
    }
    this.sink.data(chunk);
    chunk.fill(0xee);
    return true;
  }

  #close(error: Error | undefined): boolean {
    this.#closed = true;
    this.#broken ??= {};
    this.peer.#schedule();
    this.sink.close(error);
    return false;
  }
}

/** Makes two ends, each the other's peer. */
export function joinEnds(
  a: MemoryEnd,
  b: MemoryEnd,
): [MemoryTransport, MemoryTransport] {
  const ends: [MemoryTransport, MemoryTransport] = [
    new MemoryTransport(a),
    new MemoryTransport(b),
  ];
  [ends[1].peer, ends[0].peer] = ends;
  return ends;
}
