/**
 * A connection of Deno's as a transport.
 *
 * @module
 */
import {
  giveReadBuffer,
  MAX_READ_BYTES,
  MIN_READ_BYTES,
  nextReadSize,
  takeReadBuffer,
} from "./read_buffer.ts";
import { NO_SINK } from "./sink.ts";
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
  readonly secure = false;
  sink: TransportSink = NO_SINK;
  bufferedBytes = 0;
  writtenBytes = 0;
  readonly #conn: StreamConn;
  /** What is left of the chunk being written. */
  #unsent: Uint8Array | undefined;
  #isReading = false;
  #isPaused = false;
  #hasReadEnd = false;
  #hasEnded = false;
  #hasSentEnd = false;
  #isClosed = false;
  // Bound once, so that a write costs no closure.
  readonly #onWritten = (count: number): void => this.#advance(count);
  readonly #onFailed = (error: unknown): void => this.#fail(error);

  /**
   * @param conn An open connection, the transport's from now on.
   */
  constructor(conn: StreamConn) {
    this.#conn = conn;
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
    this.#read();
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
    if (!this.#isReading) this.#read();
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

  /** Reads until the end, a pause or a failure. */
  async #read(): Promise<void> {
    if (this.#hasReadEnd || this.#isClosed) return;
    this.#isReading = true;
    let buffer = takeReadBuffer(MIN_READ_BYTES);
    let burst = 0;
    try {
      while (!this.#isPaused && !this.#isClosed) {
        const count = await this.#conn.read(buffer);
        if (count === null) {
          // No read is pending from here on: a RST that follows the FIN shows
          // only at the next write.
          this.#hasReadEnd = true;
          break;
        }
        // Destroyed while the bytes were on their way.
        if (this.#isClosed || count === 0) continue;
        this.sink.data(
          count === buffer.length ? buffer : buffer.subarray(0, count),
        );
        burst = Math.min(burst + count, MAX_READ_BYTES);
        const size = nextReadSize(buffer.length, count, burst);
        if (count < buffer.length) burst = 0;
        if (size !== buffer.length) {
          giveReadBuffer(buffer);
          buffer = takeReadBuffer(size);
        }
      }
    } catch (error) {
      this.#fail(error);
    }
    giveReadBuffer(buffer);
    this.#isReading = false;
    if (this.#hasReadEnd) this.#receiveEnd();
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
    this.sink.close(error instanceof Error ? error : new Error(String(error)));
  }

  #release(): void {
    this.#isClosed = true;
    this.bufferedBytes = 0;
    this.#unsent = undefined;
    try {
      this.#conn.close();
    } catch {
      // Deno has closed it already.
    }
  }
}
