/**
 * Who holds a link.
 *
 * @module
 */

import type { CloseInfo } from "./close_info.ts";

/** Who is told what happens on a link. */
export interface LinkOwner {
  /** Bytes have been taken in, or the peer has ended: events may wait. */
  onReceived(): void;
  /** Whether so much waits to be handled that reading should pause, or stay so. */
  isFull(isPaused: boolean): boolean;
  /** Whether nothing that was received waits to be handled. */
  readonly isIdle: boolean;
  /** Whether a hook is at work, or messages wait to be taken. */
  readonly isBehind: boolean;
  /** Whether somebody takes messages by asking, who may need the time to do so. */
  readonly isTaken: boolean;
  /** The send buffer has fallen below its mark. */
  onDrained(): void;
  /** The last event must be taken now, whoever is still busy with earlier ones. */
  onOverdue(): void;
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
