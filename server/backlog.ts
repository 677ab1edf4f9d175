/**
 * Messages for many that wait until a slow peer has room for them.
 *
 * They are framed already, and shared with all the other peers that wait for the
 * same ones: a backlog costs a reference for each.
 *
 * @module
 */

import type { PreparedMessage } from "../codec.ts";

/** What waits for one peer; when it is too much, the oldest goes. */
export interface Backlog {
  /** Bytes that wait, with framing. */
  readonly byteLength: number;
  /**
   * Appends a message.
   *
   * @param message The message.
   * @param topic Its topic; `undefined` for a broadcast.
   * @returns How many messages had to go for it.
   */
  push(message: PreparedMessage, topic: string | undefined): number;
  /** Takes the message that has waited longest. */
  shift(): PreparedMessage | undefined;
  /** Drops everything; returns how many messages that were. */
  clear(): number;
}

/** Keeps every message, in order. */
export class FullBacklog implements Backlog {
  byteLength = 0;
  readonly #maxBytes: number;
  #messages: PreparedMessage[] = [];
  #next = 0;

  /** @param maxBytes Bytes that may wait; a single message may be larger. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(message: PreparedMessage): number {
    this.#messages.push(message);
    this.byteLength += message.frame.length;
    let dropped = 0;
    while (this.byteLength > this.#maxBytes && this.#count > 1) {
      this.shift();
      dropped++;
    }
    return dropped;
  }

  shift(): PreparedMessage | undefined {
    if (this.#count === 0) return undefined;
    const message = this.#messages[this.#next++]!;
    this.byteLength -= message.frame.length;
    if (this.#next >= 64 && this.#next * 2 >= this.#messages.length) {
      // Let go of what has been taken, in steps that keep the cost linear.
      this.#messages.splice(0, this.#next);
      this.#next = 0;
    }
    return message;
  }

  clear(): number {
    const dropped = this.#count;
    this.#messages = [];
    this.#next = 0;
    this.byteLength = 0;
    return dropped;
  }

  get #count(): number {
    return this.#messages.length - this.#next;
  }
}

/** Keeps the latest message of each topic, in the place of the one before it. */
export class LatestBacklog implements Backlog {
  byteLength = 0;
  readonly #maxBytes: number;
  readonly #messages: Map<string | undefined, PreparedMessage> = new Map();

  /** @param maxBytes Bytes that may wait; a single message may be larger. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(message: PreparedMessage, topic: string | undefined): number {
    const before = this.#messages.get(topic);
    let dropped = 0;
    if (before !== undefined) {
      this.byteLength -= before.frame.length;
      dropped++;
    }
    this.#messages.set(topic, message);
    this.byteLength += message.frame.length;
    for (const oldest of this.#messages.keys()) {
      if (this.byteLength <= this.#maxBytes) break;
      // What has just come is the last that goes.
      if (oldest === topic) continue;
      this.#delete(oldest);
      dropped++;
    }
    return dropped;
  }

  shift(): PreparedMessage | undefined {
    for (const topic of this.#messages.keys()) return this.#delete(topic);
    return undefined;
  }

  clear(): number {
    const dropped = this.#messages.size;
    this.#messages.clear();
    this.byteLength = 0;
    return dropped;
  }

  #delete(topic: string | undefined): PreparedMessage {
    const message = this.#messages.get(topic)!;
    this.#messages.delete(topic);
    this.byteLength -= message.frame.length;
    return message;
  }
}
