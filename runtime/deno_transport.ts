/**
 * A connection of Deno's as a transport.
 *
 * @module
 */

import {
  dropReadBuffer,
  FIRST_READ_BYTES,
  giveReadBuffer,
  MAX_READ_BYTES,
  nextReadSize,
  type ReadBuffer,
  takeReadBuffer,
} from "./read_buffer.ts";
import { NO_SINK } from "./sink.ts";
import { toError } from "./to_error.ts";
import type { Address, Transport, TransportSink } from "./transport.ts";

/**
 * Translates an address of Deno's.
 *
 * @param addr What Deno says.
 * @returns The same as an {@linkcode Address}.
 */
export function toAddress(addr: Deno.NetAddr | Deno.UnixAddr): Address {
  if ("path" in addr) return { transport: "unix", path: addr.path ?? "" };
  return { transport: "tcp", hostname: addr.hostname, port: addr.port };
}

/** The connections of Deno's that carry a transport. */
export type StreamConn = Deno.Conn<Deno.NetAddr> | Deno.Conn<Deno.UnixAddr>;

/** A transport on a `Deno.Conn`. */
export class DenoTransport implements Transport {
  sink: TransportSink = NO_SINK;
  bufferedBytes = 0;
  writtenBytes = 0;
  readonly #conn: StreamConn;
  /** What is left of the chunk being written. */
  #unsent: Uint8Array | undefined;
  /** Where the pending read puts what it brings. */
  #buffer: ReadBuffer | undefined;
  /** Bytes of the reads that filled their buffers; the first read has none. */
  #burst = -MAX_READ_BYTES;
  #isPaused = false;
  #hasReadEnd = false;
  #hasEnded = false;
  #hasSentEnd = false;
  #isClosed = false;
  // Bound once, so that neither a read nor a write costs a closure. A loop with
  // `await` would cost each idle connection 300 bytes more.
  readonly #onRead = (count: number | null): void => this.#take(count);
  readonly #onWritten = (count: number): void => this.#advance(count);
  readonly #onFailed = (error: unknown): void => this.#fail(error);

  /**
   * @param conn An open connection, the transport's from now on.
   */
  constructor(conn: StreamConn) {
    this.#conn = conn;
  }

  get secure(): boolean {
    return false;
  }

  get givesChunks(): boolean {
    // A read buffer serves one read after the other.
    return false;
  }

  get remoteAddress(): Address {
    return toAddress(this.#conn.remoteAddr);
  }

  get localAddress(): Address {
    return toAddress(this.#conn.localAddr);
  }

  start(sink: TransportSink): void {
    if (this.#isClosed) return queueMicrotask(() => sink.close());
    this.sink = sink;
    this.#read(FIRST_READ_BYTES);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#hasEnded || this.#isClosed) return true;
    this.bufferedBytes = chunk.length;
    this.#unsent = chunk;
    this.#conn.write(chunk).then(this.#onWritten, this.#onFailed);
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // A read from before the pause may still be pending, and then goes on.
    if (this.#buffer === undefined) this.#read(FIRST_READ_BYTES);
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

  /** Reads once; what it brings leads to the next read. */
  #read(size: number): void {
    if (this.#hasReadEnd || this.#isClosed) return;
    const buffer = this.#buffer ??= takeReadBuffer(size);
    this.#conn.read(buffer).then(this.#onRead, this.#onFailed);
  }

  #take(count: number | null): void {
    const buffer = this.#buffer;
    // Destroyed while the bytes were on their way.
    if (buffer === undefined) return;
    if (count === null) {
      // No read is pending from here on: a RST that follows the FIN shows only
      // at the next write.
      this.#hasReadEnd = true;
      this.#stopReading();
      return this.#receiveEnd();
    }
    const size = buffer.length;
    try {
      if (count > 0) {
        this.sink.data(count === size ? buffer : buffer.subarray(0, count));
      }
    } catch (error) {
      this.#fail(error);
    }
    if (this.#isClosed) return;
    this.#burst = Math.min(this.#burst + count, MAX_READ_BYTES);
    const nextSize = nextReadSize(size, count, this.#burst);
    if (count < size) this.#burst = 0;
    if (this.#isPaused || nextSize !== size) this.#stopReading();
    if (!this.#isPaused) this.#read(nextSize);
  }

  #stopReading(): void {
    giveReadBuffer(this.#buffer!);
    this.#buffer = undefined;
  }

  #receiveEnd(): void {
    if (this.#isClosed) return;
    try {
      this.sink.end();
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#hasSentEnd) this.#finish();
  }

  #advance(count: number): void {
    const chunk = this.#unsent;
    if (this.#isClosed || chunk === undefined) return;
    this.writtenBytes += count;
    this.bufferedBytes -= count;
    if (this.bufferedBytes > 0) {
      // The owner has given the buffer away: what should follow is lost.
      if (chunk.length === 0) return this.#fail(new Error("Buffer detached"));
      const rest = this.#unsent = chunk.subarray(count);
      this.#conn.write(rest).then(this.#onWritten, this.#onFailed);
      return;
    }
    this.#unsent = undefined;
    if (this.#hasEnded) this.#sendEnd();
    try {
      this.sink.drain();
    } catch (error) {
      this.#fail(error);
    }
  }

  #sendEnd(): void {
    // After the peer's FIN closing sends ours: one call instead of two, a sixth of
    // what a short connection costs.
    if (this.#hasReadEnd) return this.destroy();
    this.#conn.closeWrite().then(() => {
      this.#hasSentEnd = true;
      if (this.#hasReadEnd) this.#finish();
    }, this.#onFailed);
  }

  #finish(): void {
    if (this.#isClosed) return;
    this.#release();
    this.sink.close();
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.#release();
    this.sink.close(toError(error));
  }

  #release(): void {
    this.#isClosed = true;
    this.bufferedBytes = 0;
    this.#unsent = undefined;
    // A read that is pending has it until it notices.
    if (this.#buffer !== undefined) dropReadBuffer(this.#buffer);
    this.#buffer = undefined;
    try {
      this.#conn.close();
    } catch {
      // Deno has closed it already.
    }
  }
}
