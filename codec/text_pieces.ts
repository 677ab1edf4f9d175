/**
 * Text that is decoded piece by piece (RFC 6455, section 8.1).
 *
 * @module
 */

import { seenBits } from "./mask.ts";
import type { TextDecoding } from "./text_decoding.ts";
import { Utf8Validator } from "./utf8.ts";

const NO_BYTES = new Uint8Array(0);

/** Decodes one text after the other, each as its bytes come. */
export class TextPieces {
  readonly #decoding: TextDecoding;
  readonly #validator: Utf8Validator;
  /** The character that the last piece cut off. */
  #cut: Uint8Array = NO_BYTES;

  /** @param decoding How to make strings. */
  constructor(decoding: TextDecoding) {
    this.#decoding = decoding;
    this.#validator = new Utf8Validator(decoding.isUtf8);
  }

  /**
   * Decodes the next piece.
   *
   * @param bytes Array that holds the piece; only read.
   * @param start Index of its first byte.
   * @param end Index after its last byte.
   * @returns The characters that it completes, possibly none; `undefined` where the
   * text is invalid, whatever may follow.
   */
  push(bytes: Uint8Array, start: number, end: number): string | undefined {
    const cut = this.#cut;
    if (cut.length === 0 && (seenBits(bytes, start, end) & 0x80) === 0) {
      return this.#decoding.ascii(bytes, start, end);
    }
    if (!this.#validator.push(bytes, start, end)) return undefined;
    const stop = this.#validator.complete ? end : cutStart(bytes, start, end);
    const rest = bytes.subarray(stop, end);
    if (cut.length === 0) {
      this.#cut = rest.slice();
      return this.#decode(bytes, start, stop);
    }
    const isSame = stop === start;
    this.#cut = isSame ? join(cut, rest) : rest.slice();
    if (isSame) return "";
    const whole = join(cut, bytes.subarray(start, stop));
    return this.#decode(whole, 0, whole.length);
  }

  /**
   * Ends the text.
   *
   * @returns Whether it ends with a whole character.
   */
  end(): boolean {
    const { complete } = this.#validator;
    this.#validator.reset();
    this.#cut = NO_BYTES;
    return complete;
  }

  #decode(bytes: Uint8Array, start: number, end: number): string {
    // It has been checked.
    return this.#decoding.utf8(bytes, start, end)!;
  }
}

/**
 * Finds where the last character begins, which is cut off at the end; where it
 * began before the piece, the piece begins.
 */
function cutStart(bytes: Uint8Array, start: number, end: number): number {
  let index = end - 1;
  while (index > start && bytes[index]! < 0xc0) index--;
  return index;
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
