/**
 * Web streams of messages.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import type { Connection } from "../connection.ts";
import { ClosedError, isOrdinary } from "./close_info.ts";
import type { Sendable } from "./sendable.ts";

/** The streams of one connection, each made when it is asked for. */
export class MessageStreams {
  readonly #connection: Connection;
  #readable: ReadableStream<Message> | undefined;
  #writable: WritableStream<Sendable> | undefined;

  /** @param connection Where messages come from, and go. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Messages that arrive. */
  get readable(): ReadableStream<Message> {
    return this.#readable ??= messageReadable(this.#connection);
  }

  /** Messages to send. */
  get writable(): WritableStream<Sendable> {
    return this.#writable ??= messageWritable(this.#connection);
  }
}

/**
 * Makes the stream of messages that arrive. It takes a message only when it is
 * read, so that reading from the peer pauses by itself.
 */
function messageReadable(
  connection: Connection,
): ReadableStream<Message> {
  return new ReadableStream<Message>({
    async pull(controller) {
      try {
        controller.enqueue(await connection.receive());
      } catch (error) {
        if (error instanceof ClosedError && isOrdinary(error.info)) {
          controller.close();
        } else {
          controller.error(error);
        }
      }
    },
    cancel() {
      connection.close();
    },
  }, { highWaterMark: 0 });
}

/** Makes the stream of messages to send. */
function messageWritable(
  connection: Connection,
): WritableStream<Sendable> {
  return new WritableStream<Sendable>({
    start(controller) {
      connection.closed.then((info) => controller.error(new ClosedError(info)));
    },
    async write(chunk) {
      if (!connection.send(chunk)) await connection.drained;
    },
    async close() {
      await connection.close();
    },
    abort() {
      connection.close(1011);
    },
  });
}
