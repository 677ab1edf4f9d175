/**
 * How long an attempt to connect goes on.
 *
 * @module
 */

import { HandshakeError } from "../codec.ts";
import { nowMs, type Ticker, type Ticking } from "../connection.ts";

/** Gives an attempt up in time, or when its caller does. */
export class Patience implements Ticking {
  place = -1;

  readonly #controller: AbortController = new AbortController();
  readonly #ticker: Ticker;
  readonly #caller: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  readonly #abort = (): void => this.#controller.abort(this.#caller?.reason);

  /**
   * @param ticker Tells the time. It is one for many attempts: a timer for each
   * cost 3 % of an attempt on Deno.
   * @param timeoutMs How long it may take, in milliseconds; may be `Infinity`.
   * @param caller Gives up too when it aborts.
   */
  constructor(
    ticker: Ticker,
    timeoutMs: number,
    caller: AbortSignal | undefined,
  ) {
    this.#ticker = ticker;
    this.#caller = caller;
    this.#timeoutMs = timeoutMs;
    this.#deadlineMs = nowMs() + timeoutMs;
    ticker.add(this);
    caller?.addEventListener("abort", this.#abort);
  }

  /** Aborts when it is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#deadlineMs || this.signal.aborted) return;
    const message = `Not open after ${this.#timeoutMs} ms`;
    this.#controller.abort(new HandshakeError("open-timeout", message));
  }

  /** Lets go, however the attempt has ended. */
  end(): void {
    this.#ticker.delete(this);
    this.#caller?.removeEventListener("abort", this.#abort);
  }
}
