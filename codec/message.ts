/**
 * Messages: frames' payloads unmasked, put together, checked and decoded
 * (RFC 6455, sections 5.4 and 8.1).
 *
 * The chunk that a payload lies in is mostly only lent. What is kept of it is
 * copied here, once: a message that an application keeps never pins a read buffer,
 * or any memory of more than twice its size beyond 8 KiB.
 *
 * @module
 */

import { copyOut, copyShared, cutOut, endShared } from "./binary.ts";
import type { ProtocolErrorReason } from "./error.ts";
import { type FrameHeader, OPCODES } from "./frame.ts";
import { copyMasked, maskRange, seenBits } from "./mask.ts";
import { keepSpare, takeSpare } from "./spare_buffer.ts";
import { type Utf8Check, Utf8Validator } from "./utf8.ts";

/** A message: text as a string, binary as bytes. */
export type Message = string | Uint8Array;

/** Makes strings of bytes. A runtime may offer faster ones. */
export interface TextDecoding {
  /** Decodes bytes that are all below 0x80. */
  ascii(bytes: Uint8Array, start: number, end: number): string;
  /**
   * Decodes UTF-8, keeping a byte order mark.
   *
   * @returns The text, or `undefined` where the bytes are not valid.
   */
  utf8(bytes: Uint8Array, start: number, end: number): string | undefined;
  /** Checks long parts of a text as they arrive. */
  readonly isUtf8?: Utf8Check;
}

/** Changes messages that go to many, once for all who share it. */
export interface SharedTransform {
  /**
   * Changes a message so that every peer can restore it, whatever it was sent
   * before.
   *
   * @param payload Payload; only read.
   * @returns What is to be sent with RSV1, which the transform gives away, or
   * `undefined` to send the message as it is.
   */
  encode(payload: Uint8Array): Uint8Array | undefined;
}

/** Restores messages that arrived with RSV1 piece by piece, one after the other. */
export interface PieceDecoder {
  /**
   * Takes the next part of a message's payload, once `pull` has no more of the one
   * before it.
   *
   * @param payload The part, possibly empty; given away.
   * @param isLast Whether it is the last one of its message.
   */
  push(payload: Uint8Array, isLast: boolean): void;
  /**
   * Restores as much as is good to hold at a time, 64 KiB or so.
   *
   * @returns Bytes that it gives away, not none; `undefined` where all of the part
   * is restored; or what is wrong, after which nothing is asked of it any more.
   */
  pull(): Uint8Array | ProtocolErrorReason | undefined;
}

/**
 * Changes the payload of whole messages on their way in and out: the seam for
 * permessage-deflate (RFC 7692). Messages so changed carry RSV1.
 */
export interface MessageTransform {
  /**
   * What changes messages for many: the same object in all transforms whose peers
   * can be sent the same. Where it is absent each message is changed for each peer.
   */
  readonly shared?: SharedTransform;
  /**
   * Restores a message that arrived with RSV1.
   *
   * @param payload Payload of all its frames; only read, and lent.
   * @param maxBytes Most bytes that the result may have.
   * @param mayLend Whether the result need not last longer than until the next
   * call, for a text will have been made of it by then.
   * @returns The payload, which the transform gives away or lends, or what is wrong.
   */
  decode(
    payload: Uint8Array,
    maxBytes: number,
    mayLend: boolean,
  ): Uint8Array | ProtocolErrorReason;
  /**
   * Changes a message that is to be sent.
   *
   * @param payload Payload; only read.
   * @returns What is to be sent with RSV1, which the transform gives away, or
   * `undefined` to send the message as it is.
   */
  encode(payload: Uint8Array): Uint8Array | undefined;
  /**
   * Notes that the peer is sent bytes with RSV1 that `encode` has not changed: those
   * that it declined, as a part of a message of which it has changed others, or
   * those of a message that `shared` has changed. The peer takes them for context.
   *
   * @param payload The bytes, before the change; only read.
   */
  noteShared?(payload: Uint8Array): void;
  /**
   * Makes what restores messages piece by piece, after those that `decode` has
   * restored. Where it is absent a message with RSV1 is always delivered whole.
   */
  decodePieces?(): PieceDecoder;
  /** Lets go of what it keeps between messages; nothing comes after it. */
  release?(): void;
}

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

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes with the platform's `TextDecoder`. */
export const plainDecoding: TextDecoding = {
  ascii: (bytes, start, end) => decoder.decode(bytes.subarray(start, end)),
  utf8(bytes, start, end) {
    const text = decoder.decode(bytes.subarray(start, end));
    // Whatever is invalid becomes U+FFFD, so that a text without one is valid: to
    // look for it costs a tenth of checking the bytes, or of a `fatal` decoder.
    if (!text.includes("\ufffd")) return text;
    const validator = new Utf8Validator();
    const valid = validator.push(bytes, start, end) && validator.complete;
    return valid ? text : undefined;
  },
};

/** A binary message above this has an array of its own. */
const MAX_SHARING_BYTES = 2_048;
/** Room made at once on a header's word alone; more only as bytes arrive. */
const EAGER_BYTES = 262_144;

const NO_BYTES = new Uint8Array(0);

/** Puts messages together, one connection's. */
export class MessageReader {
  /** What the message broke, after a method that returned nothing. */
  violation: ProtocolErrorReason | undefined;

  readonly #options: MessageOptions;
  /** Made with the first text of several parts that is not plain ASCII. */
  #validator: Utf8Validator | undefined;

  /** Opcode of the message under way; 0 where there is none. */
  #opcode = 0;
  #compressed = false;
  #fragments = 0;
  /** Bytes announced by the frame headers of the message under way. */
  #announcedBytes = 0;
  #buffer: Uint8Array = NO_BYTES;
  #bufferBytes = 0;
  #ascii = true;

  /** @param options Limits, and how to decode. Kept, so that many can share it. */
  constructor(options: MessageOptions) {
    this.#options = options;
  }

  /**
   * Judges the header of a data frame, before any of its payload is kept.
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
    if (this.#announcedBytes > this.#maxWireBytes()) return "message-too-big";
    if (this.#fragments > this.#options.maxFragments) {
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

  /**
   * Takes the message whose only frame was just admitted and lies in one chunk;
   * as {@linkcode MessageReader.take}.
   */
  takeWhole(
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
    given: boolean,
  ): Message | undefined {
    const text = this.#opcode === OPCODES.text;
    this.reset();
    return this.take(text, chunk, start, end, maskKey, given);
  }

  /**
   * Takes a message that is one frame and lies in one chunk: the usual case.
   *
   * @param text Whether it is text.
   * @param chunk Chunk that holds the payload, which is unmasked in place.
   * @param start Index of the payload's first byte.
   * @param end Index after its last byte.
   * @param maskKey Masking key, 0 for none.
   * @param given Whether the chunk's memory may become the message's.
   * @returns The message, or `undefined` after a violation.
   */
  take(
    text: boolean,
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
    given: boolean,
  ): Message | undefined {
    if (!text) return this.takeBytes(chunk, start, end, maskKey, given);
    const seen = maskKey === 0
      ? seenBits(chunk, start, end)
      : maskRange(chunk, start, end, maskKey);
    if ((seen & 0x80) === 0) {
      return this.#options.decoding.ascii(chunk, start, end);
    }
    return this.#decode(chunk, start, end);
  }

  /** As {@linkcode MessageReader.take}, for what is not text. */
  takeBytes(
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
    given: boolean,
  ): Uint8Array {
    const length = end - start;
    // First, for to ask a chunk for its buffer costs more than a cheap array.
    if (length <= this.#options.cheapArrayBytes) {
      return copyOut(chunk, start, end, maskKey);
    }
    // Not where the message would pin more memory than twice its own.
    if (given && length * 2 >= chunk.buffer.byteLength) {
      return cutOut(chunk, start, end, maskKey);
    }
    return length > MAX_SHARING_BYTES
      ? copyOut(chunk, start, end, maskKey)
      : copyShared(chunk, start, end, maskKey);
  }

  /**
   * Takes a part of a payload.
   *
   * @param chunk Chunk that holds the part, which is unmasked in place.
   * @param start Index of its first byte.
   * @param end Index after its last byte.
   * @param maskKey Masking key, rotated for this part; 0 for none.
   * @returns Whether the message can still be valid.
   */
  append(
    chunk: Uint8Array,
    start: number,
    end: number,
    maskKey: number,
  ): boolean {
    const length = end - start;
    if (length === 0) return true;
    const at = this.#bufferBytes;
    this.#grow(at + length);
    this.#bufferBytes = at + length;
    if (this.#opcode !== OPCODES.text || this.#compressed) {
      copyMasked(chunk, start, end, this.#buffer, at, maskKey);
      return true;
    }
    const seen = maskKey === 0
      ? seenBits(chunk, start, end)
      : maskRange(chunk, start, end, maskKey);
    this.#buffer.set(chunk.subarray(start, end), at);
    if ((seen & 0x80) === 0 && this.#isComplete) return true;
    this.#ascii = false;
    this.#validator ??= new Utf8Validator(this.#options.decoding.isUtf8);
    // Section 8.1: "When an endpoint is to interpret a byte stream as UTF-8 but
    // finds that the byte stream is not, in fact, a valid UTF-8 stream, that
    // endpoint MUST _Fail the WebSocket Connection_". Found at the bad byte.
    if (this.#validator.push(chunk, start, end)) return true;
    this.violation = "invalid-utf8";
    return false;
  }

  /**
   * Ends the message under way.
   *
   * @returns The message, or `undefined` after a violation.
   */
  finish(): Message | undefined {
    const text = this.#opcode === OPCODES.text;
    const ascii = this.#ascii;
    const complete = this.#isComplete;
    const compressed = this.#compressed;
    const buffer = this.#buffer;
    const length = this.#bufferBytes;
    this.reset();
    if (!text && !compressed) return fit(buffer, length);
    const message = compressed
      ? this.#restore(buffer.subarray(0, length), text)
      : this.#finishText(buffer, length, ascii, complete);
    keepSpare(buffer);
    return message;
  }

  #finishText(
    buffer: Uint8Array,
    length: number,
    ascii: boolean,
    complete: boolean,
  ): string | undefined {
    if (ascii) return this.#options.decoding.ascii(buffer, 0, length);
    if (complete) return this.#decode(buffer, 0, length);
    this.violation = "invalid-utf8";
    return undefined;
  }

  /** Lets go of what the messages of one chunk share. */
  endChunk(): void {
    endShared();
  }

  #restore(payload: Uint8Array, text: boolean): Message | undefined {
    // A header carries RSV1 past its check only where there is a transform.
    const result = this.#options.transform!.decode(
      payload,
      this.#options.maxMessageBytes,
      text,
    );
    if (typeof result === "string") {
      this.violation = result;
      return undefined;
    }
    if (!text) return result;
    if ((seenBits(result, 0, result.length) & 0x80) === 0) {
      return this.#options.decoding.ascii(result, 0, result.length);
    }
    return this.#decode(result, 0, result.length);
  }

  #decode(bytes: Uint8Array, start: number, end: number): string | undefined {
    const text = this.#options.decoding.utf8(bytes, start, end);
    if (text === undefined) this.violation = "invalid-utf8";
    return text;
  }

  /** Whether the text so far ends with a whole character. */
  get #isComplete(): boolean {
    return this.#validator === undefined || this.#validator.complete;
  }

  /** Most bytes on the wire: deflate can grow what it cannot shrink, a little. */
  #maxWireBytes(): number {
    const most = this.#options.maxMessageBytes;
    return this.#compressed ? most + Math.ceil(most / 1024) + 64 : most;
  }

  /** Whether what the message under way is put together in is free afterwards. */
  get #isLent(): boolean {
    return this.#opcode === OPCODES.text || this.#compressed;
  }

  /** Forgets the message under way. */
  reset(): void {
    this.#opcode = 0;
    this.#compressed = false;
    this.#fragments = 0;
    this.#announcedBytes = 0;
    this.#buffer = NO_BYTES;
    this.#bufferBytes = 0;
    this.#ascii = true;
    this.#validator?.reset();
  }

  /**
   * Makes room. All fragments lie in one buffer, so that however many they are
   * they cost at most twice their bytes; a header's promise of more than 256 KiB
   * is believed only as the bytes arrive.
   */
  #grow(neededBytes: number): void {
    const buffer = this.#buffer;
    if (neededBytes <= buffer.length) return;
    const capacity = Math.max(
      neededBytes,
      Math.min(this.#announcedBytes, EAGER_BYTES, this.#maxWireBytes()),
      Math.min(buffer.length * 2, this.#maxWireBytes()),
    );
    const larger = this.#isLent
      ? takeSpare(capacity)
      : new Uint8Array(capacity);
    larger.set(buffer.subarray(0, this.#bufferBytes));
    this.#buffer = larger;
  }
}

/** Cuts a buffer to its content, which `#grow` keeps above half of it. */
function fit(buffer: Uint8Array, length: number): Uint8Array {
  // Not `NO_BYTES`: its receiver may detach it, and it is everybody's.
  if (length === 0) return new Uint8Array(0);
  return length === buffer.length ? buffer : buffer.subarray(0, length);
}
