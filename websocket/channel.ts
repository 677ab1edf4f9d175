/**
 * The life of a `WebSocket`: what the WebSockets Standard has happen to one, and in
 * what order its events come.
 *
 * @module
 */

import { dial, type DialOptions } from "../client.ts";
import {
  ClosedError,
  type CloseInfo,
  type Connection,
  type HandlerCallbacks,
} from "../connection.ts";
import { type CloseArguments, startClose } from "./close_arguments.ts";
import { FailureEvent, inTask } from "./events.ts";
import { Outbox } from "./outbox.ts";

/** The connection is not open yet. */
export const CONNECTING = 0;
/** The connection is open. */
export const OPEN = 1;
/** The connection is being closed. */
export const CLOSING = 2;
/** The connection is gone. */
export const CLOSED = 3;

/** What the `data` of a message event of bytes is. */
export type BinaryType = "blob" | "arraybuffer";

/** Connects at once, and dispatches what happens, each event in a task of its own. */
export class Channel {
  /** Where to. */
  readonly url: URL;
  /** What becomes of bytes that arrive. */
  binaryType: BinaryType = "blob";
  readonly #target: EventTarget;
  readonly #outbox = new Outbox();
  readonly #giveUp = new AbortController();
  #connection: Connection | undefined;
  #state: 0 | 1 | 2 | 3 = CONNECTING;

  /**
   * @param url Where to.
   * @param options How, without a handler.
   * @param target Where events are dispatched.
   */
  constructor(url: URL, options: DialOptions, target: EventTarget) {
    this.url = url;
    this.#target = target;
    const { signal, ...how } = options;
    const own = this.#giveUp.signal;
    dial(url, {
      ...how,
      handler: this.#callbacks(),
      signal: signal === undefined ? own : AbortSignal.any([signal, own]),
    }).catch((error) => this.#fail(error));
  }

  /** The connection, once its opening has been told. */
  get connection(): Connection | undefined {
    return this.#state === CONNECTING ? undefined : this.#connection;
  }

  /** As of the interface. */
  get readyState(): 0 | 1 | 2 | 3 {
    // The peer, or a broken wire, may have been faster than the events.
    const hasEnded = this.#state === OPEN && this.#connection!.readyState !== 1;
    return hasEnded ? CLOSING : this.#state;
  }

  /** As of the interface. */
  get bufferedAmount(): number {
    return this.#outbox.bufferedAmount;
  }

  /**
   * Sends a message, where it is open; else counts it.
   *
   * @param message Text; bytes, which nobody changes any more; or a blob.
   */
  send(message: string | Uint8Array | Blob): void {
    if (this.readyState === OPEN) this.#outbox.send(message);
    else this.#outbox.drop(message);
  }

  /** Closes, or gives up, where that has not begun. */
  close(how: CloseArguments): void {
    if (this.#state === CONNECTING) this.#abandon();
    else if (this.#state === OPEN) this.#startClose(how);
  }

  #callbacks(): HandlerCallbacks {
    return {
      open: (connection) => {
        this.#connection = connection;
        this.#outbox.open(connection);
        return inTask(() => this.#open());
      },
      message: (_connection, data) => {
        // The standard: "If ready state is not OPEN (1), then return."
        if (this.#state !== OPEN) return;
        return inTask(() => this.#receive(data));
      },
      close: (_connection, info) => inTask(() => this.#end(info)),
    };
  }

  #open(): void {
    if (this.#state !== CONNECTING) return;
    this.#state = OPEN;
    this.#target.dispatchEvent(new Event("open"));
  }

  #receive(message: string | Uint8Array): void {
    if (this.#state !== OPEN) return;
    const data = typeof message === "string"
      ? message
      : this.binaryType === "blob"
      ? new Blob([message as Uint8Array<ArrayBuffer>])
      : exactBuffer(message);
    const { origin } = this.url;
    this.#target.dispatchEvent(new MessageEvent("message", { data, origin }));
  }

  /** Gives up while it is connecting. */
  #abandon(): void {
    this.#state = CLOSING;
    this.#giveUp.abort(new Error("close() was called before it was open"));
    // The other end has accepted, but the event has not been dispatched.
    this.#connection?.terminate();
  }

  #startClose(how: CloseArguments): void {
    this.#state = CLOSING;
    const connection = this.#connection!;
    this.#outbox.afterBlobs(() => startClose(connection, how));
  }

  /** The connection never came to be. */
  #fail(error: unknown): void {
    // Where it did, and was dropped before the event, its end is told by its hook.
    if (this.#connection !== undefined) return;
    inTask(() => this.#finish(1006, "", false, error));
  }

  /** The connection is gone. */
  #end(info: CloseInfo): void {
    const { code, reason, wasClean } = info;
    const isFailure = !wasClean || info.error !== undefined;
    const error = isFailure ? info.error ?? new ClosedError(info) : undefined;
    this.#finish(code, reason, wasClean, error);
  }

  #finish(
    code: number,
    reason: string,
    wasClean: boolean,
    error: unknown,
  ): void {
    this.#state = CLOSED;
    if (error !== undefined) {
      this.#target.dispatchEvent(new FailureEvent("error", { error }));
    }
    const event = new CloseEvent("close", { code, reason, wasClean });
    this.#target.dispatchEvent(event);
  }
}

/** The bytes in a buffer of their own: those of small messages share one. */
function exactBuffer(bytes: Uint8Array): ArrayBufferLike {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength;
  return isWhole ? bytes.buffer : new Uint8Array(bytes).buffer;
}
