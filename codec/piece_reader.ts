/**
 * Messages that are delivered in pieces, as they arrive, instead of whole.
 *
 * What is not compressed becomes a piece at once. What is compressed is kept as it
 * came until its turn, and restored a piece at a time: however much comes of it,
 * there is never more in memory than one piece.
 *
 * @module
 */

import { takeBinary } from "./binary.ts";
import type { ProtocolErrorReason } from "./error.ts";
import type { ProtocolEvent } from "./event.ts";
import { type FrameHeader, OPCODES } from "./frame.ts";
import { maskRange } from "./mask.ts";
import type { Message } from "./message.ts";
import { type MessageOptions, MessageRules } from "./message_rules.ts";
import { TextPieces } from "./text_pieces.ts";
import type { PieceDecoder } from "./transform.ts";

/** A part of a message that is restored when its turn comes. */
export interface CompressedPiece {
  /** What tells it from an event. */
  readonly type: "compressed";
  /** Whether its message is text. */
  readonly isText: boolean;
  /** Payload, unmasked. */
  readonly payload: Uint8Array;
  /** Whether its message ends with it. */
  readonly isLast: boolean;
}

/** What waits to be taken. */
export type PendingEvent = ProtocolEvent | CompressedPiece;

/** Takes messages apart, one connection's. */
export class PieceReader {
  /** What a message broke, after a method that returned nothing. */
  violation: ProtocolErrorReason | undefined;

  readonly #options: MessageOptions;
  /** Judges the frames. */
  readonly #rules: MessageRules;
  readonly #decoder: PieceDecoder | undefined;
  /** Text that arrives as it is. */
  #text: TextPieces | undefined;
  /** Text that is restored. */
  #restoredText: TextPieces | undefined;
  /** Bytes of the message that is being restored. */
  #restoredBytes = 0;
  /** Whether the decoder has the piece whose turn it is. */
  #isRestoring = false;
  #pending: readonly PendingEvent[] = [];
  #next = 0;

  /** @param options Limits on messages in pieces, and how to decode. */
  constructor(options: MessageOptions) {
    this.#options = options;
    this.#rules = new MessageRules(options);
    this.#decoder = options.transform?.decodePieces?.();
  }

  /** Whether a message has begun and not ended. */
  get isUnderWay(): boolean {
    return this.#rules.isUnderWay;
  }

  /** Count of events that wait to be taken, as far as it is known. */
  get pendingEvents(): number {
    return this.#pending.length - this.#next;
  }

  /** Whether a message with this frame is to be taken apart, and can be. */
  takes(header: FrameHeader): boolean {
    return this.isUnderWay || !header.rsv1 || this.#decoder !== undefined;
  }

  /**
   * Judges the header of a data frame, as {@linkcode MessageRules.admit}.
   *
   * @returns What it breaks.
   */
  admit(header: FrameHeader): ProtocolErrorReason | undefined {
    return this.#rules.admit(header);
  }

  /**
   * Takes a part of a payload.
   *
   * @param chunk Chunk that holds the part, which is unmasked in place.
   * @param start Index of its first byte.
   * @param end Index after its last byte.
   * @param maskKey Masking key, rotated for this part; 0 for none.
   * @param given Whether the chunk's memory may become the piece's.
   * @param isLast Whether its message ends with it.
   * @returns A piece, if there is one.
   */
  take(
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
    given: boolean,
    isLast: boolean,
  ): PendingEvent | undefined {
    const { isText, isCompressed } = this.#rules;
    if (isLast) this.#rules.reset();
    if (isCompressed) {
      // It waits, and so must not pin a chunk.
      const payload = this.#takeBytes(chunk, start, end, maskKey, false);
      return { type: "compressed", isText, payload, isLast };
    }
    const data = start === end
      ? ""
      : isText
      ? this.#takeText(chunk, start, end, maskKey)
      : this.#takeBytes(chunk, start, end, maskKey, given);
    const isCut = isLast && this.#text?.end() === false;
    // RFC 6455, section 8.1, as in `MessageReader`: found at the bad byte.
    if (data === undefined || isCut) this.violation = "invalid-utf8";
    return data === undefined || data.length === 0
      ? undefined
      : { type: "message-chunk", data };
  }

  #takeBytes(
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
    given: boolean,
  ): Uint8Array {
    const { cheapArrayBytes } = this.#options;
    return takeBinary(chunk, start, end, maskKey, given, cheapArrayBytes);
  }

  #takeText(
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
  ): string | undefined {
    if (maskKey !== 0) maskRange(chunk, start, end, maskKey);
    this.#text ??= new TextPieces(this.#options.decoding);
    return this.#text.push(chunk, start, end);
  }

  /**
   * Takes events up to the next that is compressed, or one piece of that.
   *
   * @param arrived What has arrived since the last call.
   * @returns Events, possibly none.
   */
  takeEvents(
    arrived: readonly PendingEvent[] | undefined,
  ): readonly ProtocolEvent[] {
    if (arrived !== undefined) {
      this.#pending = [...this.#pending.slice(this.#next), ...arrived];
      this.#next = 0;
    }
    const events: ProtocolEvent[] = [];
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (next.type !== "compressed") {
        events.push(next);
        this.#next++;
        continue;
      }
      if (events.length > 0) break;
      const data = this.#restore(next);
      if (data !== undefined) events.push({ type: "message-chunk", data });
    }
    if (this.#next === this.#pending.length) {
      this.#pending = [];
      this.#next = 0;
    }
    return events;
  }

  /** What is to be taken next. */
  #peek(): PendingEvent | undefined {
    return this.#pending[this.#next];
  }

  /** Restores a piece of what is next, or goes on to what comes after it. */
  #restore(piece: CompressedPiece): Message | undefined {
    const decoder = this.#decoder!;
    if (!this.#isRestoring) {
      decoder.push(piece.payload, piece.isLast);
      this.#isRestoring = true;
    }
    const bytes = decoder.pull();
    if (typeof bytes === "string") return this.#fail(bytes);
    if (bytes === undefined) {
      this.#isRestoring = false;
      this.#next++;
      if (piece.isLast) this.#endRestored();
      return undefined;
    }
    this.#restoredBytes += bytes.length;
    if (this.#restoredBytes > this.#options.maxMessageBytes) {
      return this.#fail("message-too-big");
    }
    if (!piece.isText) return bytes;
    this.#restoredText ??= new TextPieces(this.#options.decoding);
    const text = this.#restoredText.push(bytes, 0, bytes.length);
    if (text === undefined) return this.#fail("invalid-utf8");
    return text === "" ? undefined : text;
  }

  #endRestored(): void {
    this.#restoredBytes = 0;
    const isWhole = this.#restoredText === undefined ||
      this.#restoredText.end();
    if (!isWhole) this.#fail("invalid-utf8");
  }

  /** Gives up all that was to come. */
  #fail(reason: ProtocolErrorReason): undefined {
    this.violation = reason;
    this.#next = this.#pending.length;
    return undefined;
  }
}

/** The event that a message begins with. */
export function beginOf(header: FrameHeader): ProtocolEvent {
  return {
    type: "message-begin",
    binary: header.opcode === OPCODES.binary,
  };
}
