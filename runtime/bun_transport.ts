/**
 * A socket of Bun's as a transport.
 *
 * @module
 */

import type { BunSocket, BunSocketOwner } from "./bun_socket.ts";
import { NO_SINK } from "./sink.ts";
import type { Address, Transport, TransportSink } from "./transport.ts";

function ipAddress(
  hostname: string | undefined,
  port: number | undefined,
): Address {
  return { transport: "tcp", hostname: hostname ?? "", port: port ?? 0 };
}

/**
 * Where chunks of middle size are read, one connection's after the other's. Whoever
 * looks at a small array in words, or makes a view on it, first has the runtime make
 * it a buffer, which costs 1 µs; to copy 1 KiB to where that has been done costs
 * 0.3. The smallest are not looked at in words.
 */
const SCRATCH_BYTES = 2_048;
const MIN_SCRATCH_BYTES = 100;
const scratch = new Uint8Array(SCRATCH_BYTES);
/** What the chunk before filled: the next one is often as long. */
let latestView = scratch;

/**
 * Whether the chunk that is being handed on is one that Bun has made for it, as it
 * does for each read. Here, and not with each transport: see the size below.
 */
let isGiven = true;

/** What kind of socket a transport is on. */
export interface BunTransportOptions {
  /** Whether it is a TLS connection. */
  readonly secure: boolean;
  /** Whether it has been paused. */
  readonly isPaused: boolean;
  /** Path of the Unix socket, at the end that has one. */
  readonly path: string | undefined;
}

/**
 * A transport on a `Bun.Socket`. It has 12 fields: with more the engine takes 160
 * bytes instead of 112.
 */
export class BunTransport implements Transport, BunSocketOwner {
  sink: TransportSink = NO_SINK;
  bufferedBytes = 0;
  writtenBytes = 0;
  readonly #socket: BunSocket;
  readonly #options: BunTransportOptions;
  // Bun forgets the peer's address before it says that the socket is closed.
  readonly #remoteHostname: string | undefined;
  readonly #remotePort: number | undefined;
  /** What is left of the chunk being written. */
  #unsent: Uint8Array | undefined;
  #isPaused: boolean;
  #hasReadEnd = false;
  #hasEnded = false;
  #isClosed = false;

  /**
   * @param socket An open socket, the transport's from now on. Where it is not
   * started at once, it has been paused.
   * @param options What kind of socket. Kept: those of one listener share it.
   */
  constructor(socket: BunSocket, options: BunTransportOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#isPaused = options.isPaused;
    this.#remoteHostname = socket.remoteAddress;
    this.#remotePort = socket.remotePort;
    socket.data = this;
  }

  get secure(): boolean {
    return this.#options.secure;
  }

  get givesChunks(): boolean {
    return isGiven;
  }

  get remoteAddress(): Address {
    const { path } = this.#options;
    if (path !== undefined) return { transport: "unix", path };
    return ipAddress(this.#remoteHostname, this.#remotePort);
  }

  get localAddress(): Address {
    const { path } = this.#options;
    if (path !== undefined) return { transport: "unix", path };
    return ipAddress(this.#socket.localAddress, this.#socket.localPort);
  }

  start(sink: TransportSink): void {
    if (this.#isClosed) return queueMicrotask(() => sink.close());
    this.sink = sink;
    this.resume();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#hasEnded || this.#isClosed) return true;
    const count = this.#socket.write(chunk);
    if (count === chunk.length) {
      this.writtenBytes += count;
      return true;
    }
    // -1: the socket has just died, and `onClose` follows.
    if (count < 0) return true;
    this.writtenBytes += count;
    this.bufferedBytes = chunk.length - count;
    this.#unsent = count === 0 ? chunk : chunk.subarray(count);
    return false;
  }

  pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  end(): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#hasEnded = true;
    if (this.bufferedBytes === 0) this.#sendEnd();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#release();
    queueMicrotask(() => this.sink.close());
  }

  onOpen(): void {}

  onHandshake(): void {}

  onData(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    const { length } = chunk;
    isGiven = length < MIN_SCRATCH_BYTES || length > SCRATCH_BYTES;
    if (isGiven) return this.sink.data(chunk);
    scratch.set(chunk);
    if (latestView.length !== length) latestView = scratch.subarray(0, length);
    this.sink.data(latestView);
  }

  onDrain(): void {
    const chunk = this.#unsent;
    if (chunk === undefined) return;
    // The owner has given the buffer away: what should follow is lost.
    if (chunk.length === 0) return this.onError(new Error("Buffer detached"));
    const count = this.#socket.write(chunk);
    if (count < 0) return;
    this.writtenBytes += count;
    this.bufferedBytes -= count;
    if (this.bufferedBytes > 0) {
      if (count > 0) this.#unsent = chunk.subarray(count);
      return;
    }
    this.#unsent = undefined;
    if (this.#hasEnded) this.#sendEnd();
    if (!this.#isClosed) this.sink.drain();
  }

  onEnd(): void {
    if (this.#isClosed || this.#hasReadEnd) return;
    this.#hasReadEnd = true;
    this.sink.end();
  }

  onClose(error: Error | undefined): void {
    if (this.#isClosed) return;
    // The FIN that ends a socket altogether is not told by `onEnd`.
    if (error === undefined) this.onEnd();
    // The sink may have destroyed the transport in there.
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.bufferedBytes = 0;
    this.#unsent = undefined;
    this.sink.close(error);
  }

  onError(error: Error): void {
    if (this.#isClosed) return;
    this.#release();
    this.sink.close(error);
  }

  /** Sends FIN. Bun closes the socket by itself once both ends have sent one. */
  #sendEnd(): void {
    // After the peer's FIN closing sends ours: one call instead of two, a quarter of
    // what a short connection costs. TLS has to say close_notify first.
    if (this.#hasReadEnd && !this.#options.secure) return this.destroy();
    this.#socket.shutdown();
  }

  #release(): void {
    this.#isClosed = true;
    const isFlushed = this.bufferedBytes === 0;
    this.bufferedBytes = 0;
    this.#unsent = undefined;
    // `close` lets the kernel deliver what it has, as other runtimes do;
    // `terminate` sends a RST. On TLS `close` waits for a peer that does not
    // read, so `terminate` comes after it; on a closed socket it does nothing.
    if (isFlushed) this.#socket.close();
    this.#socket.terminate();
  }
}
