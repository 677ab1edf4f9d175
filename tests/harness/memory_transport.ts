/**
 * Two ends of a byte stream in memory, which keep the contract of
 * `runtime/transport.ts` and complain when their user does not.
 *
 * Deliveries are microtasks, one per call to the sink. A chunk is overwritten
 * as soon as the sink returns, since it was only lent.
 */
import type {
  Address,
  Transport,
  TransportSink,
} from "../../runtime/transport.ts";
import { concat } from "./bytes.ts";

/** How a pair of memory transports behaves. Everything may be changed later. */
export interface MemoryOptions {
  /** Largest chunk that a sink is given, in bytes. Default no limit. */
  chunkBytes?: number;
  /** Bytes that fit between the ends before a writer is held up. Default no limit. */
  capacityBytes?: number;
}

/** One end. */
export class MemoryTransport implements Transport {
  readonly remoteAddress: Address;
  readonly localAddress: Address;
  readonly secure = false;
  readonly givesChunks = false;
  /** The other end. */
  peer!: MemoryTransport;
  /** Largest chunk that this end's sink is given, in bytes. */
  chunkBytes: number;
  /** Bytes that wait for this end before the other one is held up. */
  capacityBytes: number;
  /** Calls to `write` so far, to count writes. */
  writes = 0;
  #sink: TransportSink | undefined;
  #inbox: Uint8Array = new Uint8Array();
  #held: Uint8Array | undefined;
  #writtenBytes = 0;
  #paused = false;
  #ended = false;
  #endDelivered = false;
  #drainDue = false;
  #broken: { error?: Error } | undefined;
  #closed = false;
  #scheduled = false;

  /** Use {@linkcode memoryTransport}. */
  constructor(local: number, remote: number, options: MemoryOptions) {
    const address = (port: number): Address => (
      { transport: "tcp", hostname: "127.0.0.1", port }
    );
    this.localAddress = address(local);
    this.remoteAddress = address(remote);
    this.chunkBytes = options.chunkBytes ?? Infinity;
    this.capacityBytes = options.capacityBytes ?? Infinity;
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

  /** Whether `close()` has been called on the sink. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this end has sent FIN, or is gone. */
  get ended(): boolean {
    return this.#ended || this.#broken !== undefined;
  }

  get bufferedBytes(): number {
    return this.#held?.length ?? 0;
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
    if (this.#held || this.#drainDue) throw new Error("Written before drain()");
    if (this.ended) return true;
    if (this.peer.#broken !== undefined) {
      // As TCP does: the first write after the peer has gone draws a reset.
      this.#break({ error: new Error("Connection reset by peer") });
      return true;
    }
    this.#held = chunk;
    this.#transmit();
    if (this.#held === undefined) return true;
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

  /** Breaks the stream: both sinks are closed, this one too, with an error. */
  reset(): void {
    const error = new Error("Connection reset by peer");
    this.#break({ error });
    this.peer.#inbox = new Uint8Array();
    this.peer.#break({ error });
  }

  #break(how: { error?: Error }): void {
    this.#broken ??= how;
    this.#held = undefined;
    this.#inbox = new Uint8Array();
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
      this.peer.#inbox = concat(this.peer.#inbox, held.subarray(0, count));
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
    if (this.#paused) return false;
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
    const chunk = this.#inbox.slice(0, this.chunkBytes);
    this.#inbox = this.#inbox.subarray(chunk.length);
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

/** Makes two connected ends. */
export function memoryTransport(
  options: MemoryOptions = {},
): [MemoryTransport, MemoryTransport] {
  const a = new MemoryTransport(40_001, 40_002, options);
  const b = new MemoryTransport(40_002, 40_001, options);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** A sink that remembers what it was told. */
export class SinkLog implements TransportSink {
  /** Names of the calls in order; `data` with its length. */
  readonly calls: string[] = [];
  /** Error that `close` was called with. */
  error: Error | undefined;
  #chunks: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  /** All bytes so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(...this.#chunks);
  }

  data(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
    this.#note(`data ${chunk.length}`);
  }

  drain(): void {
    this.#note("drain");
  }

  end(): void {
    this.#note("end");
  }

  close(error?: Error): void {
    this.error = error;
    this.#note("close");
  }

  #note(call: string): void {
    this.calls.push(call);
    this.#wake?.();
  }

  /** Waits until a call of that name has been made. */
  async until(call: "drain" | "end" | "close"): Promise<void> {
    while (!this.calls.includes(call)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
