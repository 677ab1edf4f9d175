/**
 * Messages that wait for a connection.
 *
 * A message is kept until a Pong has come for a Ping that was sent after it: the
 * peer has read all that came before (RFC 6455, section 5.5.3: a Pong is sent "as
 * soon as is practical", and the stream keeps its order). What was handed to a
 * connection that died without such a Pong may have arrived or not; nobody on this
 * side can know.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import {
  checkAmount,
  checkKeys,
  type CloseInfo,
  type Connection,
  type SendOptions,
  SocketConnection,
} from "../connection.ts";

/** How messages are kept while there is no connection. */
export interface OutboxOptions {
  /**
   * Bytes of messages that are kept at most, those included whose arrival is not
   * confirmed; text counts as UTF-8. What does not fit is not accepted.
   *
   * @default {1_048_576}
   */
  readonly maxBytes?: number;
  /**
   * Messages that are kept at most.
   *
   * @default {1_024}
   */
  readonly maxMessages?: number;
  /**
   * What becomes of messages that were handed to a connection which died before
   * their arrival was confirmed. `"drop"` sends nothing twice, and may lose them;
   * `"resend"` loses nothing, and may send them twice. `down` is told of them
   * either way.
   *
   * @default {"drop"}
   */
  readonly unconfirmed?: "drop" | "resend";
}

const OPTION_NAMES = new Set(["maxBytes", "maxMessages", "unconfirmed"]);

/**
 * Refuses options that cannot have been meant.
 *
 * @param options As given.
 * @throws {TypeError} If one is unknown or of the wrong kind.
 * @throws {RangeError} If a number is negative.
 */
export function checkOutbox(options: OutboxOptions): void {
  checkKeys("keep a connection", options, OPTION_NAMES, "outbox");
  const { maxBytes = 0, maxMessages = 0, unconfirmed = "drop" } = options;
  checkAmount("keep a connection", "maxBytes", maxBytes);
  checkAmount("keep a connection", "maxMessages", maxMessages);
  if (unconfirmed !== "drop" && unconfirmed !== "resend") {
    throw new TypeError(
      `Cannot keep a connection: unconfirmed is unknown: ${unconfirmed}`,
    );
  }
}

/** A message that is kept. */
interface Kept {
  readonly data: Message;
  readonly bytes: number;
  readonly options: SendOptions | undefined;
}

const encoder = new TextEncoder();

/** Whether a message may be handed over without the peer being given up for it. */
function mayTake(connection: Connection): boolean {
  return connection.readyState === 1 &&
    (!(connection instanceof SocketConnection) || connection.link.hasRoom);
}

/** Keeps messages, and hands them to one connection after the other. */
export class Outbox {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #resends: boolean;
  /** Not handed over yet, in order. */
  #waiting: Kept[] = [];
  /** Handed over, and not confirmed. */
  #handed: Kept[] = [];
  #bytes = 0;
  #connection: Connection | undefined;
  #isHeldUp = false;
  #isPinging = false;

  /** @param options Limits; checked. */
  constructor(options: OutboxOptions) {
    this.#maxBytes = options.maxBytes ?? 1_048_576;
    this.#maxMessages = options.maxMessages ?? 1_024;
    this.#resends = options.unconfirmed === "resend";
  }

  /** Bytes of messages that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that are kept. */
  get length(): number {
    return this.#waiting.length + this.#handed.length;
  }

  /**
   * Takes a message; bytes are copied.
   *
   * @returns Whether there was room.
   */
  add(data: Message, options: SendOptions | undefined): boolean {
    // As they are now, which is how they were checked.
    const how = options && { ...options };
    const kept = typeof data === "string"
      ? { data, bytes: encoder.encode(data).length, options: how }
      : { data: new Uint8Array(data), bytes: data.length, options: how };
    if (
      this.length >= this.#maxMessages ||
      this.#bytes + kept.bytes > this.#maxBytes
    ) return false;
    this.#bytes += kept.bytes;
    this.#waiting.push(kept);
    this.#handOver();
    return true;
  }

  /** Starts to hand messages to a connection. */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#isHeldUp = this.#isPinging = false;
    this.#handOver();
  }

  /** Hands over what the send buffer may hold, before the connection is closed. */
  flush(): void {
    this.#handOver(true);
  }

  /**
   * Notes that the connection is gone.
   *
   * @returns What was handed to it and may not have arrived.
   */
  detach(info: CloseInfo): Message[] {
    this.#connection = undefined;
    // A peer that answers our Close frame has read what came before it. One whose
    // own crossed ours may have stopped reading: it says another code, most often.
    const hasAll = info.cause === "local" && info.wasClean &&
      info.received?.code === info.sent?.code;
    const unsure = hasAll ? [] : this.#handed;
    if (this.#resends && !hasAll) {
      this.#waiting = [...this.#handed, ...this.#waiting];
    } else {
      this.#forget(this.#handed);
    }
    this.#handed = [];
    return unsure.map(({ data }) => data);
  }

  /** Takes out what has not been handed over. */
  takeAll(): Message[] {
    const left = this.#waiting;
    this.#waiting = [];
    this.#forget(left);
    return left.map(({ data }) => data);
  }

  #forget(gone: readonly Kept[]): void {
    for (const { bytes } of gone) this.#bytes -= bytes;
  }

  #handOver(isLast = false): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    let count = 0;
    while (count < this.#waiting.length && mayTake(connection)) {
      if (this.#isHeldUp && !isLast) break;
      const kept = this.#waiting[count++]!;
      this.#handed.push(kept);
      const mayGoOn = connection.send(kept.data, kept.options);
      // The rest stays here, where it is known not to have been sent.
      if (!mayGoOn && !isLast) this.#holdUp(connection);
    }
    this.#waiting.splice(0, count);
    this.#confirm(connection);
  }

  #holdUp(connection: Connection): void {
    this.#isHeldUp = true;
    connection.drained.then(() => {
      if (connection !== this.#connection) return;
      this.#isHeldUp = false;
      this.#handOver();
    }, () => {});
  }

  /** Asks for a sign that all was read; one at a time. */
  #confirm(connection: Connection): void {
    const count = this.#handed.length;
    if (this.#isPinging || connection.readyState !== 1) return;
    // Where there was no room, the sign says that there is again.
    const wasRefused = this.#waiting.length > 0 && !this.#isHeldUp;
    if (count === 0 && !wasRefused) return;
    this.#isPinging = true;
    connection.ping().then(() => {
      if (connection !== this.#connection) return;
      this.#isPinging = false;
      this.#forget(this.#handed.splice(0, count));
      this.#handOver();
    }, () => {});
  }
}
