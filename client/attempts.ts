/**
 * One attempt after the other, until a connection is open.
 *
 * @module
 */

import type { DialOptions } from "../client.ts";
import {
  ClosedError,
  type CloseInfo,
  type Connection,
  currentClock,
  nowMs,
} from "../connection.ts";
import { backoff, isRetryable, retryAfterMs, timerMs } from "./backoff.ts";
import type {
  Dial,
  RedialAttempt,
  RedialOptions,
  RedialUrl,
} from "./redial_options.ts";

/** Who hears of attempts. */
export interface AttemptListener {
  /**
   * The next attempt begins in `delayMs` milliseconds.
   *
   * @param lastError What the last attempt failed with, or the
   * {@linkcode ClosedError} of the last connection.
   */
  waiting?(delayMs: number, lastError: unknown): void;
  /** An attempt begins. */
  connecting?(attempt: RedialAttempt): void;
  /** An attempt failed; the answer overrules `shouldRetry`. */
  connectFailed?(
    error: unknown,
    attempt: RedialAttempt,
  ): "retry" | "stop" | void;
}

/** Counts attempts, waits between them, and gives up. */
export class Attempts<Data> {
  readonly #dial: Dial<Data>;
  readonly #url: RedialUrl;
  readonly #options: RedialOptions<Data>;
  readonly #signal: AbortSignal | undefined;
  #delays: Iterator<number> | undefined;
  #number = 0;
  #isFirst = true;
  #lastError: unknown;
  /** Since when there has been no stable connection. */
  #sinceMs: number | undefined;
  #openedMs = 0;
  #closedMs = 0;

  /**
   * @param dial Opens a connection.
   * @param url Where to.
   * @param options How; checked.
   * @param signal Ends all, beside that of the options.
   */
  constructor(
    dial: Dial<Data>,
    url: RedialUrl,
    options: RedialOptions<Data>,
    signal?: AbortSignal,
  ) {
    this.#dial = dial;
    this.#url = url;
    this.#options = options;
    this.#signal = anySignal(options.signal, signal);
  }

  /**
   * Dials until a connection is open.
   *
   * @param listener Told of each attempt.
   * @throws What the last attempt failed with, or the last connection ended with,
   * when it gives up; the signal's reason when that aborts.
   */
  async next(listener: AttemptListener = {}): Promise<Connection<Data>> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const delayMs = this.#isFirst ? 0 : this.#nextDelayMs();
      if (!this.#isFirst) {
        listener.waiting?.(delayMs, this.#lastError);
        await sleep(delayMs, this.#signal);
      }
      this.#isFirst = false;
      this.#sinceMs ??= nowMs();
      const lastError = this.#lastError;
      const attempt = { number: ++this.#number, delayMs, lastError };
      listener.connecting?.(attempt);
      let connection;
      try {
        connection = await this.#connect(attempt);
      } catch (error) {
        this.#signal?.throwIfAborted();
        this.#lastError = error;
        const { shouldRetry = isRetryable } = this.#options;
        const verdict = listener.connectFailed?.(error, attempt) ??
          (shouldRetry(error, attempt) ? "retry" : "stop");
        if (verdict !== "retry") throw error;
        continue;
      }
      this.#openedMs = nowMs();
      void connection.closed.then(() => this.#closedMs = nowMs());
      return connection;
    }
  }

  /** Notes that the connection is gone that `next` gave. */
  ended(info: CloseInfo): void {
    const { stableAfterMs = 10_000 } = this.#options;
    this.#lastError = new ClosedError(info);
    if (this.#closedMs - this.#openedMs < stableAfterMs) return;
    this.#number = 0;
    this.#delays = undefined;
    this.#sinceMs = nowMs();
  }

  #nextDelayMs(): number {
    const { maxAttempts = Infinity, giveUpAfterMs = Infinity } = this.#options;
    if (this.#number >= maxAttempts) throw this.#lastError;
    const { delays } = this.#options;
    this.#delays ??= (delays?.() ?? backoff(this.#options))[Symbol.iterator]();
    const next = this.#delays.next();
    if (next.done) throw this.#lastError;
    const delayMs = timerMs(Math.max(next.value, this.#retryAfterMs()));
    // There is no use in waiting for what would then be given up.
    const endMs = (this.#sinceMs ?? nowMs()) + giveUpAfterMs;
    if (nowMs() + delayMs > endMs) throw this.#lastError;
    return delayMs;
  }

  #retryAfterMs(): number {
    const { maxRetryAfterMs = 600_000, jitter = 0.5, random = Math.random } =
      this.#options;
    const askedMs = Math.min(retryAfterMs(this.#lastError), maxRetryAfterMs);
    // Everybody is told the same.
    return askedMs * (1 + jitter * random());
  }

  async #connect(attempt: RedialAttempt): Promise<Connection<Data>> {
    const { dial = {} } = this.#options;
    const url = typeof this.#url === "function"
      ? await unlessAborted(this.#url(attempt), this.#signal)
      : this.#url;
    const options: DialOptions<Data> = typeof dial === "function"
      ? await unlessAborted(dial(attempt), this.#signal)
      : dial;
    const signal = anySignal(options.signal, this.#signal);
    return await this.#dial(url, signal ? { ...options, signal } : options);
  }
}

function anySignal(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : one ?? other;
}

/** Waits for what somebody else does, as long as it is wanted. */
async function unlessAborted<T>(
  awaited: T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await awaited;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  // A hook may have ended it just now.
  if (signal.aborted) abort();
  try {
    return await Promise.race([awaited, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Lets time pass. The process stays alive: somebody waits for a connection. */
async function sleep(
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const clock = currentClock();
  const over = Promise.withResolvers<void>();
  const timer = clock.setTimeout(over.resolve, ms);
  try {
    await unlessAborted(over.promise, signal);
  } finally {
    clock.clearTimeout(timer);
  }
}
