/**
 * The receiving half of a connection: bytes in, events out, and Pings answered
 * (RFC 6455, sections 5 and 6.2).
 *
 * @module
 */

import { endShared } from "./binary.ts";
import { decodeClose } from "./close.ts";
import { ProtocolError, type ProtocolErrorReason } from "./error.ts";
import type { LastEvent, ProtocolEvent } from "./event.ts";
import {
  bareHeaderBytes,
  FIN_BIT,
  FrameHeader,
  isControl,
  MAX_SHORT_BYTES,
  OPCODES,
  readKey,
  type Role,
} from "./frame.ts";
import { maskRange, rotateKey } from "./mask.ts";
import { type Message, MessageReader } from "./message.ts";
import type { MessageOptions } from "./message_rules.ts";
import { beginOf, type PendingEvent, PieceReader } from "./piece_reader.ts";
import type { Sender } from "./sender.ts";

const NO_EVENTS: readonly ProtocolEvent[] = [];
const NO_BYTES = new Uint8Array(0);
/** First bytes of a frame that is a whole message. */
const SHORT_TEXT = FIN_BIT | OPCODES.text;
const SHORT_BINARY = FIN_BIT | OPCODES.binary;

/** Reads what one peer sends. */
export class Receiver {
  /** Frames received so far. */
  frames = 0;
  /** Pings that have arrived since the socket was last found unblocked. */
  heldPings = 0;
  /** A Close frame or a failure, which waits until the events before it are taken. */
  last: LastEvent | undefined;

  /**
   * Bytes that were neither payload nor part of the shortest header: what longer
   * lengths take, and what came after the last frame.
   */
  #otherBytes = 0;

  readonly #sender: Sender;
  readonly #header: FrameHeader;
  readonly #messages: MessageReader;
  /** Takes messages apart; absent where they are delivered whole. */
  #pieces: PieceReader | undefined;
  /** Mask bit that frames must have, as in their second byte. */
  readonly #maskBit: number;
  readonly #shortHeaderBytes: number;
  /** Longest message that `#takeShort` may take; -1 for none. */
  #maxShortBytes: number;
  /** Those that are compressed are only among them where there are pieces. */
  #events: PendingEvent[] | undefined;
  /** Whether the peer has nothing more to say: what it sends is dropped. */
  #discarding = false;

  /** Payload bytes of the frame under way that have not arrived. */
  #missingBytes = 0;
  #inFrame = false;
  /** Masking key of the frame under way, rotated for its next byte. */
  #maskKey = 0;
  /** Payload of the control frame under way. */
  #control: Uint8Array | undefined;
  /** Whether the socket is blocked, see `Protocol.receive`. */
  #blocked = false;

  /**
   * @param role Our own side.
   * @param options Limits, and how to decode.
   * @param sender Sends the Pongs.
   */
  constructor(role: Role, options: MessageOptions, sender: Sender) {
    this.#sender = sender;
    this.#header = new FrameHeader(role, options.transform !== undefined);
    this.#messages = new MessageReader(options);
    this.#maskBit = role === "server" ? 0x80 : 0;
    this.#shortHeaderBytes = role === "server" ? 6 : 2;
    this.#maxShortBytes = options.maxFragments < 1
      ? -1
      : Math.min(MAX_SHORT_BYTES, options.maxMessageBytes);
  }

  /** Count of events that wait to be taken. */
  get pendingEvents(): number {
    const arrived = this.#events === undefined ? 0 : this.#events.length;
    return this.#pieces === undefined
      ? arrived
      : arrived + this.#pieces.pendingEvents;
  }

  /** Delivers messages in pieces, see `Protocol.streamMessages`. */
  deliverPieces(maxBytes: number | undefined): void {
    if (this.#pieces !== undefined) return;
    const { options } = this.#messages;
    const maxMessageBytes = maxBytes ?? options.maxMessageBytes;
    this.#pieces = new PieceReader({ ...options, maxMessageBytes });
    this.#maxShortBytes = -1;
  }

  /** Bytes received so far that were not payload. */
  get overheadBytes(): number {
    return this.frames * this.#shortHeaderBytes + this.#otherBytes +
      this.#header.splitBytes;
  }

  /** Takes bytes that arrived, see `Protocol.receive`. */
  receive(chunk: Uint8Array, given = false): void {
    this.#blocked = this.#sender.output.byteLength > 0;
    if (!this.#blocked) this.heldPings = 0;
    try {
      this.#receive(chunk, given);
    } catch {
      // Only memory can run out here: the message fits the limit that was set,
      // but no array, or no string, of the runtime's.
      this.#fail("message-too-big");
    }
    endShared();
  }

  /** Takes the events before the last one. */
  takeEvents(): readonly ProtocolEvent[] {
    const events = this.#events;
    if (this.#pieces !== undefined) return this.#takePieces(this.#pieces);
    if (events === undefined) return NO_EVENTS;
    this.#events = undefined;
    return events as ProtocolEvent[];
  }

  #receive(chunk: Uint8Array, given: boolean): void {
    let index = 0;
    while (index < chunk.length && !this.#discarding) {
      if (!this.#inFrame) {
        const end = this.#takeShort(chunk, index, given);
        if (end > 0) {
          index = end;
          continue;
        }
        index = this.#header.read(chunk, index);
        if (!this.#startFrame()) continue;
      }
      index = isControl(this.#header.opcode)
        ? this.#takeControl(chunk, index)
        : this.#takeData(chunk, index, given);
    }
    if (index < chunk.length) this.#otherBytes += chunk.length - index;
  }

  /**
   * Takes the frame that most are: one that is a whole message, breaks no rule,
   * has a length of one byte, and lies in one chunk. What is left out here for
   * it is half of what a message costs (16 connections, 64 messages of 64 bytes
   * in flight on each).
   *
   * @returns Index after the frame; 0 where it is another, and nothing was done.
   */
  #takeShort(chunk: Uint8Array, start: number, given: boolean): number {
    const text = chunk[start] === SHORT_TEXT;
    if (!text && chunk[start] !== SHORT_BINARY) return 0;
    // Also tells whether it is masked as it must be: both bits are the same.
    const length = chunk[start + 1]! ^ this.#maskBit;
    const payloadStart = start + this.#shortHeaderBytes;
    const end = payloadStart + length;
    if (
      !(length <= this.#maxShortBytes) || end > chunk.length ||
      this.#header.isSplit || this.#messages.isUnderWay
    ) return 0;
    const maskKey = this.#maskBit === 0 ? 0 : readKey(chunk, start + 2);
    this.frames++;
    this.#deliver(
      this.#messages.take(text, chunk, payloadStart, end, maskKey, given),
    );
    return end;
  }

  /**
   * Acts on a header as far as it has been read.
   *
   * @returns Whether a payload follows.
   */
  #startFrame(): boolean {
    const header = this.#header;
    if (header.violation !== undefined) {
      this.#fail(header.violation);
      return false;
    }
    if (!header.complete) return false;
    header.next();
    this.frames++;
    if (header.payloadBytes > MAX_SHORT_BYTES) {
      this.#otherBytes += bareHeaderBytes(header.payloadBytes) - 2;
    }
    const control = isControl(header.opcode);
    if (!control) {
      const violation = this.#admit(header);
      if (violation !== undefined) {
        this.#fail(violation);
        return false;
      }
    }
    this.#inFrame = true;
    this.#missingBytes = header.payloadBytes;
    this.#maskKey = header.maskKey;
    if (header.payloadBytes > 0) return true;
    // A frame without a payload ends here, also where its chunk does.
    if (control) this.#takeControl(NO_BYTES, 0);
    else this.#takeData(NO_BYTES, 0, false);
    return false;
  }

  #admit(header: FrameHeader): ProtocolErrorReason | undefined {
    const messages = this.#messages;
    const pieces = this.#pieces;
    // A message that began whole goes on so.
    if (
      pieces === undefined || messages.isUnderWay || !pieces.takes(header)
    ) return messages.admit(header);
    const begins = !pieces.isUnderWay;
    const violation = pieces.admit(header);
    if (violation === undefined && begins) this.#push(beginOf(header));
    return violation;
  }

  #takeData(chunk: Uint8Array, start: number, given: boolean): number {
    const pieces = this.#pieces;
    if (pieces !== undefined && pieces.isUnderWay) {
      return this.#takePiece(pieces, chunk, start, given);
    }
    const header = this.#header;
    const messages = this.#messages;
    const end = start + this.#missingBytes;
    if (
      end <= chunk.length && header.fin && messages.isWhole &&
      this.#missingBytes === header.payloadBytes
    ) {
      this.#inFrame = false;
      this.#deliver(
        messages.takeWhole(chunk, start, end, this.#maskKey, given),
      );
      return end;
    }
    const stop = end < chunk.length ? end : chunk.length;
    if (!messages.append(chunk, start, stop, this.#maskKey)) {
      this.#deliver(undefined);
      return stop;
    }
    this.#advance(stop - start);
    if (header.fin && !this.#inFrame) this.#deliver(messages.finish());
    return stop;
  }

  #takePiece(
    pieces: PieceReader,
    chunk: Uint8Array,
    start: number,
    given: boolean,
  ): number {
    const stop = Math.min(start + this.#missingBytes, chunk.length);
    const maskKey = this.#maskKey;
    this.#advance(stop - start);
    const isLast = this.#header.fin && !this.#inFrame;
    const piece = pieces.take(chunk, start, stop, maskKey, given, isLast);
    if (piece !== undefined) this.#push(piece);
    if (pieces.violation !== undefined) this.#failPiece(pieces);
    else if (isLast) this.#push({ type: "message-end" });
    return stop;
  }

  #takePieces(pieces: PieceReader): readonly ProtocolEvent[] {
    const arrived = this.#events;
    this.#events = undefined;
    const events = pieces.takeEvents(arrived);
    if (pieces.violation !== undefined) this.#failPiece(pieces);
    return events;
  }

  #failPiece(pieces: PieceReader): void {
    this.#fail(pieces.violation!);
    pieces.violation = undefined;
  }

  #deliver(data: Message | undefined): void {
    if (data === undefined) this.#fail(this.#messages.violation!);
    else this.#push({ type: "message", data });
  }

  #takeControl(chunk: Uint8Array, start: number): number {
    const size = this.#header.payloadBytes;
    const payload = this.#control ??= new Uint8Array(size);
    const stop = Math.min(start + this.#missingBytes, chunk.length);
    const at = size - this.#missingBytes;
    payload.set(chunk.subarray(start, stop), at);
    maskRange(payload, at, at + stop - start, this.#maskKey);
    this.#advance(stop - start);
    if (!this.#inFrame) {
      this.#control = undefined;
      this.#handleControl(this.#header.opcode, payload);
    }
    return stop;
  }

  /** Goes on in a payload of which so much has been taken. */
  #advance(bytes: number): void {
    this.#maskKey = rotateKey(this.#maskKey, bytes);
    this.#missingBytes -= bytes;
    this.#inFrame = this.#missingBytes > 0;
  }

  #handleControl(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODES.ping) {
      // Section 5.5.2: "Upon receipt of a Ping frame, an endpoint MUST send a
      // Pong frame in response, unless it already received a Close frame."
      if (this.#blocked) {
        this.heldPings++;
        this.#sender.pongLater(payload);
      } else {
        this.#sender.pong(payload);
      }
      this.#push({ type: "ping", payload });
    } else if (opcode === OPCODES.pong) {
      this.#push({ type: "pong", payload });
    } else {
      const close = decodeClose(payload);
      if (typeof close === "string") {
        this.#fail(close);
      } else {
        this.#discarding = true;
        this.last = { type: "close", code: close.code, reason: close.reason };
      }
    }
  }

  #push(event: PendingEvent): void {
    if (this.#events === undefined) this.#events = [event];
    else this.#events.push(event);
  }

  #fail(reason: ProtocolErrorReason): void {
    this.#discarding = true;
    this.last = { type: "failed", error: new ProtocolError(reason) };
  }
}
