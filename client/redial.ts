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
   * Yields open connections, without end.
   *
   * @throws What the last attempt failed with when it gives up, or a
   * {@linkcode ClosedError} where the last connection was not stable; the signal's
   * reason when that aborts.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Connection<Data>, never> {
    const attempts = this.#attempts();
    const { signal } = this.#options;
    for (;;) {
      const connection = await attempts.next();
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
