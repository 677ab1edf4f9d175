/**
 * Where the time comes from: the one place of the library that asks for it, and
 * that sets timers. `testing.ts` puts a clock here that tests move by hand.
 *
 * @module
 */

/** Tells the time, and wakes. */
export interface Clock {
  /** Time on a monotonic clock, in milliseconds, possibly with a fraction. */
  nowMs(): number;
  /**
   * Calls once.
   *
   * @param callback What to call.
   * @param delayMs After how long, in milliseconds.
   * @param unref Given the timer, keeps it from keeping the process alive.
   * @returns What `clearTimeout` takes.
   */
  setTimeout(
    callback: () => void,
    delayMs: number,
    unref?: (timer: unknown) => void,
  ): unknown;
  /** Calls no more. */
  clearTimeout(timer: unknown): void;
}

/** Longest time that a timer takes, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const REAL_CLOCK: Clock = {
  nowMs: () => performance.now(),
  setTimeout(callback, delayMs, unref) {
    const timer = setTimeout(callback, delayMs);
    unref?.(timer);
    return timer;
  },
  clearTimeout(timer) {
    clearTimeout(timer as number);
  },
};

let clock = REAL_CLOCK;

/** The clock in use. */
export function currentClock(): Clock {
  return clock;
}

/**
 * Puts another clock in the place of the one in use. What is made from now on
 * follows it; what was made before keeps its own timers.
 *
 * @param next The clock.
 * @returns What puts the one before back.
 */
export function useClock(next: Clock): () => void {
  const before = clock;
  clock = next;
  return () => {
    clock = before;
  };
}

/**
 * Tells the time on the monotonic clock, in whole milliseconds: engines keep whole
 * numbers in the object that holds them, fractions in a box of their own.
 */
export function nowMs(): number {
  return Math.floor(clock.nowMs());
}

/** Bounds a time to what a timer takes, in milliseconds: a longer one ends at once. */
export function timerMs(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_TIMER_MS);
}
