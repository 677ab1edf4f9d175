/**
 * How long hooks are waited for.
 *
 * @module
 */

import { Wait } from "./wait.ts";

/** How long the end waits for a hook, in milliseconds. */
const HOOK_LIMIT_MS = 10_000;

/** Waits for hooks: first as long as they take, and once it has begun only so long. */
export class HookLimit {
  /** Goes on without the hooks that are waited for. */
  #giveUp: (() => void) | undefined;
  #wait: Wait | undefined;
  #isOver = false;

  /**
   * Waits for the hooks of one connection.
   *
   * @returns What has come of them; `undefined` where they took too long.
   */
  async apply<T>(hooks: Promise<T>): Promise<T | void> {
    // A promise for each, as one for all would remember every race that it was in.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#giveUp = resolve;
    if (this.#isOver) resolve();
    return await Promise.race([hooks, promise]);
  }

  /** Lets the time begin that is left to hooks. Idempotent. */
  begin(): void {
    if (this.#isOver || this.#wait !== undefined) return;
    this.#wait = new Wait(HOOK_LIMIT_MS);
    void this.#wait.over.then(() => this.end());
  }

  /** Waits for no hook any more. */
  end(): void {
    this.#isOver = true;
    this.#wait?.cut();
    this.#giveUp?.();
  }
}
