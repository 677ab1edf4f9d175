/**
 * How long to wait before the next attempt.
 *
 * @module
 */

import { checkAmount, checkType, timerMs } from "../connection.ts";

/** The waits between attempts. The numbers are those of Python's `websockets`. */
export interface BackoffOptions {
  /**
   * Longest first wait, in milliseconds. It is random from 0 up to this, so that
   * those who lost one server do not come back all at once (RFC 6455, section
   * 7.2.3).
   *
   * @default {5_000}
   */
  readonly firstDelayMs?: number;
  /**
   * The second wait, in milliseconds.
   *
   * @default {3_100}
   */
  readonly minDelayMs?: number;
  /**
   * How much longer each further wait is, at least 1.
   *
   * @default {1.618}
   */
  readonly delayFactor?: number;
  /**
   * Longest wait, in milliseconds.
   *
   * @default {90_000}
   */
  readonly maxDelayMs?: number;
  /**
   * By what part, from 0 to 1, waits after the first are made shorter at random:
   * a server that comes back only to go again loses everybody at one time.
   *
   * @default {0.5}
   */
  readonly jitter?: number;
  /**
   * Random numbers from 0 up to, not including, 1; with a seed of your own waits
   * can be repeated.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** Names of {@linkcode BackoffOptions}. */
export const BACKOFF_OPTION_NAMES: readonly (keyof BackoffOptions)[] = [
  "firstDelayMs",
  "minDelayMs",
  "delayFactor",
  "maxDelayMs",
  "jitter",
  "random",
];

/**
 * Refuses waits that cannot have been meant.
 *
 * @param options As given.
 * @throws {TypeError} If one is of the wrong kind.
 * @throws {RangeError} If a number is out of range.
 */
export function checkBackoff(options: BackoffOptions): void {
  const { random, ...amounts } = options;
  checkType("redial", "random", random, "function");
  for (const name of BACKOFF_OPTION_NAMES) {
    const value = (amounts as Record<string, unknown>)[name];
    if (value !== undefined) checkAmount("redial", name, value);
  }
  const { delayFactor = 1, jitter = 0 } = options;
  if (delayFactor < 1) {
    throw new RangeError(
      `Cannot redial: delayFactor is under 1: ${delayFactor}`,
    );
  }
  if (jitter > 1) {
    throw new RangeError(`Cannot redial: jitter is over 1: ${jitter}`);
  }
}

/**
 * Counts the waits: first a random one, then longer and longer ones.
 *
 * @param options Their numbers.
 * @returns Milliseconds, without end.
 */
export function* backoff(options: BackoffOptions): Generator<number, void> {
  const { firstDelayMs = 5_000, minDelayMs = 3_100, maxDelayMs = 90_000 } =
    options;
  const { delayFactor = 1.618, jitter = 0.5, random = Math.random } = options;
  // Of Infinity, 0 times would be no number.
  yield Math.round(Math.min(random() * timerMs(firstDelayMs), maxDelayMs));
  for (let delayMs = minDelayMs;;) {
    delayMs = Math.min(delayMs, maxDelayMs);
    yield Math.round(delayMs * (1 - jitter * random()));
    delayMs *= delayFactor;
  }
}
