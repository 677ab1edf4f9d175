/**
 * Connections one after the other, to the same place.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import { Attempts } from "./attempts.ts";
import { DurableConnection } from "./durable_connection.ts";
import { checkDurable, type DurableOptions } from "./durable_options.ts";
import type { Dial, RedialOptions, RedialUrl } from "./redial_options.ts";
import type { Wait } from "./wait.ts";

/**
 * Dials again and again, see {@linkcode redial}.
 *
 * As an async iterable it yields open connections. The next attempt begins when
 * the body of the loop is done with one, which is then closed with 1000 where it
 * is still open; leaving the loop closes it too, and waits until it is gone. Each
 * iteration counts its own attempts.
 *
 * @typeParam Data Type of `data`.
 */
export class Redialer<Data = unknown>
  implements AsyncIterable<Connection<Data>> {
  readonly #dial: Dial<Data>;
  readonly #url: RedialUrl;
  readonly #options: RedialOptions<Data>;
  /** The waits that are under way. */
  readonly #waits: Set<Wait> = new Set();

  /**
   * Use {@linkcode redial}.
   *
   * @param dial Opens a connection.
   * @param url Where to.
   * @param options How; checked.
   */
  constructor(dial: Dial<Data>, url: RedialUrl, options: RedialOptions<Data>) {
    this.#dial = dial;
    this.#url = url;
    this.#options = options;
  }

  /**
   * Yields open connections, without end. Its `return` does not wait for one: what
   * leads to the next one is given up, and a `next` that waits for it is done.
   *
   * @throws What the last attempt failed with when it gives up, or a
   * {@linkcode ClosedError} where the last connection was not stable; the signal's
   * reason when that aborts.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Connection<Data>, never> {
    const left = new AbortController();
    const connections = this.#connections(left.signal);
    const leave = connections.return.bind(connections);
    // A generator heeds it only once there is a connection, which may be never.
    connections.return = (value) => {
      left.abort();
      return leave(value);
    };
    return connections as AsyncGenerator<Connection<Data>, never>;
  }

  async *#connections(
    left: AbortSignal,
  ): AsyncGenerator<Connection<Data>, void> {
    const attempts = this.#attempts(left);
    const { signal } = this.#options;
    for (;;) {
      let connection;
      try {
        connection = await attempts.next();
      } catch (error) {
        if (left.aborted && error === left.reason) return;
        throw error;
      }
      const abort = () => void connection.close(1001);
      signal?.addEventListener("abort", abort);
      try {
        yield connection;
      } finally {
        signal?.removeEventListener("abort", abort);
        await connection.close();
      }
      attempts.ended(await connection.closed);
    }
  }

  /**
   * Cuts short the waits that are under way, of loops and of connected objects: the
   * next attempt begins now. For one who knows better, such as that the network is
   * back. A server's `Retry-After` is cut short as well. Waits and attempts are
   * counted on.
   *
   * @returns Whether there was a wait.
   */
  retryNow(): boolean {
    const waits = [...this.#waits];
    for (const wait of waits) wait.cut();
    return waits.length > 0;
  }

  /**
   * Keeps one object connected, for those who do not want the loop. The first
   * attempt begins at once.
   *
   * @param options Hooks, and whether messages are kept while it is not connected.
   * @returns The object, at once.
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {RangeError} If a number is out of range.
   */
  connect(options: DurableOptions<Data> = {}): DurableConnection<Data> {
    checkDurable(options);
    return new DurableConnection(
      (signal) => this.#attempts(signal),
      this.#options.signal,
      options,
    );
  }

  #attempts(signal?: AbortSignal): Attempts<Data> {
    return new Attempts(
      this.#dial,
      this.#url,
      this.#options,
      this.#waits,
      signal,
    );
  }
}
