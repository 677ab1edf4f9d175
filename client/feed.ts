/**
 * Messages of connections that come and go, for one who takes them.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import {
  ClosedError,
  type Connection,
  SocketConnection,
} from "../connection.ts";

/** The messages of one connection after the other. */
export class Feed {
  /** The latest connection. */
  #connection: Connection | undefined;
  #end: { readonly error: unknown } | undefined;
  /** Settles when there is another connection to take messages from, or the end. */
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Goes on with another connection. */
  goOn(connection: Connection): void {
    this.#connection = connection;
    this.#announce();
  }

  /**
   * Ends it, once the messages have been taken that there are.
   *
   * @param error What is thrown then, if anything.
   */
  end(error: unknown): void {
    this.#end = { error };
    this.#announce();
  }

  /**
   * Yields messages. What came on a connection that was lost can still be taken; of
   * those that came and went while nobody asked, only the latest can.
   *
   * @throws The error behind the end, if any.
   */
  async *messages(): AsyncGenerator<Message, void> {
    let latest: Connection | undefined;
    for (;;) {
      const connection = this.#connection;
      if (connection !== undefined && connection !== latest) {
        latest = connection;
        yield* messagesOf(connection);
      } else if (this.#end === undefined) {
        await this.#changed.promise;
      } else if (this.#end.error === undefined) {
        return;
      } else {
        throw this.#end.error;
      }
    }
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** The messages of one connection, however that ends. */
export async function* messagesOf(
  connection: Connection,
): AsyncGenerator<Message, void> {
  try {
    for await (const message of connection) yield message;
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  }
}

/**
 * Notes that nobody takes messages of a connection for now. Else its end would wait
 * for that: one who has taken a message may have an answer to send before.
 */
export function release(connection: Connection): void {
  if (connection instanceof SocketConnection) connection.pump.release();
}
