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
  nowMs,
  timerMs,
} from "../connection.ts";
import { anySignal, unlessAborted } from "./abort.ts";
import { backoff } from "./backoff.ts";
import type {
  Dial,
  RedialAttempt,
  RedialOptions,
  RedialUrl,
} from "./redial_options.ts";
import { retryAfterMs } from "./retry_after.ts";
import { isRetryable } from "./retryable.ts";
import { Wait } from "./wait.ts";

/** What a hook may answer. */
export type RedialVerdict = "retry" | "stop" | void;

/** Who hears of attempts. Each of its methods is waited for. */
export interface AttemptListener {
  /**
   * The next attempt begins in `delayMs` milliseconds, or when it is told to.
   *
   * @param lastError What the last attempt failed with, or the
   * {@linkcode ClosedError} of the last connection.
   * @param number Number of the attempt that follows.
   */
  waiting?(
    delayMs: number,
    lastError: unknown,
    number: number,
  ): unknown;
  /** An attempt begins. */
  connecting?(attempt: RedialAttempt): unknown;
  /** An attempt failed; the answer overrules `shouldRetry`. */
  connectFailed?(
    error: unknown,
    attempt: RedialAttempt,
  ): RedialVerdict | Promise<RedialVerdict>;
}

/** Counts attempts, waits between them, and gives up. */
export class Attempts<Data> {
  readonly #dial: Dial<Data>;
  readonly #url: RedialUrl;
  readonly #options: RedialOptions<Data>;
  readonly #signal: AbortSignal | undefined;
  readonly #waits: Set<Wait>;
  #wait: Wait | undefined;
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
   * @param waits Where a wait is kept while it lasts.
   * @param signal Ends all, beside that of the options.
   */
  constructor(
    dial: Dial<Data>,
    url: RedialUrl,
    options: RedialOptions<Data>,
    waits: Set<Wait>,
    signal?: AbortSignal,
  ) {
    this.#dial = dial;
    this.#url = url;
    this.#options = options;
    this.#waits = waits;
    this.#signal = anySignal(options.signal, signal);
  }

  /** The wait that is under way. */
  get wait(): Wait | undefined {
    return this.#wait;
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
      const delayMs = this.#isFirst ? 0 : await this.#pause(listener);
      this.#isFirst = false;
      this.#sinceMs ??= nowMs();
      const lastError = this.#lastError;
      const attempt = { number: ++this.#number, delayMs, lastError };
      await unlessAborted(listener.connecting?.(attempt), this.#signal);
      let connection;
      try {
        connection = await this.#connect(attempt);
      } catch (error) {
        this.#signal?.throwIfAborted();
        this.#lastError = error;
        const verdict = await this.#judge(error, attempt, listener);
        if (verdict !== "retry") throw error;
        continue;
      }
      this.#openedMs = nowMs();
      void connection.closed.then(() => this.#closedMs = nowMs());
      if (!this.#signal?.aborted) return connection;
      // In the moment that it opened, which is too late for `dial`.
      await connection.close(1001);
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

  async #judge(
    error: unknown,
    attempt: RedialAttempt,
    listener: AttemptListener,
  ): Promise<RedialVerdict> {
    const told = listener.connectFailed?.(error, attempt);
    const verdict = await unlessAborted(told, this.#signal);
    // A hook that is an arrow function may return whatever it calls returns.
    if (verdict === "retry" || verdict === "stop") return verdict;
    const { shouldRetry = isRetryable } = this.#options;
    const mayRetry = shouldRetry(error, attempt);
    return await unlessAborted(mayRetry, this.#signal) ? "retry" : "stop";
  }

  /** Waits; tells how long, in milliseconds. */
  async #pause(listener: AttemptListener): Promise<number> {
    const delayMs = this.#nextDelayMs();
    const next = this.#number + 1;
    const wait = this.#wait = new Wait(delayMs);
    this.#waits.add(wait);
    try {
      for (const told of [this.#options, listener]) {
        const hook = told.waiting?.(delayMs, this.#lastError, next);
        await unlessAborted(hook, this.#signal);
      }
      await unlessAborted(wait.over, this.#signal);
      return wait.ms;
    } finally {
      wait.cut();
      this.#waits.delete(wait);
      this.#wait = undefined;
    }
  }

  #nextDelayMs(): number {
    const { maxAttempts = Infinity, giveUpAfterMs = Infinity } = this.#options;
    if (this.#number >= maxAttempts) throw this.#lastError;
    const { delays } = this.#options;
    this.#delays ??= (delays?.() ?? backoff(this.#options))[Symbol.iterator]();
    const next = this.#delays.next();
    if (next.done) throw this.#lastError;
    const delayMs = timerMs(Math.max(next.value, this.#retryAfterMs()));
    // A timer would take it for 0, and the server be asked without a pause.
    if (typeof next.value !== "number" || Number.isNaN(delayMs)) {
      throw new TypeError("Cannot redial: a delay is not a number");
    }
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
