/**
 * Whether the peer is still there.
 *
 * A connection that has been silent for an interval is sent a Ping. Any byte is
 * a sign of life; so is any progress of what we send, so that a Ping which waits
 * behind a large message does not time out while the peer is taking that.
 *
 * @module
 */

import type { Transport } from "../runtime/transport.ts";
import { nowMs } from "./clock.ts";
import type { ConnectionSettings } from "./options.ts";
import type { Pings } from "./pings.ts";

/** What to do about a peer. */
export type Verdict = "wait" | "ping" | "dead";

/** A peer, as far as one can tell from here whether it is there. */
export interface WatchedPeer {
  /** Interval and timeout. */
  readonly settings: Pick<
    ConnectionSettings,
    "pingIntervalMs" | "pingTimeoutMs"
  >;
  /** Tells what it has taken. */
  readonly transport: Pick<Transport, "bufferedBytes" | "writtenBytes">;
  /** Whether reading is paused, so that it cannot be heard. */
  readonly isPaused: boolean;
}

/** How far a peer has come in taking what it is sent. */
interface Progress {
  writtenBytes: number;
  /** When that last grew. */
  sinceMs: number;
}

/** Watches one peer. Time is told to it, and only a few times a second. */
export class Keepalive {
  /** The Pings under way; made with the first. */
  pings: Pings | undefined;
  /** Since when the peer is silent; 0 from a sign of life to the next look. */
  #quietSinceMs: number;
  /** Made when the peer is pinged or cannot be heard, which is seldom. */
  #progress: Progress | undefined;

  /** @param intervalMs The interval, 0 for no Pings. */
  constructor(intervalMs: number) {
    this.#quietSinceMs = spread(nowMs(), intervalMs);
  }

  /** Notes a sign of life. Called for every chunk: it only sets a number. */
  alive(): void {
    this.#quietSinceMs = 0;
  }

  /**
   * Looks at the clock.
   *
   * @param now Time, in milliseconds.
   * @param peer The peer.
   */
  check(now: number, peer: WatchedPeer): Verdict {
    const { pingIntervalMs, pingTimeoutMs } = peer.settings;
    const { bufferedBytes, writtenBytes } = peer.transport;
    if (pingIntervalMs === 0) return "wait";
    let patienceMs = pingTimeoutMs;
    if (peer.isPaused) {
      // It is judged by whether it takes what it is sent.
      this.#quietSinceMs = 0;
      patienceMs += pingIntervalMs;
    } else if (this.#quietSinceMs === 0) {
      this.#quietSinceMs = spread(now, pingIntervalMs);
      this.#progress = undefined;
      return "wait";
    } else if (this.#progress === undefined) {
      if (now - this.#quietSinceMs < pingIntervalMs) return "wait";
      this.#progress = { writtenBytes, sinceMs: now };
      return "ping";
    }
    const progress = this.#progress ??= { writtenBytes, sinceMs: now };
    const owesNothing = peer.isPaused && bufferedBytes === 0;
    if (owesNothing || progress.writtenBytes !== writtenBytes) {
      progress.writtenBytes = writtenBytes;
      progress.sinceMs = now;
    }
    const isLate = now - progress.sinceMs >= patienceMs;
    return pingTimeoutMs > 0 && isLate ? "dead" : "wait";
  }
}

/** Moves a time back by up to a quarter interval, so that Pings spread. */
function spread(timeMs: number, intervalMs: number): number {
  return timeMs - Math.floor(Math.random() * intervalMs / 4);
}
