/**
 * How to dial again and again.
 *
 * @module
 */

import type { DialOptions } from "../client.ts";
import {
  checkAmount,
  checkKeys,
  checkSignal,
  checkType,
  type Connection,
} from "../connection.ts";
import {
  BACKOFF_OPTION_NAMES,
  type BackoffOptions,
  checkBackoff,
} from "./backoff.ts";
import { DIAL_OPTION_NAMES, takeDialOptions } from "./options.ts";
import { parseTargetUrl } from "./target_url.ts";

/** One attempt to connect. */
export interface RedialAttempt {
  /** Its number, from 1, and from 1 again after a connection that was stable. */
  readonly number: number;
  /** How long was waited for it, in milliseconds; less where that was cut short. */
  readonly delayMs: number;
  /**
   * Why there is another one: what the last attempt failed with, or the
   * {@linkcode ClosedError} of the last connection. `undefined` for the first.
   */
  readonly lastError: unknown;
}

/** Where to dial: always the same, or asked for each attempt. */
export type RedialUrl =
  | string
  | URL
  | ((attempt: RedialAttempt) => string | URL | Promise<string | URL>);

/** How to dial again and again. */
export interface RedialOptions<Data = unknown> extends BackoffOptions {
  /**
   * Options of `dial`, as they are when `redial` is called; or a function that is
   * asked for them before each attempt, so that it has a fresh token.
   */
  readonly dial?:
    | DialOptions<Data>
    | ((
      attempt: RedialAttempt,
    ) => DialOptions<Data> | Promise<DialOptions<Data>>);
  /**
   * Waits of your own, in milliseconds, in the place of those that the numbers
   * give; asked for anew after each connection that was stable. When there are no
   * more it gives up; what is not a number ends it with a `TypeError`.
   */
  readonly delays?: () => Iterable<number>;
  /**
   * Tells whether to try again after a failure to connect; waited for.
   *
   * @default {isRetryable}
   */
  readonly shouldRetry?: (
    error: unknown,
    attempt: RedialAttempt,
  ) => boolean | Promise<boolean>;
  /**
   * Longest time for which a server's `Retry-After` is believed, in milliseconds.
   * A longer one counts as this. 0 ignores it.
   *
   * @default {600_000}
   */
  readonly maxRetryAfterMs?: number;
  /**
   * How long a connection must have been open to be called stable, in
   * milliseconds. Only then waits and attempts are counted anew.
   *
   * @default {10_000}
   */
  readonly stableAfterMs?: number;
  /**
   * Attempts without a stable connection after which it gives up; at least 1.
   *
   * @default {Infinity}
   */
  readonly maxAttempts?: number;
  /**
   * Time without a stable connection after which it gives up, in milliseconds.
   *
   * @default {Infinity}
   */
  readonly giveUpAfterMs?: number;
  /**
   * Told before each wait, such as for a line in the log; waited for. What it
   * throws ends it all.
   *
   * @param delayMs How long the wait is, in milliseconds, unless it is cut short.
   * @param lastError As in {@linkcode RedialAttempt}.
   * @param number Number of the attempt that follows.
   */
  readonly waiting?: (
    delayMs: number,
    lastError: unknown,
    number: number,
  ) => unknown;
  /** Gives up when it aborts, at once; an open connection is closed with 1001. */
  readonly signal?: AbortSignal;
}

/** Opens one connection. */
export type Dial<Data> = (
  url: string | URL,
  options: DialOptions<Data>,
) => Promise<Connection<Data>>;

const OPTION_NAMES = new Set([
  "dial",
  "delays",
  "shouldRetry",
  "maxRetryAfterMs",
  "stableAfterMs",
  "maxAttempts",
  "giveUpAfterMs",
  "waiting",
  "signal",
  ...BACKOFF_OPTION_NAMES,
]);

/**
 * Takes options as they are now, for all attempts: an iterator of headers, for one,
 * can be gone through only once.
 *
 * @param url As given.
 * @param given As given.
 * @returns A copy, checked.
 * @throws {TypeError} If one is unknown or of the wrong kind.
 * @throws {RangeError} If a number is out of range.
 */
export function takeRedialOptions<Data>(
  url: RedialUrl,
  given: RedialOptions<Data>,
): RedialOptions<Data> {
  checkRedial(url, given);
  const { dial } = given;
  return {
    ...given,
    ...(typeof dial === "object" && { dial: takeDialOptions(dial) }),
  };
}

function checkRedial<Data>(url: RedialUrl, options: RedialOptions<Data>): void {
  checkUrl(url);
  // Those of `dial` are often put beside them.
  const misplaced = Object.keys(Object(options))
    .find((name) => !OPTION_NAMES.has(name) && DIAL_OPTION_NAMES.has(name));
  if (misplaced !== undefined) {
    throw new TypeError(
      `Cannot redial: unknown option: ${misplaced}; did you mean dial.${misplaced}?`,
    );
  }
  checkKeys("redial", options, OPTION_NAMES);
  checkBackoff(options);
  for (
    const name of [
      "maxRetryAfterMs",
      "stableAfterMs",
      "maxAttempts",
      "giveUpAfterMs",
    ] as const
  ) {
    if (options[name] !== undefined) checkAmount("redial", name, options[name]);
  }
  const { maxAttempts = 1, dial = {}, signal } = options;
  if (maxAttempts < 1) {
    throw new RangeError(
      `Cannot redial: maxAttempts is under 1: ${maxAttempts}`,
    );
  }
  for (const name of ["delays", "shouldRetry", "waiting"] as const) {
    checkType("redial", name, options[name], "function");
  }
  if (
    typeof dial !== "function" && (typeof dial !== "object" || dial === null)
  ) {
    throw new TypeError(
      "Cannot redial: dial is neither options nor a function",
    );
  }
  checkSignal("redial", signal);
}

function checkUrl(url: unknown): void {
  if (typeof url === "function") return;
  if (typeof url !== "string" && !(url instanceof URL)) {
    throw new TypeError(
      "Cannot redial: the URL is neither text nor a function",
    );
  }
  // A typing error would be found at the first attempt only.
  const target = parseTargetUrl(url);
  if (typeof target === "string") {
    throw new TypeError(`Cannot redial: ${target}`);
  }
}
