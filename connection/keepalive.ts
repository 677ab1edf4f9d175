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
import type { ConnectionSettings } from "./options.ts";
import { nowMs } from "./ticker.ts";

/** What to do about a peer. */
export type Verdict = "wait" | "ping" | "dead";

/** Watches one peer. Time is told to it, and only a few times a second. */
export class Keepalive {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #transport: Transport;
  /** Whether the peer has shown life since the clock was last looked at. */
  #isAlive = false;
  #quietSinceMs: number;
  #pingedMs = 0;
  #progressMs = 0;
  #writtenBytes = 0;

  /**
   * @param settings Interval and timeout.
   * @param transport Tells what the peer has taken.
   */
  constructor(settings: ConnectionSettings, transport: Transport) {
    this.#intervalMs = settings.pingIntervalMs;
    this.#timeoutMs = settings.pingTimeoutMs;
    this.#transport = transport;
    this.#quietSinceMs = this.#spread(nowMs());
  }

  /** Notes a sign of life. Called for every chunk: it only sets a flag. */
  alive(): void {
    this.#isAlive = true;
  }

  /**
   * Looks at the clock.
   *
   * @param now Time, in milliseconds.
   * @param isPaused Whether reading is paused, so that the peer cannot be heard.
   */
  check(now: number, isPaused: boolean): Verdict {
    if (this.#intervalMs === 0) return "wait";
    const written = this.#transport.writtenBytes;
    if (written !== this.#writtenBytes) {
      this.#writtenBytes = written;
      this.#progressMs = now;
    }
    if (isPaused) return this.#checkUnheard(now);
    if (this.#isAlive) {
      this.#isAlive = false;
      this.#pingedMs = 0;
      this.#quietSinceMs = this.#spread(now);
      return "wait";
    }
    if (this.#pingedMs === 0) {
      if (now - this.#quietSinceMs < this.#intervalMs) return "wait";
      this.#pingedMs = this.#progressMs = now;
      return "ping";
    }
    return this.#judge(now - this.#progressMs, this.#timeoutMs);
  }

  /** A peer that is not read is judged by whether it takes what it is sent. */
  #checkUnheard(now: number): Verdict {
    this.#isAlive = true;
    if (this.#transport.bufferedBytes === 0) this.#progressMs = now;
    const patienceMs = this.#intervalMs + this.#timeoutMs;
    return this.#judge(now - this.#progressMs, patienceMs);
  }

  #judge(silentMs: number, patienceMs: number): Verdict {
    return this.#timeoutMs > 0 && silentMs >= patienceMs ? "dead" : "wait";
  }

  /** Moves a time back by up to a quarter interval, so that Pings spread. */
  #spread(timeMs: number): number {
    return timeMs - Math.floor(Math.random() * this.#intervalMs / 4);
  }
}
