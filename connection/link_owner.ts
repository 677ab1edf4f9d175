/**
 * Who holds a link.
 *
 * @module
 */

import type { CloseInfo } from "./close_info.ts";

/** Who handles what a link has received, and says how far that has got. */
export interface Intake {
  /** Whether nothing that was received waits to be handled. */
  readonly isIdle: boolean;
  /** Whether a hook is at work, or messages wait to be taken. */
  readonly isBehind: boolean;
  /** Whether somebody takes messages by asking, who may need the time to do so. */
  readonly isTaken: boolean;
  /**
   * Whether so much waits that reading should pause, or stay so.
   *
   * @param isPaused Whether it is paused.
   */
  isFull(isPaused: boolean): boolean;
  /** Handles what can be handled: bytes have arrived, or the peer has ended. */
  run(): void;
  /** Takes the last event now, whoever is still busy with earlier ones. */
  overdue(): void;
}

/** Who is told what happens on a link. */
export interface LinkOwner {
  /** What is received goes there. */
  readonly pump: Intake;
  /** The send buffer has fallen below its mark. */
  onDrained(): void;
  /**
   * A hook threw or rejected.
   *
   * @returns What it threw, as an error.
   */
  onHookFailed(error: unknown): Error;
  /** No more messages may be sent. */
  onClosing(): void;
  /** The transport is gone. */
  onClosed(info: CloseInfo): void;
}
