/**
 * The third form of a handler: an object of callbacks.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import { alike, checkType } from "./check.ts";
import type { CloseInfo } from "./close_info.ts";
import type { StreamedMessage } from "./streamed_message.ts";
import { Handler, type HandlerConstructor, type Hooks } from "./handler.ts";

/**
 * Callbacks that handle connections: the hooks of a {@linkcode Handler}, each with
 * the connection first. One object serves all connections, so what belongs to one
 * of them goes into `connection.data`.
 *
 * They are called in the order, and under the rules, of a handler's hooks: one that
 * returns a promise is waited for, and nothing else that is returned counts. Without
 * `message` or `stream` messages wait to be taken with `connection.receive()`.
 *
 * @typeParam Data Type of `connection.data`.
 */
export interface HandlerCallbacks<Data = unknown> {
  /** As {@linkcode Handler.open}. */
  open?(connection: Connection<Data>): unknown;
  /** As {@linkcode Handler.message}. */
  message?(
    connection: Connection<Data>,
    data: string | Uint8Array,
  ): unknown;
  /** As {@linkcode Handler.stream}. */
  stream?(
    connection: Connection<Data>,
    message: StreamedMessage,
  ): unknown;
  /** As {@linkcode Handler.close}. */
  close?(connection: Connection<Data>, info: CloseInfo): unknown;
  /** As {@linkcode Handler.drain}. */
  drain?(connection: Connection<Data>): unknown;
  /** As {@linkcode Handler.ping}. */
  ping?(
    connection: Connection<Data>,
    payload: Uint8Array,
  ): unknown;
  /** As {@linkcode Handler.pong}. */
  pong?(
    connection: Connection<Data>,
    payload: Uint8Array,
  ): unknown;
  /** As {@linkcode Handler.error}. */
  error?(connection: Connection<Data>, error: Error): unknown;
}

const HOOK_NAMES: readonly (keyof Hooks)[] = [
  "open",
  "message",
  "stream",
  "close",
  "drain",
  "ping",
  "pong",
  "error",
];

/**
 * Makes a handler class of callbacks. An instance of it is as small as one of a
 * class that a user writes, and a call of a hook is one call more.
 *
 * @param what What the callbacks are for, for the message.
 * @param callbacks The callbacks; called as its methods.
 * @param others Names that the object may have beside those of the hooks.
 * @throws {TypeError} If there is none, one is no function, or one has a name that
 * nobody knows.
 */
export function callbackHandler<Data>(
  what: string,
  callbacks: HandlerCallbacks<Data>,
  others: readonly string[] = [],
): HandlerConstructor<Data> {
  checkCallbacks(what, callbacks, others);
  class CallbackHandler extends Handler<Data> {}
  for (const name of HOOK_NAMES) {
    if (callbacks[name] === undefined) continue;
    // Only hooks that are there override: without `message` nothing is pushed.
    Object.defineProperty(CallbackHandler.prototype, name, {
      value: hookOf(callbacks as UntypedCallbacks, name),
    });
  }
  return CallbackHandler;
}

/** Any callback, whatever it is told. */
type UntypedCallbacks = Record<
  string,
  (connection: unknown, argument: unknown) => unknown
>;

function hookOf(
  callbacks: UntypedCallbacks,
  name: string,
): (this: Handler, argument: unknown) => unknown {
  return function (argument) {
    return callbacks[name]!(this.connection, argument);
  };
}

function checkCallbacks(
  what: string,
  callbacks: unknown,
  others: readonly string[],
): void {
  // An instance has hooks as well, but they expect no connection.
  const isInstance = callbacks instanceof Handler;
  if (typeof callbacks !== "object" || callbacks === null || isInstance) {
    throw new TypeError(
      `Cannot ${what}: the handler is neither a class of hooks nor an object of them`,
    );
  }
  const known: readonly string[] = HOOK_NAMES;
  const named = callbacks as Record<string, unknown>;
  for (const name of [...known, ...others]) {
    checkType(what, name, named[name], "function");
  }
  // State beside the callbacks is fine; another function is a typing error.
  for (const [name, value] of Object.entries(named)) {
    if (typeof value !== "function") continue;
    if (known.includes(name) || others.includes(name)) continue;
    throw new TypeError(
      `Cannot ${what}: unknown callback: ${name}${
        alike(name, [...known, ...others])
      }`,
    );
  }
  if (known.every((name) => named[name] === undefined)) {
    throw new TypeError(`Cannot ${what}: the handler has no callback`);
  }
}
