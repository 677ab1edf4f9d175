/**
 * Writes what DEFLATE (RFC 1951) consists of: bits, the first one lowest, in
 * fixed codes.
 *
 * @module
 */

import {
  BITS_MASK,
  DISTANCE_BASES,
  DISTANCE_CODE_BITS,
  DISTANCE_CODES,
  DISTANCE_EXTRA_BITS,
  DISTANCES,
  LENGTHS,
  LITERALS,
  SYMBOL_SHIFT,
} from "./deflate_codes.ts";

/** Section 3.2.3: BFINAL is 0, BTYPE is 01 for fixed codes. */
const BLOCK_HEADER = 0b010;
const BLOCK_HEADER_BITS = 3;
/** The end of a block is seven zeros, the header of a stored block three. */
const BLOCK_END_BITS = 10;

/** Writes blocks with fixed codes, one message after the other. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  #byteLength = 0;
  #held = 0;
  #heldCount = 0;

  /** @param maxBytes Longest message, in bytes as they are written. */
  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  /** Begins a message, which is one block; nothing is kept of the last one. */
  begin(): void {
    this.#byteLength = 0;
    this.#held = BLOCK_HEADER;
    this.#heldCount = BLOCK_HEADER_BITS;
  }

  /** Writes a byte. */
  literal(byte: number): void {
    const entry = LITERALS[byte]!;
    this.#put(entry >> SYMBOL_SHIFT, entry & BITS_MASK);
  }

  /**
   * Writes a repetition.
   *
   * @param length How many bytes, 3 to 258.
   * @param distance How far back they stand, 1 to 32,768.
   */
  match(length: number, distance: number): void {
    const entry = LENGTHS[length]!;
    this.#put(entry >> SYMBOL_SHIFT, entry & BITS_MASK);
    const code = DISTANCE_CODES[
      distance <= 256 ? distance - 1 : 256 + (distance - 1 >> 7)
    ]!;
    const extra = distance - DISTANCE_BASES[code]!;
    this.#put(
      DISTANCES[code]! | extra << DISTANCE_CODE_BITS,
      DISTANCE_CODE_BITS + DISTANCE_EXTRA_BITS[code]!,
    );
  }

  /**
   * Ends the message. RFC 7692, section 7.2.1: an empty block without compression
   * follows, of whose bytes the last four are not sent.
   *
   * @returns Its length, in bytes.
   */
  end(): number {
    this.#put(0, BLOCK_END_BITS);
    if (this.#heldCount > 0) this.#bytes[this.#byteLength++] = this.#held;
    return this.#byteLength;
  }

  /** A copy of the message. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#byteLength);
  }

  #put(bits: number, count: number): void {
    let held = this.#held | bits << this.#heldCount;
    let heldCount = this.#heldCount + count;
    while (heldCount >= 8) {
      this.#bytes[this.#byteLength++] = held;
      held >>>= 8;
      heldCount -= 8;
    }
    this.#held = held;
    this.#heldCount = heldCount;
  }
}
