/**
 * How a connection is kept.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import {
  checkKeys,
  checkType,
  type CloseInfo,
  type Connection,
} from "../connection.ts";
import type { AttemptListener, RedialVerdict } from "./attempts.ts";
import { checkOutbox, type OutboxOptions } from "./outbox.ts";

/** How a connection was lost. */
export interface DurableLoss {
  /** The report on it. */
  readonly info: CloseInfo;
  /**
   * Messages of the outbox that had been handed to it, and whose arrival was not
   * confirmed: they may have arrived or not. They are sent again, before all
   * others, where the outbox was told `unconfirmed: "resend"`.
   */
  readonly inDoubt: readonly Message[];
}

/** How it ended for good. */
export interface DurableEnd {
  /**
   * What ended it: `close` was called (`closed`); a hook answered `"stop"`
   * (`stopped`); no attempt was left, or the failure was fatal (`gave-up`); the
   * signal aborted (`aborted`); a hook threw (`failed`).
   */
  readonly cause: "closed" | "stopped" | "gave-up" | "aborted" | "failed";
  /** The error behind it, where there is one. */
  readonly error?: unknown;
  /**
   * Messages that the outbox had accepted and that were never handed over, or were
   * to be sent again.
   */
  readonly unsent: readonly Message[];
  /**
   * Messages in doubt, see {@linkcode DurableLoss}, that `down` was not told of: the
   * connection was closed because a hook had thrown.
   */
  readonly inDoubt: readonly Message[];
}

/**
 * Hooks of a connection that is kept. They are called one after the other: one that
 * returns a promise is waited for.
 */
export interface DurableOptions<Data = unknown> extends AttemptListener {
  /**
   * A connection is open. What is sent to `connection` here, such as a login or
   * subscriptions, leaves before what waits; an answer may be taken with
   * `connection.receive()`. Until it settles nothing else is sent or taken.
   */
  open?(connection: Connection<Data>): unknown;
  /** A message has come. Without it, loop over the object. */
  message?(data: Message): unknown;
  /**
   * The connection is gone, and its messages have been handled. `"stop"` ends it
   * all; else the next attempt follows.
   */
  down?(loss: DurableLoss): RedialVerdict | Promise<RedialVerdict>;
  /**
   * Keeps messages while there is no connection; `{}` for the defaults. Without it
   * `send` accepts nothing then.
   */
  readonly outbox?: OutboxOptions;
}

const HOOK_NAMES = [
  "waiting",
  "connecting",
  "connectFailed",
  "open",
  "message",
  "down",
] as const;
const OPTION_NAMES = new Set<string>([...HOOK_NAMES, "outbox"]);

/**
 * Refuses options that cannot have been meant.
 *
 * @param options As given.
 * @throws {TypeError} If one is unknown or of the wrong kind.
 * @throws {RangeError} If a number is out of range.
 */
export function checkDurable<Data>(options: DurableOptions<Data>): void {
  checkKeys("keep a connection", options, OPTION_NAMES);
  for (const name of HOOK_NAMES) {
    checkType("keep a connection", name, options[name], "function");
  }
  if (options.outbox !== undefined) checkOutbox(options.outbox);
}
