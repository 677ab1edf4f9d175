/**
 * A transport that tells which frames pass through it, for debugging.
 *
 * It stands between a connection and its own transport only where somebody wants to
 * know: any other connection pays nothing for it.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import type {
  Address,
  Transport,
  TransportSink,
} from "../runtime/transport.ts";
import { type FrameTrace, FrameTracer } from "./frame_tracer.ts";
import type { ConnectionOwner } from "./init.ts";
import { Link } from "./link.ts";
import { SocketConnection } from "./socket_connection.ts";

/**
 * Told of each frame that a connection receives or sends. What it throws is
 * reported as an error of the handler's would be, and harms nothing.
 */
export type FrameListener = (frame: FrameTrace, connection: Connection) => void;

/** The connections that are read through a transport which traces. */
const readers = new WeakMap<TransportSink, SocketConnection>();

/** Finds the connection that a transport is read by; `undefined` before there is one. */
export function connectionOf(
  sink: TransportSink,
): SocketConnection | undefined {
  if (!(sink instanceof Link)) return readers.get(sink);
  return sink.owner instanceof SocketConnection ? sink.owner : undefined;
}

/** Tells which frames pass. */
export class TracedTransport implements Transport {
  readonly #inner: Transport;
  readonly #received: FrameTracer;
  readonly #sent: FrameTracer;
  /** Takes what arrives: the sink of the transport inside. */
  readonly #entry: TransportSink;
  readonly #tell: (frame: FrameTrace) => void;
  /** Frames that were sent, and nobody was told of yet. */
  #untold: FrameTrace[] = [];
  #sink: TransportSink;
  #connection: SocketConnection | undefined;

  /**
   * @param inner The transport. Its sink is left alone until this one's is set.
   * @param listener Told of each frame: before it is handled, or when it has been
   * written. It may send.
   * @param owner Told what the listener throws.
   */
  constructor(
    inner: Transport,
    listener: FrameListener,
    owner: Pick<ConnectionOwner, "reportError">,
  ) {
    this.#inner = inner;
    this.#sink = inner.sink;
    this.#tell = (frame) => {
      try {
        listener(frame, this.#connection!);
      } catch (error) {
        owner.reportError(error, this.#connection);
      }
    };
    this.#received = new FrameTracer("received", this.#tell);
    this.#sent = new FrameTracer("sent", (frame) => this.#tellLater(frame));
    this.#entry = {
      data: (chunk) => {
        this.#tellSent();
        // Before the sink, which may overwrite the chunk.
        this.#received.read(chunk);
        this.#sink.data(chunk);
      },
      drain: () => this.#sink.drain(),
      end: () => this.#sink.end(),
      close: (error) => this.#sink.close(error),
    };
  }

  /**
   * Belongs to a connection from now on, of which nothing has been written yet.
   *
   * @returns Takes what arrives, instead of the connection's own link.
   */
  attach(connection: SocketConnection): TransportSink {
    this.#connection = connection;
    readers.set(this.#entry, connection);
    this.sink = connection.link;
    return this.#entry;
  }

  get sink(): TransportSink {
    return this.#sink;
  }

  set sink(sink: TransportSink) {
    this.#sink = sink;
    this.#inner.sink = this.#entry;
  }

  /**
   * Tells once the caller of `write` is done: he expects that nothing else happens
   * meanwhile, and what a listener sends would get between the bytes of a frame.
   */
  #tellLater(frame: FrameTrace): void {
    if (this.#untold.push(frame) === 1) queueMicrotask(() => this.#tellSent());
  }

  #tellSent(): void {
    const frames = this.#untold;
    this.#untold = [];
    for (const frame of frames) this.#tell(frame);
  }

  get remoteAddress(): Address {
    return this.#inner.remoteAddress;
  }

  get localAddress(): Address {
    return this.#inner.localAddress;
  }

  get secure(): boolean {
    return this.#inner.secure;
  }

  get givesChunks(): boolean {
    return this.#inner.givesChunks;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  get writtenBytes(): number {
    return this.#inner.writtenBytes;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#inner.start(this.#entry);
  }

  write(chunk: Uint8Array): boolean {
    this.#sent.read(chunk);
    return this.#inner.write(chunk);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  end(): void {
    this.#inner.end();
  }

  destroy(): void {
    this.#inner.destroy();
  }
}
