/**
 * Where the protocol meets the transport: bytes in and out, the send buffer,
 * keepalive, and every way in which a connection ends.
 *
 * @module
 */

import {
  type Message,
  type PreparedMessage,
  Protocol,
  type ProtocolError,
  type ProtocolOptions,
} from "../codec.ts";
import type { Transport, TransportSink } from "../runtime/transport.ts";
import {
  type CloseCause,
  type CloseInfo,
  makeCloseInfo,
} from "./close_info.ts";
import { nowMs } from "./clock.ts";
import { Ending } from "./ending.ts";
import { flushSoon } from "./flush.ts";
import { Keepalive } from "./keepalive.ts";
import type { LinkOwner } from "./link_owner.ts";
import type { ConnectionSettings } from "./options.ts";
import { Pings } from "./pings.ts";
import { updateReading } from "./reading.ts";
import type { Ticker, Ticking } from "./ticker.ts";

/** Output that is sent at once, without waiting for the end of a turn. */
const FLUSH_BYTES = 65_536;
/** How long a peer that is taken for dead may take to read its Close frame. */
const DEAD_PEER_MS = 500;
/** How long one who has taken all messages has for an answer to the last one. */
const IDLE_TAKER_MS = 1_000;

/** One connection's protocol on its transport. */
export class Link implements TransportSink, Ticking {
  /** The rules. */
  readonly protocol: Protocol;
  /** The bytes. */
  readonly transport: Transport;
  /** Limits and times. */
  readonly settings: ConnectionSettings;
  /** Messages received, as far as they have been handed on. */
  messagesReceived = 0;
  /** Messages, and fragments of messages, sent. */
  dataFramesSent = 0;
  /** Wire bytes received. */
  bytesReceived = 0;
  /** Whether the last `send` left the buffer over its mark. */
  isOver = false;
  /** Whether this link is on the list of those to be flushed. */
  isDirty = false;
  /** Whether output waits for the answer to the opening handshake to be written. */
  isHeld = false;
  /** Whether reading is paused. */
  isPaused = false;
  /** Whether the user wants it to be. */
  isPausedByUser = false;
  /** Whether it is still to be seen if what waits in the queue is taken. */
  isUndecided = false;
  place = -1;

  readonly #owner: LinkOwner;
  readonly #ticker: Ticker;
  readonly #keepalive: Keepalive;
  #isCorked = false;
  #ending: Ending | undefined;

  /**
   * @param transport A transport whose sink this link becomes.
   * @param protocol Role, and how to decode.
   * @param settings Limits and times.
   * @param ticker Tells the time.
   * @param owner Who is told.
   */
  constructor(
    transport: Transport,
    protocol: ProtocolOptions,
    settings: ConnectionSettings,
    ticker: Ticker,
    owner: LinkOwner,
  ) {
    this.transport = transport;
    this.protocol = new Protocol(protocol);
    this.settings = settings;
    this.#ticker = ticker;
    this.#owner = owner;
    this.#keepalive = new Keepalive(settings.pingIntervalMs);
    ticker.add(this);
  }

  /** Whose link it is. */
  get owner(): LinkOwner {
    return this.#owner;
  }

  /** The Pings under way; made with the first. */
  get pings(): Pings {
    return this.#keepalive.pings ??= new Pings();
  }

  /** Whether a Ping was ever sent. */
  get hasPings(): boolean {
    return this.#keepalive.pings !== undefined;
  }

  /** Bytes accepted for sending that have not left this process. */
  get bufferedBytes(): number {
    return this.protocol.outputBytes + this.transport.bufferedBytes;
  }

  /** How it ended, once that is certain. */
  get info(): CloseInfo | undefined {
    return this.#ending?.info;
  }

  /** Whether the transport is gone. */
  get isClosed(): boolean {
    return this.#ending !== undefined && this.#ending.isClosed;
  }

  /** Whether messages may be sent. */
  get isOpen(): boolean {
    // Before the end begins no Close frame has been sent.
    const ending = this.#ending;
    return ending === undefined ||
      !ending.isClosed && !ending.isDropped && this.protocol.sent === undefined;
  }

  /** Whether the peer has ended its side of the stream. */
  get hasPeerEnded(): boolean {
    return this.#ending !== undefined && this.#ending.hasPeerEnded;
  }

  /** Whether the peer is one that does not read, and is not read any more. */
  get isGivenUp(): boolean {
    return this.#ending !== undefined && this.#ending.isGivenUp;
  }

  // What the transport says.

  data(chunk: Uint8Array): void {
    this.bytesReceived += chunk.length;
    this.#keepalive.alive();
    this.cork();
    this.protocol.receive(chunk, this.transport.givesChunks);
    this.#owner.onReceived();
    this.uncork();
  }

  drain(): void {
    this.flush();
    updateReading(this);
  }

  end(): void {
    const ending = this.#toEnd();
    if (ending.hasPeerEnded) return;
    ending.hasPeerEnded = true;
    this.protocol.receiveEnd();
    this.#startClosing();
    this.cork();
    this.#owner.onReceived();
    this.uncork();
    if (!this.#owner.isIdle) this.keepWaiting();
  }

  close(error?: Error): void {
    const ending = this.#toEnd();
    if (ending.isClosed) return;
    ending.isClosed = true;
    this.#ticker.delete(this);
    this.#startClosing();
    this.protocol.abandon();
    // What arrived before still counts, a Close frame included.
    if (this.info === undefined) this.#owner.onOverdue();
    const cause = this.protocol.sent === undefined
      ? "transport-error"
      : ending.cause ?? "transport-error";
    this.decide(cause, error);
    this.#owner.onClosed(this.info!);
  }

  // What the connection asks for.

  /** Holds output back until `uncork`, so that it leaves in one write. */
  cork(): void {
    this.#isCorked = true;
  }

  /** Sends what was held back, and reads on, or not. */
  uncork(): void {
    this.#isCorked = false;
    this.flush();
    updateReading(this);
  }

  /**
   * As `uncork`, but for work that comes in small pieces, one microtask after the
   * other: what they send leaves in one write.
   */
  uncorkSoon(): void {
    this.#isCorked = false;
    flushSoon(this);
    updateReading(this);
  }

  /**
   * Sends a message.
   *
   * @returns Whether it was accepted and more may be sent at once.
   */
  send(data: Message, compress: boolean): boolean {
    if (!this.#hasRoom()) return false;
    const accepted = typeof data === "string"
      ? this.protocol.sendText(data, compress)
      : this.protocol.sendBinary(data, compress);
    return accepted && this.#sent();
  }

  /**
   * Sends a message that was framed before.
   *
   * @returns Whether it was accepted, also where it is the last one for now.
   */
  sendPrepared(message: PreparedMessage): boolean {
    if (!this.#hasRoom() || !this.protocol.sendPrepared(message)) return false;
    this.#sent();
    return true;
  }

  /** Sends a fragment; as `send`. */
  sendFragment(data: Message, fin: boolean, compress: boolean): boolean {
    if (!this.#hasRoom()) return false;
    return this.protocol.sendFragment(data, fin, compress) && this.#sent();
  }

  /**
   * Sends a Ping.
   *
   * @returns The round trip in milliseconds; it may be ignored.
   * @throws {Error} If a Ping with this payload is under way.
   */
  ping(payload: Uint8Array): Promise<number> {
    const roundTrip = this.pings.start(payload);
    this.protocol.ping(payload);
    this.#flushSoon();
    return roundTrip;
  }

  /** Writes as much output as the transport takes. */
  flush(): void {
    const { protocol, transport } = this;
    if (this.#isGone || this.isHeld) return;
    if (transport.bufferedBytes > 0) return;
    let chunk = protocol.takeOutput();
    while (chunk !== undefined && transport.write(chunk)) {
      chunk = protocol.takeOutput();
    }
    if (this.isOver && this.bufferedBytes < this.settings.sendHighWaterBytes) {
      this.isOver = false;
      this.#owner.onDrained();
    }
    const ending = this.#ending;
    if (ending === undefined || protocol.outputBytes > 0) return;
    // After our Close frame there is nothing to wait for: no more will be sent.
    const isDone = !this.isOpen || this.#owner.isIdle;
    if (protocol.endExpected || ending.hasPeerEnded && isDone) transport.end();
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
    // Checks the arguments, also where there is nothing left to close.
    this.protocol.close(code, reason);
    const ending = this.#toEnd();
    if (ending.cause !== undefined || this.isClosed) return;
    ending.cause = cause;
    ending.error = error;
    this.#startClosing();
    this.#flushSoon();
    // What the peer has said already needs no answer any more, so it must not
    // wait for a handler that itself may wait for the end.
    if (this.protocol.lastEventPending) this.#owner.onOverdue();
    updateReading(this);
  }

  /** Gives up a peer that does not read what it is sent. */
  overflow(): void {
    if (!this.isOpen) return;
    this.startClose(1013, "the send buffer is full", "backpressure");
    this.decide("backpressure");
    // One who does not read will not answer; what it says is not worth memory.
    this.#toEnd().isGivenUp = true;
    updateReading(this);
  }

  /** Drops the connection. */
  drop(cause: CloseCause, error?: Error): void {
    if (this.#isGone) return;
    this.decide(cause, error);
    this.#toEnd().isDropped = true;
    this.#startClosing();
    this.protocol.abandon();
    this.transport.destroy();
  }

  /** Lets go before anything has been sent: there will be no connection. */
  discard(): void {
    this.#toEnd().isClosed = true;
    this.#ticker.delete(this);
  }

  /** Notes that the peer's Close frame has been taken from the protocol. */
  peerClosed(): void {
    // Before our own frame it was the peer who started; after it, we did.
    this.#startClosing();
    // The answer leaves now, also where the event was taken by asking.
    this.#flushSoon();
    this.decide(this.#toEnd().cause ?? "peer");
  }

  /** Notes that the peer's breach has been taken from the protocol. */
  peerFailed(error: ProtocolError): void {
    this.#startClosing();
    this.#flushSoon();
    const tooBig = error.reason === "message-too-big";
    this.decide(tooBig ? "too-big" : "protocol-error", error);
  }

  /** Passes on what a hook threw, and returns it as an error. */
  hookFailed(error: unknown): Error {
    return this.#owner.onHookFailed(error);
  }

  /**
   * Notes that the end has to wait for one who has taken messages, and may answer
   * them yet; it does so for a bounded time.
   */
  keepWaiting(): void {
    const ending = this.#toEnd();
    if (ending.overdueMs > 0) return;
    // Half of it: a peer with the same timeout must not give up first.
    const longestMs = Math.ceil(this.settings.closeTimeoutMs / 2);
    ending.overdueMs = nowMs() +
      (this.#owner.isBehind ? longestMs : Math.min(IDLE_TAKER_MS, longestMs));
  }

  /** Settles the report, unless it is settled. */
  decide(cause: CloseCause, error?: Error): void {
    const ending = this.#toEnd();
    if (ending.info !== undefined) return;
    const { sent, received } = this.protocol;
    ending.info = makeCloseInfo(cause, sent, received, error ?? ending.error);
  }

  /** Stops or resumes reading at the user's wish. */
  pauseByUser(isPaused: boolean): void {
    this.isPausedByUser = isPaused;
    updateReading(this);
  }

  /** Ends our side where the peer has ended its own and all it said is handled. */
  endWithPeer(): void {
    if (this.hasPeerEnded) this.flush();
  }

  /** Writes, and decides about reading, when all who had work have done it. */
  onQuiet(): void {
    this.flush();
    if (!this.isUndecided) return;
    this.isUndecided = false;
    updateReading(this, true);
  }

  /** Pauses or resumes the transport; see {@linkcode updateReading}. */
  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    // Bytes that are not read are no sign of a dead peer.
    this.#keepalive.alive();
    if (isPaused) this.transport.pause();
    else this.transport.resume();
  }

  tick(now: number): void {
    const ending = this.#ending;
    if (ending !== undefined && ending.overdueMs > 0) {
      if (now >= ending.overdueMs) this.#takeOverdue(ending);
    }
    if (ending !== undefined && ending.deadlineMs > 0) {
      if (now >= ending.deadlineMs) this.drop(this.#lateCause(ending));
    } else if (this.isOpen) {
      const verdict = this.#keepalive.check(now, this);
      if (verdict === "ping") {
        this.ping(Pings.payload());
      } else if (verdict === "dead") {
        this.#closeDead();
      }
    }
  }

  /** Why nothing more is waited for. */
  #lateCause(ending: Ending): CloseCause {
    // The peer had ended the stream; what waited was this side, for its user.
    const isOurs = ending.hasPeerEnded && this.protocol.sent === undefined;
    return isOurs ? "transport-error" : "close-timeout";
  }

  #takeOverdue(ending: Ending): void {
    ending.overdueMs = 0;
    this.#owner.onOverdue();
    this.flush();
  }

  #closeDead(): void {
    this.startClose(1011, "ping timeout", "ping-timeout");
    this.decide("ping-timeout");
    this.flush();
    this.#toEnd().deadlineMs = nowMs() +
      Math.min(DEAD_PEER_MS, this.settings.closeTimeoutMs);
  }

  /** What is known of the end, which begins with this. */
  #toEnd(): Ending {
    return this.#ending ??= new Ending();
  }

  /** Whether the transport is gone, or is to go. */
  get #isGone(): boolean {
    const ending = this.#ending;
    return ending !== undefined && (ending.isClosed || ending.isDropped);
  }

  #startClosing(): void {
    const ending = this.#toEnd();
    if (ending.deadlineMs > 0) return;
    ending.deadlineMs = nowMs() + this.settings.closeTimeoutMs;
    this.#owner.onClosing();
  }

  /** Whether the send buffer takes one more message; if not, the peer is given up. */
  #hasRoom(): boolean {
    if (this.isClosed) return false;
    if (this.bufferedBytes <= this.settings.sendMaxBytes) return true;
    this.overflow();
    return false;
  }

  #flushSoon(): void {
    if (!this.#isCorked) flushSoon(this);
  }

  #sent(): boolean {
    this.dataFramesSent++;
    if (this.protocol.outputBytes >= FLUSH_BYTES) this.flush();
    else this.#flushSoon();
    if (this.bufferedBytes < this.settings.sendHighWaterBytes) return true;
    this.isOver = true;
    return false;
  }
}
