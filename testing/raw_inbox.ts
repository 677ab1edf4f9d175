/**
 * The bare end of a wire: bytes in and out.
 *
 * @module
 */

import type { Transport, TransportSink } from "../runtime/transport.ts";
import { joinBytes } from "./raw_frame.ts";

/** Bytes that were read, and how many of those that had arrived they are. */
export interface Reading<T> {
  /** What was read. */
  readonly value: T;
  /** Bytes that it took. */
  readonly size: number;
}

/** Keeps what arrives until it is asked for, and sends what it is given. */
export class RawInbox implements TransportSink {
  /** What has arrived and was not taken. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Whether the other end has ended its side, or everything is over. */
  isEnded = false;
  /** What broke the stream. */
  error: Error | undefined;
  readonly #transport: Transport;
  #outbox: Uint8Array = new Uint8Array(0);
  #isEnding = false;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param transport Not started yet. */
  constructor(transport: Transport) {
    this.#transport = transport;
    transport.start(this);
  }

  /** Sends bytes, at once or as soon as there is room. */
  write(bytes: Uint8Array): void {
    this.#outbox = joinBytes(this.#outbox, bytes);
    this.#flush();
  }

  /** Ends this side after what was written. */
  finish(): void {
    this.#isEnding = true;
    this.#flush();
  }

  /**
   * Waits until there is enough to read.
   *
   * @param what What is waited for, for the message.
   * @param read Looks at what has arrived; `undefined` waits for more.
   * @throws {Error} If the stream ends before.
   */
  async read<T>(
    what: string,
    read: (bytes: Uint8Array) => Reading<T> | undefined,
  ): Promise<T> {
    for (;;) {
      const reading = read(this.bytes);
      if (reading !== undefined) {
        this.bytes = this.bytes.subarray(reading.size);
        return reading.value;
      }
      if (this.isEnded) {
        const { error } = this;
        throw new Error(
          `Cannot read ${what}: the stream has ended`,
          error && { cause: error },
        );
      }
      await this.#wake.promise;
    }
  }

  /** Reads all bytes up to the end of the stream. */
  readToEnd(): Promise<Uint8Array> {
    return this.read("to the end", (bytes) => {
      if (!this.isEnded) return undefined;
      return { value: bytes.slice(), size: bytes.length };
    });
  }

  data(chunk: Uint8Array): void {
    this.bytes = joinBytes(this.bytes, chunk);
    this.#tell();
  }

  drain(): void {
    this.#flush();
  }

  end(): void {
    this.isEnded = true;
    this.#tell();
  }

  close(error?: Error): void {
    this.isEnded = true;
    this.error ??= error;
    this.#tell();
  }

  #flush(): void {
    if (this.#transport.bufferedBytes > 0) return;
    if (this.#outbox.length > 0) {
      const bytes = this.#outbox;
      this.#outbox = new Uint8Array(0);
      if (!this.#transport.write(bytes)) return;
    }
    if (this.#isEnding) this.#transport.end();
  }

  #tell(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}
