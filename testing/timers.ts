/**
 * Timers that fire when they are told what time it is.
 *
 * @module
 */

import type { Clock } from "../connection.ts";

/** A timer that has not fired, or will again. */
export interface FakeTimer {
  /** When it fires, in milliseconds. */
  dueMs: number;
  /** Time between calls, in milliseconds; `undefined` for one call only. */
  readonly periodMs: number | undefined;
  /** What it calls. */
  readonly callback: () => void;
}

/** A clock that stands still. */
export class FakeTimers implements Clock {
  /** The time, in milliseconds. */
  timeMs: number;
  // In the order in which they were set: of those that are due at the same time
  // the first goes first.
  readonly #pending: Set<FakeTimer> = new Set();

  /** @param startMs The time at first, in milliseconds. */
  constructor(startMs: number) {
    this.timeMs = startMs;
  }

  /** Count of timers that have not fired. */
  get size(): number {
    return this.#pending.size;
  }

  nowMs(): number {
    return this.timeMs;
  }

  setTimeout(callback: () => void, delayMs: number): FakeTimer {
    return this.#set(callback, delayMs, undefined);
  }

  /** Calls again and again. */
  setInterval(callback: () => void, periodMs: number): FakeTimer {
    // As the real ones: never without a pause.
    const period = periodMs >= 1 ? periodMs : 1;
    return this.#set(callback, period, period);
  }

  clearTimeout(timer: unknown): void {
    this.#pending.delete(timer as FakeTimer);
  }

  /**
   * Moves on to the next timer that is due, and takes it.
   *
   * @param endMs How far to go at most, in milliseconds.
   * @returns The timer; `undefined` where none is due until then.
   */
  takeDue(endMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs > endMs) continue;
      if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    }
    if (next === undefined) return undefined;
    this.#pending.delete(next);
    this.timeMs = Math.max(this.timeMs, next.dueMs);
    if (next.periodMs !== undefined) {
      next.dueMs = this.timeMs + next.periodMs;
      this.#pending.add(next);
    }
    return next;
  }

  #set(
    callback: () => void,
    delayMs: number,
    periodMs: number | undefined,
  ): FakeTimer {
    const delay = delayMs > 0 ? delayMs : 0;
    const timer = { dueMs: this.timeMs + delay, periodMs, callback };
    this.#pending.add(timer);
    return timer;
  }
}
