/**
 * What has to wait for a message that is sent in fragments: no other may come
 * between them (RFC 6455, section 5.4).
 *
 * @module
 */

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
}
