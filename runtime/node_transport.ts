/**
 * A `node:net` or `node:tls` socket as a transport.
 *
 * @module
 */

import type { Socket } from "node:net";
import { NO_SINK } from "./sink.ts";
import type { Address, Transport, TransportSink } from "./transport.ts";

const NO_BYTES = new Uint8Array(0);
const OWNER = Symbol("transport");

// The listeners are shared by all sockets and find the transport here: four
// closures less per connection.
interface OwnedSocket extends Socket {
  [OWNER]: NodeTransport;
}

// Bytes that libuv holds. Undocumented, though `node:net` itself reads it to
// see whether a write makes progress; where it is missing, progress shows only
// when a whole chunk has left.
interface WithQueue {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  // Not a `Buffer`, whose `slice` does not copy.
  this[OWNER].receive(
    new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength),
  );
}

function onEnd(this: OwnedSocket): void {
  this[OWNER].receiveEnd();
}

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER].fail(error);
}

function onClose(this: OwnedSocket): void {
  this[OWNER].finish();
}

/** A transport on a `net.Socket` or `tls.TLSSocket`. */
export class NodeTransport implements Transport {
  readonly secure: boolean;
  sink: TransportSink = NO_SINK;
  readonly #socket: OwnedSocket;
  /** Path of the Unix socket, at the end that has one. */
  readonly #path: string | undefined;
  /** Length of the chunk that has not left, 0 when all has. */
  #pendingBytes = 0;
  #doneBytes = 0;
  #hasEnded = false;
  #isDestroyed = false;
  #isGone = false;
  #error: Error | undefined;
  // The same function for every write: Node then batches the calls.
  readonly #onWritten = (error?: Error | null): void => {
    // Node also calls back for what a reset has kept from leaving.
    if (!error) this.#drain();
  };

  /**
   * @param socket A connected socket with `allowHalfOpen`, the transport's from
   * now on.
   * @param options.secure Whether it is a TLS connection.
   * @param options.path Path of the Unix socket, if it is one.
   */
  constructor(
    socket: Socket,
    options: { readonly secure: boolean; readonly path: string | undefined },
  ) {
    this.#socket = socket as OwnedSocket;
    this.#socket[OWNER] = this;
    this.secure = options.secure;
    this.#path = options.path;
    // Node keeps the peer's address from the first time it is asked; after the
    // end it would be too late.
    if (options.path === undefined) socket.remoteAddress;
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  get givesChunks(): boolean {
    // The runtime makes an array of the right size for each read.
    return true;
  }

  get remoteAddress(): Address {
    return this.#address(this.#socket.remoteAddress, this.#socket.remotePort);
  }

  get localAddress(): Address {
    return this.#address(this.#socket.localAddress, this.#socket.localPort);
  }

  get bufferedBytes(): number {
    if (this.#pendingBytes === 0) return 0;
    return Math.min(this.#pendingBytes, Math.max(1, this.#queuedBytes()));
  }

  get writtenBytes(): number {
    return this.#doneBytes + this.#pendingBytes - this.bufferedBytes;
  }

  start(sink: TransportSink): void {
    if (this.#isGone) return queueMicrotask(() => sink.close(this.#error));
    this.sink = sink;
    this.#socket.on("end", onEnd);
    // Starts reading.
    this.#socket.on("data", onData);
  }

  write(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#hasEnded || this.#isDestroyed || socket.destroyed) return true;
    // Without a callback, which costs a tick even where Node has handed the bytes
    // to the kernel at once (0.4 µs); it comes with an empty write where it has not.
    if (this.secure) socket.write(chunk, this.#onWritten);
    else socket.write(chunk);
    if (socket.writableLength === 0) {
      this.#doneBytes += chunk.length;
      return true;
    }
    if (!this.secure) socket.write(NO_BYTES, this.#onWritten);
    this.#pendingBytes = chunk.length;
    return false;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#hasEnded || this.#isDestroyed) return;
    this.#hasEnded = true;
    // After the peer's FIN closing sends ours: one call instead of two. TLS has to
    // say close_notify first.
    const isLast = this.#socket.readableEnded && this.#pendingBytes === 0;
    if (isLast && !this.secure) return this.destroy();
    this.#socket.end();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#pendingBytes = 0;
    // "close" follows, in a later tick.
    this.#socket.destroy();
  }

  /**
   * Gives the socket away; the transport says nothing more, not even `close`.
   *
   * @returns The socket, paused, without listeners of the transport's.
   */
  release(): Socket {
    const socket = this.#socket;
    this.#isDestroyed = true;
    this.#isGone = true;
    socket.pause();
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.off("error", onError);
    socket.off("close", onClose);
    return socket;
  }

  /** The socket's "data". */
  receive(chunk: Uint8Array): void {
    if (!this.#isDestroyed) this.sink.data(chunk);
  }

  /** The socket's "end". */
  receiveEnd(): void {
    if (!this.#isDestroyed) this.sink.end();
  }

  /** The socket's "error"; "close" follows. */
  fail(error: Error): void {
    if (!this.#isDestroyed) this.#error = error;
  }

  /** The socket's "close". */
  finish(): void {
    this.#isDestroyed = true;
    this.#isGone = true;
    this.#pendingBytes = 0;
    this.sink.close(this.#error);
  }

  #drain(): void {
    // Also called for writes that were done at once.
    if (this.#pendingBytes === 0 || this.#socket.writableLength > 0) return;
    this.#doneBytes += this.#pendingBytes;
    this.#pendingBytes = 0;
    if (!this.#isDestroyed) this.sink.drain();
  }

  #queuedBytes(): number {
    const handle = (this.#socket as unknown as WithQueue)._handle;
    return handle?.writeQueueSize ?? this.#pendingBytes;
  }

  #address(hostname: string | undefined, port: number | undefined): Address {
    return this.#path !== undefined
      ? { transport: "unix", path: this.#path }
      : { transport: "tcp", hostname: hostname ?? "", port: port ?? 0 };
  }
}
