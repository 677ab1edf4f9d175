/**
 * Messages that wait to be asked for.
 *
 * @module
 */

import type { Message } from "../codec.ts";

interface Waiter {
  readonly resolve: (message: Message | undefined) => void;
}

/** A queue of messages with those who wait for one. */
export class Inbox {
  /** What the waiting messages measure: bytes, or characters of text. */
  size = 0;
  /** Whether anybody has ever asked. */
  isUsed = false;

  #messages: Message[] = [];
  #first = 0;
  #waiters: Waiter[] = [];
  #ended = false;

  /** Count of waiting messages. */
  get length(): number {
    return this.#messages.length - this.#first;
  }

  /** Whether somebody waits, and so has finished with all earlier messages. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** Appends a message, or hands it to the one who has waited longest. */
  push(message: Message): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.resolve(message);
    this.#messages.push(message);
    this.size += message.length;
  }

  /**
   * Takes the next message, waiting for it if need be.
   *
   * @returns The message, or `undefined` after the last one.
   */
  take(): Promise<Message | undefined> {
    this.isUsed = true;
    if (this.length > 0) return Promise.resolve(this.#shift());
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiters.push({ resolve }));
  }

  /** Ends: those who wait get `undefined`; waiting messages can still be taken. */
  end(): void {
    this.#ended = true;
    for (const waiter of this.#waiters) waiter.resolve(undefined);
    this.#waiters = [];
  }

  #shift(): Message {
    const message = this.#messages[this.#first]!;
    // Not `shift()`, whose cost grows with the queue.
    this.#messages[this.#first++] = "";
    if (this.#first === this.#messages.length || this.#first === 64) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    this.size -= message.length;
    return message;
  }
}
