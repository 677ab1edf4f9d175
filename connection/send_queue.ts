/**
 * What has to wait for a message that is sent in fragments: no other may come
 * between them (RFC 6455, section 5.4).
 *
 * @module
 */

import type { Message } from "../codec.ts";
import type { Link } from "./link.ts";

/** Tasks of one connection that are done one after the other. */
export class SendQueue {
  /** What waits, in bytes or characters. */
  waitingBytes = 0;
  /** Fragments sent that did not end their message. */
  openFragments = 0;
  /** Called when the connection is gone; whoever waits for a chunk sets it. */
  interrupt: ((error: Error) => void) | undefined;
  #last: Promise<void> = Promise.resolve();
  #length = 0;
  readonly #link: Link;

  /** @param link Where messages go. */
  constructor(link: Link) {
    this.#link = link;
  }

  /** Whether all tasks are done. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Does something once everything before it is done.
   *
   * @param task What to do.
   * @returns Settles as the task does.
   */
  add(task: () => void | Promise<void>): Promise<void> {
    this.#length++;
    const done = this.#last.then(task, task);
    this.#last = done;
    const leave = (): void => void this.#length--;
    done.then(leave, leave);
    return done;
  }

  /**
   * Sends a message once everything before it is done.
   *
   * @returns Whether it was accepted and more may be sent at once.
   */
  send(message: Message, compress: boolean): boolean {
    const link = this.#link;
    const { sendHighWaterBytes, sendMaxBytes } = link.settings;
    if (!link.isOpen) return false;
    if (this.waitingBytes > sendMaxBytes) {
      link.ending.overflow();
      return false;
    }
    this.waitingBytes += message.length;
    this.add(() => {
      this.waitingBytes -= message.length;
      link.send(message, compress);
    });
    return this.waitingBytes + link.bufferedBytes < sendHighWaterBytes;
  }
}
