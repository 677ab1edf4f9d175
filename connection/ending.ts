/**
 * How far the end of a connection has got.
 *
 * @module
 */

import type { CloseCause, CloseInfo } from "./close_info.ts";

/** What is only known of a connection that ends: an open one has none. */
export class Ending {
  /** How it ended, once that is certain. */
  info: CloseInfo | undefined;
  /** What began to close it, on this side. */
  cause: CloseCause | undefined;
  /** What led to it. */
  error: Error | undefined;
  /** When to give up waiting for the peer, or for the handler; 0 for never. */
  deadlineMs = 0;
  /** Since when the last event has been kept waiting; 0 for not. */
  overdueMs = 0;
  /** Whether the transport is gone. */
  isClosed = false;
  /** Whether the peer has ended its side of the stream. */
  hasPeerEnded = false;
  /** Whether this side has dropped the connection; `close` follows. */
  isDropped = false;
  /** Whether the peer is one that does not read, and is not read any more. */
  isGivenUp = false;
}
