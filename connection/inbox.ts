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

  // Both are made when they are needed: most handlers never ask.
  #messages: Message[] | undefined;
  #first = 0;
  #waiters: Waiter[] | undefined;
  #ended = false;

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

  /** Appends a message, or hands it to the one who has waited longest. */
  push(message: Message): void {
    const waiter = this.#waiters?.shift();
    if (waiter !== undefined) return waiter.resolve(message);
    this.#messages ??= [];
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
    if (this.length > 0) {
      return Promise.resolve(this.#shift(this.#messages!));
    }
    if (this.#ended) return Promise.resolve(undefined);
    const waiters = this.#waiters ??= [];
    return new Promise((resolve) => waiters.push({ resolve }));
  }

  /** Ends: those who wait get `undefined`; waiting messages can still be taken. */
  end(): void {
    this.#ended = true;
    for (const waiter of this.#waiters ?? []) waiter.resolve(undefined);
    this.#waiters = undefined;
  }

  #shift(messages: Message[]): Message {
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
