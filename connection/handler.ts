/**
 * What a user writes: a class with hooks, one instance for each connection.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import type { CloseInfo } from "./close_info.ts";
import type { StreamedMessage } from "./streamed_message.ts";

/** The hooks of a handler. */
export interface Hooks {
  /** See {@linkcode Handler.open}. */
  open(): void | Promise<void>;
  /** See {@linkcode Handler.message}. */
  message(data: string | Uint8Array): void | Promise<void>;
  /** See {@linkcode Handler.stream}. */
  stream?(message: StreamedMessage): void | Promise<void>;
  /** See {@linkcode Handler.close}. */
  close(info: CloseInfo): void | Promise<void>;
  /** See {@linkcode Handler.drain}. */
  drain(): void | Promise<void>;
  /** See {@linkcode Handler.ping}. */
  ping(payload: Uint8Array): void | Promise<void>;
  /** See {@linkcode Handler.pong}. */
  pong(payload: Uint8Array): void | Promise<void>;
  /** See {@linkcode Handler.error}. */
  error(error: Error): void | Promise<void>;
}

/**
 * Handles one connection. Extend it, and override the hooks you need.
 *
 * Hooks of one connection never overlap: when one returns a promise, the next
 * is called after it has settled, and reading pauses when too much waits. A hook
 * that throws or rejects closes its connection with 1011 and harms no other.
 *
 * A class that has neither a `message` nor a `stream` hook may take its messages
 * with `connection.receive()` or `for await` instead.
 *
 * @example
 * ```ts
 * import { Handler, Site } from "@sockeye/sockeye";
 *
 * class Shout extends Handler {
 *   override message(data: string | Uint8Array) {
 *     if (typeof data === "string") this.connection.send(data.toUpperCase());
 *   }
 * }
 *
 * const site = new Site();
 * site.addHandler("/shout", Shout);
 * ```
 *
 * @typeParam Data Type of `connection.data`.
 */
export class Handler<Data = unknown> implements Hooks {
  /** The connection that this instance handles; its `site` is the site. */
  readonly connection: Connection<Data>;

  /**
   * Makes the handler of a connection that has been accepted, or dialled. What is
   * sent here arrives first.
   *
   * @param connection The connection.
   */
  constructor(connection: Connection<Data>) {
    this.connection = connection;
  }

  /** Called once, before everything else. */
  open(): void | Promise<void> {}

  /**
   * Called with each message.
   *
   * @param _data Text as a string, binary as bytes that are yours. Small ones that
   * arrived together may share one buffer: copy them before you transfer it.
   */
  message(_data: string | Uint8Array): void | Promise<void> {}

  /**
   * Called with each message as it begins, text or binary, in place of `message`:
   * for those that are larger than memory, or take their time to come.
   *
   * Read it within the hook. What is not being read when the hook is done is
   * discarded, and the next message waits for that, or for the reader.
   *
   * @param message The message, whose chunks come as they arrive.
   */
  stream?(message: StreamedMessage): void | Promise<void>;

  /**
   * Called once, after everything else, when the connection is gone.
   *
   * @param _info How it ended.
   */
  close(_info: CloseInfo): void | Promise<void> {}

  /** Called when the send buffer has fallen below its mark again. */
  drain(): void | Promise<void> {}

  /**
   * Called with each Ping. It has been answered.
   *
   * @param _payload At most 125 bytes.
   */
  ping(_payload: Uint8Array): void | Promise<void> {}

  /**
   * Called with each Pong, asked for or not.
   *
   * @param _payload At most 125 bytes.
   */
  pong(_payload: Uint8Array): void | Promise<void> {}

  /**
   * Called with what the peer did wrong, or what another hook threw, before
   * `close`.
   *
   * @param _error The error.
   */
  error(_error: Error): void | Promise<void> {}
}

/** A class that extends {@linkcode Handler}: it makes one for each connection. */
export interface HandlerConstructor<Data = unknown> {
  /** Makes the handler of one connection. */
  new (connection: Connection<Data>): Handler<Data>;
}

/** Tells a class from a function, whichever copy of this module it extends. */
export function isHandlerClass(
  handler: unknown,
): handler is HandlerConstructor {
  // A class cannot be called without `new`, and its `prototype` cannot be
  // written.
  const prototype = typeof handler === "function"
    ? Object.getOwnPropertyDescriptor(handler, "prototype")
    : undefined;
  return prototype !== undefined && prototype.writable === false;
}

/** The function form of a handler. */
export type HandlerFunction<Data = unknown> = (
  connection: Connection<Data>,
) => void | Promise<void>;
