/**
 * What the headers of data frames must be, one after the other (RFC 6455, section
 * 5.4): which may follow which, and how much a message may announce.
 *
 * @module
 */

import type { ProtocolErrorReason } from "./error.ts";
import { type FrameHeader, OPCODES } from "./frame.ts";
import type { TextDecoding } from "./text_decoding.ts";
import type { MessageTransform } from "./transform.ts";

/** Limits on messages, and how to decode them. */
export interface MessageOptions {
  /** Largest message, in bytes, after the transform and over all fragments. */
  readonly maxMessageBytes: number;
  /** Most frames that a message may have. */
  readonly maxFragments: number;
  /** How to make strings. */
  readonly decoding: TextDecoding;
  /**
   * Largest array that costs no more to make than a view on an existing one, in
   * bytes. Binary messages up to it have an array of their own.
   */
  readonly cheapArrayBytes: number;
  /** What to do with messages that carry RSV1. */
  readonly transform?: MessageTransform | undefined;
}

/** Judges the frames of one message after the other, before a payload is kept. */
export class MessageRules {
  /** Limits that hold, and how to decode. */
  readonly options: MessageOptions;

  /** Opcode of the message under way; 0 where there is none. */
  #opcode = 0;
  #compressed = false;
  #fragments = 0;
  #announcedBytes = 0;

  /** @param options Limits, and how to decode. Kept, so that many can share it. */
  constructor(options: MessageOptions) {
    this.options = options;
  }

  /**
   * Judges the header of a data frame.
   *
   * @param header Header of a text, binary or continuation frame.
   * @returns What it breaks.
   */
  admit(header: FrameHeader): ProtocolErrorReason | undefined {
    // Section 5.4: fragments "MUST NOT be interleaved" with other messages.
    if (header.opcode === OPCODES.continuation) {
      if (this.#opcode === 0) return "unexpected-continuation";
    } else {
      if (this.#opcode !== 0) return "expected-continuation";
      this.#opcode = header.opcode;
      this.#compressed = header.rsv1;
    }
    this.#announcedBytes += header.payloadBytes;
    this.#fragments++;
    if (this.#announcedBytes > this.maxWireBytes) return "message-too-big";
    if (this.#fragments > this.options.maxFragments) {
      return "too-many-fragments";
    }
    return undefined;
  }

  /** Whether the frame just admitted is all there is of its message. */
  get isWhole(): boolean {
    return this.#fragments === 1 && !this.#compressed;
  }

  /** Whether a message has begun and not ended. */
  get isUnderWay(): boolean {
    return this.#opcode !== 0;
  }

  /** Whether the message under way is text. */
  get isText(): boolean {
    return this.#opcode === OPCODES.text;
  }

  /** Whether the message under way carries RSV1. */
  get isCompressed(): boolean {
    return this.#compressed;
  }

  /** Bytes that the headers of the message under way have announced. */
  get announcedBytes(): number {
    return this.#announcedBytes;
  }

  /** Most bytes on the wire: deflate can grow what it cannot shrink, a little. */
  get maxWireBytes(): number {
    const most = this.options.maxMessageBytes;
    return this.#compressed ? most + Math.ceil(most / 1024) + 64 : most;
  }

  /** Forgets the message under way. */
  reset(): void {
    this.#opcode = 0;
    this.#compressed = false;
    this.#fragments = 0;
    this.#announcedBytes = 0;
  }
}
