/**
 * The protocol of one side of one connection, after the handshake, without I/O
 * (RFC 6455, sections 5 to 7).
 *
 * Four verbs and one question: `receive`, `receiveEnd`, `takeEvents`,
 * `takeOutput`, and `closeExpected`. It answers Ping and Close by itself, and
 * never throws on what a peer sends. It knows no time and no sockets.
 *
 * @module
 */

import type { CloseFrame } from "./close.ts";
import type { ProtocolError } from "./error.ts";
import type { ProtocolEvent } from "./event.ts";
import type { Role } from "./frame.ts";
import type { Message } from "./message.ts";
import type { PreparedMessage } from "./prepared.ts";
import { type ProtocolOptions, withDefaults } from "./protocol_options.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";

/** Pings without a Pong from which a peer counts as flooding. */
const MAX_HELD_PINGS = 64;

const NO_BYTES = new Uint8Array(0);
const NO_EVENTS: readonly ProtocolEvent[] = [];

/**
 * One side of a connection.
 *
 * Bytes that followed the opening handshake go to {@linkcode Protocol.receive}
 * like all others.
 *
 * @example An echo, without a socket
 * ```ts
 * import { Protocol } from "@sockeye/sockeye/codec";
 * import { deepStrictEqual } from "node:assert";
 *
 * const server = new Protocol({ role: "server" });
 * // "Hello", masked with 37 fa 21 3d (RFC 6455, section 5.7)
 * server.receive(Uint8Array.of(
 *   0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58));
 * for (const event of server.takeEvents()) {
 *   if (event.type === "message") server.sendMessage(event.data);
 * }
 * deepStrictEqual(
 *   server.takeOutput(),
 *   Uint8Array.of(0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f));
 * ```
 */
export class Protocol {
  /** Our own side. */
  readonly role: Role;
  /** The Close frame that the peer sent, once its event has been taken. */
  received: CloseFrame | undefined;
  /** How the peer broke the protocol, once that event has been taken. */
  failure: ProtocolError | undefined;

  readonly #options: ProtocolOptions;
  // Each half is made when it is first needed: many a connection is silent for
  // long, and each costs some hundred bytes (300 and 160 on Bun).
  #sender: Sender | undefined;
  #receiver: Receiver | undefined;
  #ended = false;

  /**
   * Starts where the opening handshake has ended.
   *
   * @param options Our role, and limits. Where none is absent the object is kept:
   * many connections may share it.
   */
  constructor(options: ProtocolOptions) {
    this.role = options.role;
    this.#options = options;
  }

  /** The Close frame that we sent. */
  get sent(): CloseFrame | undefined {
    return this.#sender === undefined ? undefined : this.#sender.sent;
  }

  /**
   * Where the connection stands (RFC 6455, section 7.1): `open`, `closing` from
   * the first Close frame that we sent, `closed` once the stream has ended.
   */
  get state(): "open" | "closing" | "closed" {
    if (this.#ended) return "closed";
    return this.sent === undefined ? "open" : "closing";
  }

  /**
   * Whether the peer is now due to close: start a timer, and drop the
   * transport when it runs out.
   */
  get closeExpected(): boolean {
    return this.state === "closing";
  }

  /**
   * Whether to end our side of the transport once the output has been sent.
   *
   * After the closing handshake the server does so first, so that it is the
   * client that waits (section 7.1.1); after a failure either side does.
   */
  get endExpected(): boolean {
    return this.failure !== undefined ||
      this.role === "server" && this.sent !== undefined &&
        this.received !== undefined;
  }

  /** Whether a Close frame or a failure waits behind the events to be taken. */
  get lastEventPending(): boolean {
    return this.#receiver?.last !== undefined;
  }

  /** Count of events that wait to be taken. */
  get pendingEvents(): number {
    return this.#receiver === undefined ? 0 : this.#receiver.pendingEvents;
  }

  /**
   * Whether so many Pings have arrived, since output has not been taken, that
   * it is better not to read on before it has.
   */
  get isFlooded(): boolean {
    return this.#sender !== undefined && this.#sender.owesPong &&
      this.#receiver!.heldPings >= MAX_HELD_PINGS;
  }

  /** Frames received so far. */
  get framesReceived(): number {
    return this.#receiver === undefined ? 0 : this.#receiver.frames;
  }

  /** Pings, Pongs and Close frames sent so far. */
  get controlFramesSent(): number {
    return this.#sender === undefined ? 0 : this.#sender.controlFrames;
  }

  /**
   * Tells how much of what was received is payload, control frames included.
   *
   * @param receivedBytes All that was given to `receive`, in bytes.
   */
  payloadBytesReceived(receivedBytes: number): number {
    return this.#receiver === undefined
      ? 0
      : receivedBytes - this.#receiver.overheadBytes;
  }

  /**
   * Tells how much of what was sent is payload, control frames included.
   *
   * @param dataFrames Messages and fragments sent, of which whoever sends them
   * keeps count: a message costs nothing for it here.
   */
  payloadBytesSent(dataFrames: number): number {
    return this.#sender === undefined
      ? 0
      : this.#sender.payloadBytes(dataFrames);
  }

  /** Bytes that wait to be taken with `takeOutput`. */
  get outputBytes(): number {
    return this.#sender === undefined ? 0 : this.#sender.output.byteLength;
  }

  /**
   * Takes bytes that arrived from the peer.
   *
   * Afterwards handle what {@linkcode Protocol.takeEvents} returns, then send
   * what {@linkcode Protocol.takeOutput} returns. A peer that breaks the
   * protocol causes no exception: it becomes the last event.
   *
   * Output that has not been taken since the previous call is a sign that the
   * socket is blocked. Of the Pings that arrive meanwhile only the latest is
   * answered, as RFC 6455, section 5.5.3, allows: a flood costs no memory.
   *
   * @param chunk Bytes in arrival order, of any length. Lent until the call
   * returns, and overwritten by unmasking.
   * @param given Whether the chunk is given away instead: then a binary message
   * that is most of its memory need not be copied.
   */
  receive(chunk: Uint8Array, given = false): void {
    this.#receiver ??= this.#makeReceiver();
    if (!this.#ended) this.#receiver.receive(chunk, given);
  }

  /**
   * Delivers messages in pieces from now on, beginning with the next one: a
   * `message-begin` event, `message-chunk` events as its bytes arrive, and a
   * `message-end`, between which only Pings and Pongs are told of. A message that
   * is never finished has no end, and one that has begun already comes whole.
   *
   * Nothing is kept of a message but what has not been taken: what is compressed
   * is restored as it is taken, a piece with each call of `takeEvents`, so that a
   * bomb costs no memory either. That ends with a failure, where it is found that
   * a message cannot be restored.
   *
   * @param maxBytes Largest message, in bytes, in place of `maxMessageBytes`; what
   * the first call says holds.
   */
  streamMessages(maxBytes?: number): void {
    this.#receiver ??= this.#makeReceiver();
    this.#receiver.deliverPieces(maxBytes);
  }

  /**
   * Takes the end of the peer's stream. Idempotent.
   *
   * What was received before it can still be taken, and answered: TCP may be
   * open the other way.
   */
  receiveEnd(): void {
    this.#ended = true;
  }

  /**
   * Takes what has happened.
   *
   * Call it until it returns nothing. A Close frame or a failure comes last,
   * in a batch of its own, and its answer enters the output when it is taken:
   * what is sent in reply to earlier messages goes out before it.
   *
   * @returns Events in order, possibly none.
   */
  takeEvents(): readonly ProtocolEvent[] {
    const receiver = this.#receiver;
    if (receiver === undefined) return NO_EVENTS;
    const events = receiver.takeEvents();
    if (events.length > 0) return events;
    const last = this.takeLastEvent();
    return last === undefined ? events : [last];
  }

  /**
   * Takes the Close frame or the failure that comes last, and answers it, although
   * what came before has not been taken; that can still be.
   *
   * @returns The event, if it has arrived and was not taken.
   */
  takeLastEvent(): ProtocolEvent | undefined {
    const receiver = this.#receiver;
    const last = receiver?.last;
    if (last === undefined) return undefined;
    receiver!.last = undefined;
    if (last.type === "close") {
      this.received = { code: last.code, reason: last.reason };
      // Section 5.5.1: "If an endpoint receives a Close frame and did not
      // previously send a Close frame, the endpoint MUST send a Close frame in
      // response." It says the same.
      this.#sending().closeLast(this.received);
    } else {
      this.failure = last.error;
      // Section 7.1.7: an endpoint that fails the connection "SHOULD send a Close
      // frame with an appropriate status code".
      const { code, message } = last.error;
      this.#sending().closeLast({ code, reason: message });
    }
    return last;
  }

  /**
   * Takes bytes to send.
   *
   * @returns The next bytes, which stay unchanged until the next call and must not
   * be modified; `undefined` when there are none.
   */
  takeOutput(): Uint8Array | undefined {
    return this.#sender === undefined ? undefined : this.#sender.take();
  }

  /**
   * Sends a text message (section 5.6). A lone surrogate becomes U+FFFD.
   *
   * @param text Message.
   * @param compress Whether the transform may change it.
   * @returns `false` when a Close frame has been sent and the message is dropped.
   * @throws {TypeError} If it is of another type.
   * @throws {Error} While a fragmented message is under way.
   */
  sendText(text: string, compress = true): boolean {
    return this.#sending().text(text, compress);
  }

  /**
   * Sends a binary message (section 5.6).
   *
   * @param bytes Message. Not modified. Leave it unchanged until it has been taken
   * and sent: a long one is not copied.
   * @param compress Whether the transform may change it.
   * @returns `false` when a Close frame has been sent and the message is dropped.
   * @throws {TypeError} If it is of another type.
   * @throws {Error} While a fragmented message is under way.
   */
  sendBinary(bytes: Uint8Array, compress = true): boolean {
    return this.#sending().binary(bytes, compress);
  }

  /**
   * Sends a message: a string as text, bytes as binary.
   *
   * @param data Message, as for `sendText` and `sendBinary`.
   * @returns `false` when a Close frame has been sent and the message is dropped.
   */
  sendMessage(data: Message): boolean {
    return typeof data === "string"
      ? this.#sending().text(data, true)
      : this.#sending().binary(data, true);
  }

  /**
   * Sends a message that was framed before, for several connections.
   *
   * @param message What `prepareMessage` returned.
   * @returns `false` when a Close frame has been sent and the message is dropped.
   * @throws {TypeError} If it is of another type.
   * @throws {Error} While a fragmented message is under way.
   */
  sendPrepared(message: PreparedMessage): boolean {
    return this.#sending().prepared(message);
  }

  /**
   * Sends a fragment of a message (section 5.4). Control frames may go out
   * between fragments, other messages may not.
   *
   * @param data Payload of the fragment; its type must be that of the first one.
   * @param fin Whether it is the last.
   * @param compress Whether the transform may change the message; what the first
   * fragment says holds for all.
   * @returns `false` when a Close frame has been sent and the fragment is dropped.
   * @throws {TypeError} If text and binary fragments are mixed.
   */
  sendFragment(data: Message, fin: boolean, compress = true): boolean {
    return this.#sending().fragment(data, fin, compress);
  }

  /**
   * Sends a Ping (section 5.5.2).
   *
   * @param payload At most 125 bytes; copied.
   * @returns `false` when a Close frame has been sent and the Ping is dropped.
   * @throws {RangeError} If the payload is too long.
   */
  ping(payload: Uint8Array = NO_BYTES): boolean {
    return this.#sending().ping(payload);
  }

  /**
   * Sends a Pong that nobody asked for (section 5.5.3).
   *
   * @param payload At most 125 bytes; copied.
   * @returns `false` when the peer has said its last and the Pong is dropped.
   * @throws {RangeError} If the payload is too long.
   */
  pong(payload: Uint8Array = NO_BYTES): boolean {
    return this.#sending().pong(payload);
  }

  /**
   * Starts the closing handshake (section 7.1.2). Does nothing when a Close frame
   * has been sent.
   *
   * @param code Close code, such as 1000; absent for an empty Close frame.
   * @param reason At most 123 bytes of UTF-8.
   * @throws {TypeError} If the arguments are of the wrong kind.
   * @throws {RangeError} If the code must not be sent, or the reason is too long.
   */
  close(code?: number, reason = ""): void {
    this.#sending().close(code, reason);
  }

  /** Drops the output, and whatever is sent from now on: the transport is gone. */
  abandon(): void {
    this.#ended = true;
    this.#sending().abandon();
    this.#options.transform?.release?.();
  }

  #makeReceiver(): Receiver {
    const options = withDefaults(this.#options);
    return new Receiver(this.role, options, this.#sending());
  }

  #sending(): Sender {
    if (this.#sender !== undefined) return this.#sender;
    const { transform, writeUtf8 } = this.#options;
    return this.#sender = new Sender(this.role, transform, writeUtf8);
  }
}
