/**
 * The end of a connection: who began it, how long the other side may take, and
 * what is reported of it.
 *
 * @module
 */

import type { ProtocolError } from "../codec.ts";
import {
  type CloseCause,
  type CloseInfo,
  makeCloseInfo,
} from "./close_info.ts";
import { nowMs } from "./clock.ts";
import type { Link } from "./link.ts";
import { updateReading } from "./reading.ts";

/** How long a peer that is taken for dead may take to read its Close frame. */
const DEAD_PEER_MS = 500;
/** How long one who has taken all messages has for an answer to the last one. */
const IDLE_TAKER_MS = 1_000;

/** How one link ends. An open one has none: it is made with the first sign of it. */
export class Ending {
  /** How the connection ended, once that is certain. */
  info: CloseInfo | undefined;
  /** Whether the peer has ended its side of the stream. */
  hasPeerEnded = false;
  /** Whether the transport is gone. */
  isClosed = false;

  readonly #link: Link;
  /** What began to close it, on this side. */
  #cause: CloseCause | undefined;
  /** What led to that. */
  #error: Error | undefined;
  /** When to give up waiting for the peer, or for the handler; 0 for never. */
  #deadlineMs = 0;
  /** When the last event has been kept waiting long enough; 0 for not at all. */
  #overdueMs = 0;
  #isDropped = false;
  #isGivenUp = false;

  /** @param link What ends. */
  constructor(link: Link) {
    this.#link = link;
  }

  /** Whether time runs: nothing more is sent, or the peer says nothing more. */
  get hasBegun(): boolean {
    return this.#deadlineMs > 0;
  }

  /** Whether the transport is gone, or is to go. */
  get isGone(): boolean {
    return this.isClosed || this.#isDropped;
  }

  /** Whether the peer is one that does not read, and is not read any more. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Lets time run from now on, unless it does. */
  begin(): void {
    if (this.hasBegun) return;
    this.#deadlineMs = nowMs() + this.#link.settings.closeTimeoutMs;
    this.#link.owner.onClosing();
  }

  /**
   * Starts the closing handshake.
   *
   * @param cause What to report, unless something else has begun to close.
   * @param error What led to it.
   * @throws {TypeError | RangeError} If code or reason may not be sent.
   */
  startClose(
    code: number | undefined,
    reason: string,
    cause: CloseCause,
    error?: Error,
  ): void {
    const link = this.#link;
    // Checks the arguments, also where there is nothing left to close.
    link.protocol.close(code, reason);
    if (this.#cause !== undefined || this.isClosed) return;
    this.#cause = cause;
    this.#error = error;
    this.begin();
    link.flushSoon();
    // What the peer has said already needs no answer any more, so it must not
    // wait for a handler that itself may wait for the end.
    if (link.protocol.lastEventPending) link.owner.pump.overdue();
    updateReading(link);
  }

  /** Gives up a peer that does not read what it is sent. */
  overflow(): void {
    if (!this.#link.isOpen) return;
    this.startClose(1013, "the send buffer is full", "backpressure");
    this.decide("backpressure");
    // One who does not read will not answer; what it says is not worth memory.
    this.#isGivenUp = true;
    updateReading(this.#link);
  }

  /** Closes to a peer that shows no sign of life, and does not wait for it long. */
  closeDead(): void {
    const link = this.#link;
    this.startClose(1011, "ping timeout", "ping-timeout");
    this.decide("ping-timeout");
    link.flush();
    this.#deadlineMs = nowMs() +
      Math.min(DEAD_PEER_MS, link.settings.closeTimeoutMs);
  }

  /** Drops the connection. */
  drop(cause: CloseCause, error?: Error): void {
    if (this.isGone) return;
    this.decide(cause, error);
    this.#isDropped = true;
    this.begin();
    this.#link.protocol.abandon();
    this.#link.transport.destroy();
  }

  /** Notes that the peer's Close frame has been taken from the protocol. */
  peerClosed(): void {
    // Before our own frame it was the peer who started; after it, we did.
    this.begin();
    // The answer leaves now, also where the event was taken by asking.
    this.#link.flushSoon();
    this.decide(this.#cause ?? "peer");
  }

  /** Notes that the peer's breach has been taken from the protocol. */
  peerFailed(error: ProtocolError): void {
    this.begin();
    this.#link.flushSoon();
    const tooBig = error.reason === "message-too-big";
    this.decide(tooBig ? "too-big" : "protocol-error", error);
  }

  /** Notes that the transport is gone. */
  transportClosed(error: Error | undefined): void {
    const { owner, protocol } = this.#link;
    this.isClosed = true;
    this.begin();
    protocol.abandon();
    // What arrived before still counts, a Close frame included.
    if (this.info === undefined) owner.pump.overdue();
    const cause = protocol.sent === undefined ? undefined : this.#cause;
    this.decide(cause ?? "transport-error", error);
    owner.onClosed(this.info!);
  }

  /**
   * Notes that the end has to wait for one who has taken messages, and may answer
   * them yet; it does so for a bounded time.
   */
  keepWaiting(): void {
    if (this.#overdueMs > 0) return;
    const { owner, settings } = this.#link;
    // Half of it: a peer with the same timeout must not give up first.
    const longestMs = Math.ceil(settings.closeTimeoutMs / 2);
    this.#overdueMs = nowMs() +
      (owner.pump.isBehind ? longestMs : Math.min(IDLE_TAKER_MS, longestMs));
  }

  /** Settles the report, unless it is settled. */
  decide(cause: CloseCause, error?: Error): void {
    if (this.info !== undefined) return;
    const { sent, received } = this.#link.protocol;
    this.info = makeCloseInfo(cause, sent, received, error ?? this.#error);
  }

  /** Waits no longer for what is overdue. */
  tick(now: number): void {
    if (this.#overdueMs > 0 && now >= this.#overdueMs) {
      this.#overdueMs = 0;
      this.#link.owner.pump.overdue();
      this.#link.flush();
    }
    if (this.hasBegun && now >= this.#deadlineMs) this.drop(this.#lateCause);
  }

  /** Why nothing more is waited for. */
  get #lateCause(): CloseCause {
    // The peer had ended the stream; what waited was this side, for its user.
    const isOurs = this.hasPeerEnded &&
      this.#link.protocol.sent === undefined;
    return isOurs ? "transport-error" : "close-timeout";
  }
}
