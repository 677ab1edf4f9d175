/**
 * Compresses short messages, one connection's after the other, with what was sent
 * before as their context: DEFLATE with fixed codes (RFC 1951, section 3.2.6).
 *
 * zlib is made for long streams. One that stays alive costs each connection 36 to
 * 256 KiB; one that is made anew for each message has to learn its context again
 * each time: 13 µs on Bun and 24 on Node for 180 bytes with 4 KiB of context, and
 * on Deno 2.9.6 there is no way to give it a context. This takes 1.3 µs on all
 * three. It remembers where each four bytes of its context stood last, in 4 KiB
 * beside the 4 KiB of the context itself.
 *
 * Short messages gain nothing from codes of their own, so that the fixed ones
 * cost no bytes; long ones do, and are zlib's.
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
  MAX_MATCH_BYTES,
  SYMBOL_SHIFT,
} from "./deflate_codes.ts";
import { History, stage } from "./deflate_history.ts";

/** Longest message, in bytes. */
export const MAX_SHORT_BYTES = 2_048;
/** What a message of that length takes at most: 9 bits a byte, and two headers. */
const MAX_OUTPUT_BYTES = MAX_SHORT_BYTES + (MAX_SHORT_BYTES >> 3) + 16;

/** Positions are kept in 16 bits. */
const POSITION_MASK = 0xffff;
/** Spreads four bytes over the whole word: Knuth's multiplicative hash. */
const HASH_FACTOR = 0x9e3779b1 | 0;

const output = new Uint8Array(MAX_OUTPUT_BYTES);

/** Compresses the messages of one direction of one connection. */
export class Deflater {
  /** What the peer has been sent compressed, at its end. */
  readonly history: History;
  readonly #hashShift: number;
  /** Where four bytes with that hash stood last, in the stream of all messages. */
  readonly #heads: Uint16Array;
  /** Length of that stream, in 16 bits. */
  #position = 0;

  /**
   * @param windowBits How far back a match may reach: 2 to that power, in bytes.
   * @param hashBits How many places are remembered: 2 to that power.
   */
  constructor(windowBits: number, hashBits: number) {
    this.history = new History(windowBits);
    this.#hashShift = 32 - hashBits;
    this.#heads = new Uint16Array(1 << hashBits);
  }

  /**
   * Compresses a message, and lets it become context.
   *
   * @param payload At most {@linkcode MAX_SHORT_BYTES}; only read.
   * @param mostBytes Most that the result may take.
   * @returns The message without the trailer of RFC 7692, section 7.2.1, or
   * `undefined` where it would be longer; then it has not become context.
   */
  deflate(payload: Uint8Array, mostBytes: number): Uint8Array | undefined {
    const start = this.history.load(payload);
    const bytes = this.#compress(start, start + payload.length);
    if (bytes > mostBytes) return undefined;
    this.#commit(start + payload.length, payload.length);
    // Not `slice` of a longer life: the array has exactly what is sent.
    return output.slice(0, bytes);
  }

  /** Notes what the peer was sent compressed by someone else. */
  append(payload: Uint8Array): void {
    const recent = payload.subarray(-this.history.maxBytes);
    this.#position += payload.length - recent.length;
    const start = this.history.load(recent);
    const end = start + recent.length;
    this.#remember(start, end);
    this.#commit(end, recent.length);
  }

  #commit(end: number, bytes: number): void {
    this.history.keep(end);
    this.#position = this.#position + bytes & POSITION_MASK;
  }

  #remember(start: number, end: number): void {
    const heads = this.#heads;
    const shift = this.#hashShift;
    const source = stage();
    const offset = this.#position - start;
    for (let at = start; at + 4 <= end; at++) {
      const word = source[at]! | source[at + 1]! << 8 | source[at + 2]! << 16 |
        source[at + 3]! << 24;
      heads[Math.imul(word, HASH_FACTOR) >>> shift] = at + offset;
    }
  }

  /** Writes the stage's bytes from `start` to `end` as one block, and its end. */
  #compress(start: number, end: number): number {
    const source = stage();
    const heads = this.#heads;
    const shift = this.#hashShift;
    const offset = this.#position - start;
    const maxDistance = this.history.maxBytes;
    // Section 3.2.3: BFINAL is 0, BTYPE 01 for fixed codes.
    let bits = 0b010;
    let bitCount = 3;
    let to = 0;
    let at = start;
    const last = end - 4;
    while (at <= last) {
      const word = source[at]! | source[at + 1]! << 8 | source[at + 2]! << 16 |
        source[at + 3]! << 24;
      const hash = Math.imul(word, HASH_FACTOR) >>> shift;
      const distance = at + offset - heads[hash]! & POSITION_MASK;
      heads[hash] = at + offset;
      let from = at - distance;
      // What is remembered may be of long ago: only equal bytes count.
      if (
        distance === 0 || distance > maxDistance || from < 0 ||
        source[from] !== source[at] || source[from + 1] !== source[at + 1] ||
        source[from + 2] !== source[at + 2] ||
        source[from + 3] !== source[at + 3]
      ) {
        const literal = LITERALS[source[at++]!]!;
        bits |= literal >> SYMBOL_SHIFT << bitCount;
        bitCount += literal & BITS_MASK;
        while (bitCount >= 8) {
          output[to++] = bits;
          bits >>>= 8;
          bitCount -= 8;
        }
        continue;
      }
      const most = Math.min(end, at + MAX_MATCH_BYTES);
      let next = at + 4;
      from += 4;
      while (next < most && source[next] === source[from]) {
        next++;
        from++;
      }
      const length = LENGTHS[next - at]!;
      bits |= length >> SYMBOL_SHIFT << bitCount;
      bitCount += length & BITS_MASK;
      while (bitCount >= 8) {
        output[to++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
      const code = DISTANCE_CODES[
        distance <= 256 ? distance - 1 : 256 + (distance - 1 >> 7)
      ]!;
      bits |= (DISTANCES[code]! |
        distance - DISTANCE_BASES[code]! << DISTANCE_CODE_BITS) << bitCount;
      bitCount += DISTANCE_CODE_BITS + DISTANCE_EXTRA_BITS[code]!;
      while (bitCount >= 8) {
        output[to++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
      const until = Math.min(next, last + 1);
      for (at++; at < until; at++) {
        const word = source[at]! | source[at + 1]! << 8 |
          source[at + 2]! << 16 | source[at + 3]! << 24;
        heads[Math.imul(word, HASH_FACTOR) >>> shift] = at + offset;
      }
      at = next;
    }
    while (at < end) {
      const literal = LITERALS[source[at++]!]!;
      bits |= literal >> SYMBOL_SHIFT << bitCount;
      bitCount += literal & BITS_MASK;
      while (bitCount >= 8) {
        output[to++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
    }
    // The end of the block is seven zeros. RFC 7692, section 7.2.1: then an empty
    // block without compression, of whose bytes the last four are not sent.
    bitCount += 10;
    while (bitCount > 0) {
      output[to++] = bits;
      bits >>>= 8;
      bitCount -= 8;
    }
    return to;
  }
}
