/**
 * A wait before an attempt.
 *
 * @module
 */

import { currentClock, nowMs } from "../connection.ts";

/** Begins when it is made; may be cut short. */
export class Wait {
  readonly #startMs: number = nowMs();
  readonly #ms: number;
  readonly #over: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #clearTimer: () => void;
  /** When it was cut short, in milliseconds. */
  #cutMs: number | undefined;

  /** @param ms How long. The process stays alive: somebody waits for a connection. */
  constructor(ms: number) {
    this.#ms = ms;
    const clock = currentClock();
    const timer = clock.setTimeout(() => this.#over.resolve(), ms);
    this.#clearTimer = () => clock.clearTimeout(timer);
  }

  /** How long it still is, in milliseconds. */
  get leftMs(): number {
    return Math.max(0, this.#startMs + this.#ms - nowMs());
  }

  /** How long it was meant to be, or was when it was cut short, in milliseconds. */
  get ms(): number {
    if (this.#cutMs === undefined) return this.#ms;
    return Math.min(this.#ms, this.#cutMs - this.#startMs);
  }

  /** Settles when it is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Ends it. Idempotent. */
  cut(): void {
    this.#cutMs ??= nowMs();
    this.#clearTimer();
    this.#over.resolve();
  }
}
