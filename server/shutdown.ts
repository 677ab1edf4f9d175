/**
 * How a server ends: what it is told, and how long it waits for whom.
 *
 * @module
 */

import { encodeClose } from "../codec.ts";
import {
  checkAmount,
  checkKeys,
  checkType,
  currentClock,
  timerMs,
} from "../connection.ts";

/** How to end a server. */
export interface ShutdownOptions {
  /**
   * Close code that the clients are sent.
   *
   * @default {1001}
   */
  readonly code?: number;
  /** Reason that the clients are sent, at most 123 bytes of UTF-8. */
  readonly reason?: string;
  /**
   * How long clients, and requests to the root, may take to finish, in
   * milliseconds. Then they are dropped.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
  /**
   * Whether to wait first, for `timeoutMs` too, until connections end by
   * themselves. Those that are left are then closed. Calling `shutdown` again,
   * without `drain`, cuts that short.
   *
   * @default {false}
   */
  readonly drain?: boolean;
}

/** How to close the connections. */
export interface CloseOrder {
  /** Close code. */
  readonly code: number;
  /** Reason. */
  readonly reason: string;
  /** How long that may take, in milliseconds. */
  readonly timeoutMs: number;
}

const OPTION_NAMES = new Set(["code", "reason", "timeoutMs", "drain"]);
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Takes options before anything changes.
 *
 * @param options As given.
 * @returns What they come to, without `drain`.
 * @throws {TypeError | RangeError} If code or reason may not be sent, or an option
 * is unknown or of the wrong kind.
 */
export function takeCloseOrder(options: ShutdownOptions): CloseOrder {
  checkKeys("shut down", options, OPTION_NAMES);
  const { code = 1001, reason = "", drain } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  checkAmount("shut down", "timeoutMs", timeoutMs);
  checkType("shut down", "drain", drain, "boolean");
  // It refuses what no Close frame may say.
  encodeClose(code, reason);
  return { code, reason, timeoutMs: timerMs(timeoutMs) };
}

/** Waits until everybody has left. */
export class Leaving {
  readonly #isEmpty: () => boolean;
  /** Ends the wait that is under way. */
  #goOn: (() => void) | undefined;
  /** Ends a drain, with what the last phase is to be done with. */
  #hurry: ((order: CloseOrder) => void) | undefined;

  /** @param isEmpty Tells whether anybody is left. */
  constructor(isEmpty: () => boolean) {
    this.#isEmpty = isEmpty;
  }

  /**
   * Waits until all connections have ended, or the time is up, or somebody will
   * not wait any more.
   *
   * @returns How to close those that are left.
   */
  async drain(order: CloseOrder): Promise<CloseOrder> {
    const hurried = new Promise<CloseOrder>((resolve) => {
      this.#hurry = resolve;
    });
    const emptied = this.wait(order.timeoutMs).then(() => order);
    const decided = await Promise.race([hurried, emptied]);
    this.#hurry = undefined;
    this.#goOn?.();
    return decided;
  }

  /** Ends a drain, if one is under way. */
  hurry(order: CloseOrder): void {
    this.#hurry?.(order);
  }

  /** Waits until all connections are gone, at most for a while. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#isEmpty()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#goOn = resolve;
    const clock = currentClock();
    const timer = clock.setTimeout(resolve, timeoutMs);
    await promise;
    clock.clearTimeout(timer);
  }

  /** Notes that somebody has left. */
  note(): void {
    if (this.#isEmpty()) this.#goOn?.();
  }
}
