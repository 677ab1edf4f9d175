/**
 * The codes that a message brings with it (RFC 1951, sections 3.2.2 and 3.2.7).
 *
 * @module
 */

import { reverseBits, SYMBOL_SHIFT } from "./deflate_codes.ts";

/** Bits of the longest code that there can be. */
export const MAX_HUFFMAN_BITS = 15;
/** Bits of the longest code that is found at once. */
const FAST_BITS = 10;
const FAST_MASK = (1 << FAST_BITS) - 1;

/** Codes of an alphabet. */
export class HuffmanCodes {
  /** Symbol, over the bits of its code, by the bits to come; 0 for none so short. */
  readonly #fast: Uint16Array = new Uint16Array(1 << FAST_BITS);
  /** How many codes there are of each length. */
  readonly #counts: Uint16Array = new Uint16Array(MAX_HUFFMAN_BITS + 1);
  /** Symbols in the order of their codes. */
  readonly #symbols: Uint16Array;

  /** @param maxSymbols Most symbols that the alphabet can have. */
  constructor(maxSymbols: number) {
    this.#symbols = new Uint16Array(maxSymbols);
  }

  /**
   * Takes the codes from their lengths.
   *
   * @param lengths Array that holds the length of each symbol's code, 0 for none.
   * @param start Index of the first one.
   * @param end Index after the last one.
   * @returns Whether they can be codes: all of them, or a single one of one bit, or
   * none.
   */
  set(lengths: Uint8Array, start: number, end: number): boolean {
    const counts = this.#counts.fill(0);
    for (let at = start; at < end; at++) counts[lengths[at]!]!++;
    counts[0] = 0;
    // Codes of each length are numbers in a row, after those of the shorter ones.
    const codes = new Uint16Array(MAX_HUFFMAN_BITS + 2);
    const places = new Uint16Array(MAX_HUFFMAN_BITS + 2);
    let left = 1;
    let most = 0;
    for (let bits = 1; bits <= MAX_HUFFMAN_BITS; bits++) {
      const count = counts[bits]!;
      left = left * 2 - count;
      if (left < 0) return false;
      if (count > 0) most = bits;
      codes[bits + 1] = codes[bits]! + count << 1;
      places[bits + 1] = places[bits]! + count;
    }
    if (left > 0 && most > 1) return false;
    const fast = this.#fast.fill(0);
    for (let symbol = 0; symbol < end - start; symbol++) {
      const bits = lengths[start + symbol]!;
      if (bits === 0) continue;
      this.#symbols[places[bits]!++] = symbol;
      const code = codes[bits]!++;
      if (bits > FAST_BITS) continue;
      const entry = symbol << SYMBOL_SHIFT | bits;
      const step = 1 << bits;
      for (let at = reverseBits(code, bits); at <= FAST_MASK; at += step) {
        fast[at] = entry;
      }
    }
    return true;
  }

  /**
   * Finds the next symbol.
   *
   * @param bits The bits to come, the first one lowest; zeros where there are none.
   * @returns The symbol, over the bits of its code in the lowest four; 0 where there
   * is no such code.
   */
  find(bits: number): number {
    const entry = this.#fast[bits & FAST_MASK]!;
    return entry > 0 ? entry : this.#findLong(bits);
  }

  #findLong(bits: number): number {
    const counts = this.#counts;
    let code = 0;
    let first = 0;
    let place = 0;
    for (let length = 1; length <= MAX_HUFFMAN_BITS; length++) {
      code |= bits & 1;
      bits >>>= 1;
      const count = counts[length]!;
      if (code - first < count) {
        return this.#symbols[place + code - first]! << SYMBOL_SHIFT | length;
      }
      place += count;
      first = first + count << 1;
      code <<= 1;
    }
    return 0;
  }
}
