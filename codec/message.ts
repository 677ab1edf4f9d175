/**
 * Messages: frames' payloads unmasked, put together, checked and decoded
 * (RFC 6455, sections 5.4 and 8.1).
 *
 * The chunk that a payload lies in is mostly only lent. What is kept of it is
 * copied, once: a message that an application keeps never pins a read buffer, or
 * any memory of more than twice its size beyond 8 KiB.
 *
 * @module
 */

import { takeBinary } from "./binary.ts";
import type { ProtocolErrorReason } from "./error.ts";
import { copyMasked, maskRange, seenBits } from "./mask.ts";
import { MessageRules } from "./message_rules.ts";
import { keepSpare, takeSpare } from "./spare_buffer.ts";
import { Utf8Validator } from "./utf8.ts";

/** A message: text as a string, binary as bytes. */
export type Message = string | Uint8Array;

/** Room made at once on a header's word alone; more only as bytes arrive. */
const EAGER_BYTES = 262_144;

const NO_BYTES = new Uint8Array(0);

/**
 * Puts messages together, one connection's. That it is the rules, and does not have
 * them, saves each connection an object.
 */
export class MessageReader extends MessageRules {
  /** What the message broke, after a method that returned nothing. */
  violation: ProtocolErrorReason | undefined;

  /** Made with the first text of several parts that is not plain ASCII. */
  #validator: Utf8Validator | undefined;
  #buffer: Uint8Array = NO_BYTES;
  #bufferBytes = 0;
  #ascii = true;

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
    const text = this.isText;
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
    if (!text) {
      const { cheapArrayBytes } = this.options;
      return takeBinary(chunk, start, end, maskKey, given, cheapArrayBytes);
    }
    const seen = maskKey === 0
      ? seenBits(chunk, start, end)
      : maskRange(chunk, start, end, maskKey);
    if ((seen & 0x80) === 0) {
      return this.options.decoding.ascii(chunk, start, end);
    }
    return this.#decode(chunk, start, end);
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
    if (!this.isText || this.isCompressed) {
      copyMasked(chunk, start, end, this.#buffer, at, maskKey);
      return true;
    }
    const seen = maskKey === 0
      ? seenBits(chunk, start, end)
      : maskRange(chunk, start, end, maskKey);
    this.#buffer.set(chunk.subarray(start, end), at);
    const validator = this.#validator;
    const isComplete = validator === undefined || validator.complete;
    if ((seen & 0x80) === 0 && isComplete) return true;
    this.#ascii = false;
    this.#validator ??= new Utf8Validator(this.options.decoding.isUtf8);
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
    const text = this.isText;
    const compressed = this.isCompressed;
    const ascii = this.#ascii;
    const buffer = this.#buffer;
    const length = this.#bufferBytes;
    this.reset();
    if (!text && !compressed) return fit(buffer, length);
    const message = compressed
      ? this.#restore(buffer.subarray(0, length), text)
      : ascii
      ? this.options.decoding.ascii(buffer, 0, length)
      // Also finds out that the last character is cut off.
      : this.#decode(buffer, 0, length);
    keepSpare(buffer);
    return message;
  }

  /** Forgets the message under way. */
  override reset(): void {
    super.reset();
    this.#buffer = NO_BYTES;
    this.#bufferBytes = 0;
    this.#ascii = true;
    this.#validator?.reset();
  }

  #restore(payload: Uint8Array, text: boolean): Message | undefined {
    const { transform, maxMessageBytes, decoding } = this.options;
    // A header carries RSV1 past its check only where there is a transform.
    const result = transform!.decode(payload, maxMessageBytes, text);
    if (typeof result === "string") {
      this.violation = result;
      return undefined;
    }
    if (!text) return result;
    if ((seenBits(result, 0, result.length) & 0x80) === 0) {
      return decoding.ascii(result, 0, result.length);
    }
    return this.#decode(result, 0, result.length);
  }

  #decode(bytes: Uint8Array, start: number, end: number): string | undefined {
    const text = this.options.decoding.utf8(bytes, start, end);
    if (text === undefined) this.violation = "invalid-utf8";
    return text;
  }

  /**
   * Makes room. All fragments lie in one buffer, so that however many they are
   * they cost at most twice their bytes; a header's promise of more than 256 KiB
   * is believed only as the bytes arrive.
   */
  #grow(neededBytes: number): void {
    const buffer = this.#buffer;
    if (neededBytes <= buffer.length) return;
    const { maxWireBytes } = this;
    const capacity = Math.max(
      neededBytes,
      Math.min(this.announcedBytes, EAGER_BYTES, maxWireBytes),
      Math.min(buffer.length * 2, maxWireBytes),
    );
    // Only what becomes a message itself cannot serve again.
    const larger = this.isText || this.isCompressed
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
