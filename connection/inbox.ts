/**
 * Messages that wait to be asked for.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import { Incoming } from "./incoming.ts";
import type { Link } from "./link.ts";

/** A message, whole or in pieces. */
export type Received = Message | Incoming;

/** Told the message that it waited for, or `undefined` after the last one. */
export type Waiter = (message: Received | undefined) => void;

/** A queue of messages with those who wait for one. */
export class Inbox {
  /** What the waiting messages measure: bytes, or characters of text. */
  size = 0;
  /** Whether anybody has ever asked. */
  isUsed = false;
  /** Whether who has asked said since that he is done with what he was given. */
  isReleased = false;

  // Both are made when they are needed: most handlers never ask.
  #messages: Received[] | undefined;
  #first = 0;
  #waiters: Waiter[] | undefined;
  #ended = false;
  /** Whether a message was dropped, and so all that come after it. */
  #isCut = false;

  /** Count of waiting messages. */
  get length(): number {
    return this.#messages === undefined
      ? 0
      : this.#messages.length - this.#first;
  }

  /** Whether somebody waits, and so has finished with all earlier messages. */
  get isAwaited(): boolean {
    return this.#waiters !== undefined && this.#waiters.length > 0;
  }

  /** Whether those who have asked have finished with what they were given. */
  get isConsumed(): boolean {
    return !this.isUsed || this.isReleased || this.isAwaited;
  }

  /** Appends a message, or drops it, as the state of its connection says. */
  keep(message: Received, { isOpen, protocol, settings }: Link): void {
    // After our Close frame reading does not pause any more, so that the peer's
    // is found; what nobody takes must not pile up until it is there. Once a
    // message is dropped all are: what can be taken has no gap.
    if (!isOpen && protocol.received === undefined) {
      this.#isCut ||= this.length >= settings.receiveHighWaterMessages ||
        this.size >= settings.receiveHighWaterBytes;
    }
    if (!this.#isCut) this.push(message);
    else if (message instanceof Incoming) message.cutOff();
  }

  /** Appends a message, or hands it to the one who has waited longest. */
  push(message: Received): void {
    const waiter = this.#waiters?.shift();
    if (waiter !== undefined) {
      this.isReleased = false;
      return waiter(message);
    }
    this.#messages ??= [];
    this.#messages.push(message);
    this.size += message.length;
  }

  /** Takes the next message, if there is one. */
  tryTake(): Received | undefined {
    this.isUsed = true;
    this.isReleased = false;
    return this.length > 0 ? this.#shift(this.#messages!) : undefined;
  }

  /** Waits for the next message, where there is none. */
  wait(waiter: Waiter): void {
    if (this.#ended) waiter(undefined);
    else (this.#waiters ??= []).push(waiter);
  }

  /** Ends: those who wait get `undefined`; waiting messages can still be taken. */
  end(): void {
    this.#ended = true;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const waiter of waiters ?? []) waiter(undefined);
  }

  #shift(messages: Received[]): Received {
    const message = messages[this.#first]!;
    // Not `shift()`, whose cost grows with the queue.
    messages[this.#first++] = "";
    if (this.#first === messages.length || this.#first === 64) {
      this.#messages = messages.slice(this.#first);
      this.#first = 0;
    }
    this.size -= message.length;
    return message;
  }
}
