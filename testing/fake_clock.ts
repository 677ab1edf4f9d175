/**
 * A clock that tests move by hand.
 *
 * @module
 */

import { checkAmount, checkKeys, useClock } from "../connection.ts";
import { replaceGlobals } from "./fake_globals.ts";
import { settle } from "./settle.ts";
import { FakeTimers } from "./timers.ts";

/** How a {@linkcode FakeClock} is made. */
export interface FakeClockOptions {
  /**
   * Whether the program's own `setTimeout`, `setInterval`, `Date` and
   * `performance.now` follow it too, for handlers that use them.
   *
   * @default {false}
   */
  readonly globals?: boolean;
}

const OPTION_NAMES = new Set(["globals"]);

let isInUse = false;

/**
 * Stands in for the time that Sockeye lives by: keepalive, the timeouts of
 * handshakes and closes, the deadline of a shutdown. It stands still until the
 * test moves it.
 *
 * Make it before the connections that are to follow it, and dispose of it after
 * them. There is one at a time. What belongs to real sockets, such as a TLS
 * handshake, keeps the real time.
 *
 * @example A client that vanishes
 * ```ts
 * import { connect, FakeClock } from "@sockeye/sockeye/testing";
 * import { strictEqual } from "node:assert";
 *
 * using clock = new FakeClock();
 * const { server, wire } = await connect(async (connection) => {
 *   for await (const message of connection) connection.send(message);
 * });
 *
 * wire.stall(); // not a byte comes through any more
 * await clock.advance(20_000); // the connection has been silent: a Ping
 * strictEqual(server.readyState, 1);
 * await clock.advance(21_500); // no answer: given up
 * strictEqual((await server.closed).cause, "ping-timeout");
 * ```
 */
export class FakeClock implements Disposable {
  readonly #timers: FakeTimers;
  readonly #restore: readonly (() => void)[];
  #isMoving = false;
  #isDisposed = false;

  /**
   * Puts the clock in place. It starts at the real time.
   *
   * @param options What follows it.
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {Error} If another one is in use.
   */
  constructor(options: FakeClockOptions = {}) {
    checkKeys("make the clock", options, OPTION_NAMES);
    const { globals = false } = options;
    if (typeof globals !== "boolean") {
      throw new TypeError("Cannot make the clock: globals is not a boolean");
    }
    if (isInUse) {
      throw new Error("Cannot make the clock: another FakeClock is in use");
    }
    this.#timers = new FakeTimers(Math.ceil(performance.now()));
    this.#restore = [
      useClock(this.#timers),
      ...(globals ? [replaceGlobals(this.#timers)] : []),
    ];
    isInUse = true;
  }

  /** The time, in milliseconds on the monotonic clock. */
  get nowMs(): number {
    return this.#timers.timeMs;
  }

  /** Count of timers that wait for their time. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /**
   * Lets time pass. What is due meanwhile happens in its order and at its time,
   * each with all that it leads to before the next.
   *
   * @param ms How much time, in milliseconds.
   * @throws {TypeError | RangeError} If `ms` is not a number, or negative.
   * @throws {Error} If it is moving already, or has been disposed of.
   * @throws What a timer of the program's own throws.
   */
  async advance(ms: number): Promise<void> {
    checkAmount("advance the clock", "ms", ms);
    await this.#move(this.#timers.timeMs + ms);
  }

  /**
   * Lets time pass in which nothing can happen, as when the event loop is blocked
   * or the machine asleep. What was due meanwhile happens late, at its end.
   *
   * @param ms How much time, in milliseconds.
   * @throws {TypeError | RangeError} If `ms` is not a number, or negative.
   * @throws {Error} If it is moving already, or has been disposed of.
   */
  async jump(ms: number): Promise<void> {
    checkAmount("jump", "ms", ms);
    await this.#move(this.#timers.timeMs + ms, () => {
      this.#timers.timeMs += ms;
    });
  }

  /** Puts the real time back. Timers that wait are forgotten. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    isInUse = false;
    for (const restore of this.#restore) restore();
  }

  async #move(endMs: number, start?: () => void): Promise<void> {
    if (this.#isDisposed) {
      throw new Error("Cannot move the clock: it has been disposed of");
    }
    if (this.#isMoving) {
      throw new Error("Cannot move the clock: it is moving already");
    }
    this.#isMoving = true;
    try {
      // What was begun before comes first: it may set timers.
      await settle();
      start?.();
      let timer = this.#timers.takeDue(endMs);
      while (timer !== undefined) {
        timer.callback();
        await settle();
        timer = this.#timers.takeDue(endMs);
      }
      this.#timers.timeMs = endMs;
      await settle();
    } finally {
      this.#isMoving = false;
    }
  }
}
