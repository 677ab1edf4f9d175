/**
 * Where the protocol meets the transport: bytes in and out, the send buffer, and
 * the look at the clock.
 *
 * @module
 */

import {
  type Message,
  type PreparedMessage,
  Protocol,
  type ProtocolOptions,
} from "../codec.ts";
import type { Transport, TransportSink } from "../runtime/transport.ts";
import type { CloseInfo } from "./close_info.ts";
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

/** One connection's protocol on its transport. */
export class Link implements TransportSink, Ticking {
  /** The rules. */
  readonly protocol: Protocol;
  /** The bytes. */
  readonly transport: Transport;
  /** Limits and times. */
  readonly settings: ConnectionSettings;
  /** Who is told. */
  readonly owner: LinkOwner;
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
    this.owner = owner;
    this.#ticker = ticker;
    this.#keepalive = new Keepalive(settings.pingIntervalMs);
    ticker.add(this);
  }

  /** The Pings under way; made with the first. */
  get pings(): Pings {
    return this.#keepalive.pings ??= new Pings();
  }

  /** Whether Pings may be under way. */
  get hasPings(): boolean {
    return this.#keepalive.pings !== undefined;
  }

  /** Latest round trip, in milliseconds; `undefined` before the first. */
  get latencyMs(): number | undefined {
    return this.#keepalive.pings?.latencyMs;
  }

  /** Bytes accepted for sending that have not left this process. */
  get bufferedBytes(): number {
    return this.protocol.outputBytes + this.transport.bufferedBytes;
  }

  /** Whether one more message is taken; else it gives the peer up. */
  get hasRoom(): boolean {
    return this.bufferedBytes <= this.settings.sendMaxBytes;
  }

  /** Its end, which begins to show when it is asked for. */
  get ending(): Ending {
    return this.#ending ??= new Ending(this);
  }

  /** How it ended, once that is certain. */
  get info(): CloseInfo | undefined {
    return this.#ending?.info;
  }

  /** Whether messages may be sent. */
  get isOpen(): boolean {
    // Before the end begins no Close frame has been sent.
    const ending = this.#ending;
    return ending === undefined ||
      !ending.isGone && this.protocol.sent === undefined;
  }

  /** Whether the transport is gone. */
  get isClosed(): boolean {
    return this.#ending !== undefined && this.#ending.isClosed;
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
    this.owner.pump.run();
    this.uncork();
  }

  drain(): void {
    this.flush();
    updateReading(this);
  }

  end(): void {
    const { ending, owner } = this;
    if (ending.hasPeerEnded) return;
    ending.hasPeerEnded = true;
    this.protocol.receiveEnd();
    ending.begin();
    this.cork();
    owner.pump.run();
    this.uncork();
    if (!owner.pump.isIdle) ending.keepWaiting();
  }

  close(error?: Error): void {
    if (this.isClosed) return;
    this.#ticker.delete(this);
    this.ending.transportClosed(error);
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

  /** Receives messages in pieces from now on. */
  streamMessages(): void {
    this.protocol.streamMessages(this.settings.maxStreamBytes);
  }

  /**
   * Sends a message.
   *
   * @returns Whether it was accepted and more may be sent at once.
   */
  send(data: Message, compress: boolean): boolean {
    if (!this.#maySend()) return false;
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
    if (!this.#maySend() || !this.protocol.sendPrepared(message)) return false;
    this.#sent();
    return true;
  }

  /** Sends a fragment; as `send`. */
  sendFragment(data: Message, fin: boolean, compress: boolean): boolean {
    if (!this.#maySend()) return false;
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
    this.flushSoon();
    return roundTrip;
  }

  /** Writes as much output as the transport takes. */
  flush(): void {
    const { protocol, transport } = this;
    if (this.isHeld || this.#isGone) return;
    if (transport.bufferedBytes > 0) return;
    let chunk = protocol.takeOutput();
    while (chunk !== undefined && transport.write(chunk)) {
      chunk = protocol.takeOutput();
    }
    if (this.isOver && this.bufferedBytes < this.settings.sendHighWaterBytes) {
      this.isOver = false;
      this.owner.onDrained();
    }
    const ending = this.#ending;
    if (ending === undefined || protocol.outputBytes > 0) return;
    // After our Close frame there is nothing to wait for: no more will be sent.
    const isDone = !this.isOpen || this.owner.pump.isIdle;
    if (protocol.endExpected || ending.hasPeerEnded && isDone) transport.end();
  }

  /** Writes output once no more is being sent. */
  flushSoon(): void {
    if (!this.#isCorked) flushSoon(this);
  }

  /** Lets go before anything has been sent: there will be no connection. */
  discard(): void {
    this.#ticker.delete(this);
    this.ending.isClosed = true;
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
    ending?.tick(now);
    if (!this.isOpen || ending?.hasBegun) return;
    const verdict = this.#keepalive.check(now, this);
    if (verdict === "ping") this.ping(Pings.payload());
    else if (verdict === "dead") this.ending.closeDead();
  }

  /** Whether the transport is gone, or is to go. */
  get #isGone(): boolean {
    return this.#ending !== undefined && this.#ending.isGone;
  }

  /** Whether a message may be sent; a peer that has not read what was is given up. */
  #maySend(): boolean {
    if (this.isClosed) return false;
    // Not by `hasRoom`: a call more for each message, 3 % on Bun.
    if (this.bufferedBytes <= this.settings.sendMaxBytes) return true;
    this.ending.overflow();
    return false;
  }

  #sent(): boolean {
    this.dataFramesSent++;
    if (this.protocol.outputBytes >= FLUSH_BYTES) this.flush();
    else this.flushSoon();
    if (this.bufferedBytes < this.settings.sendHighWaterBytes) return true;
    this.isOver = true;
    return false;
  }
}
