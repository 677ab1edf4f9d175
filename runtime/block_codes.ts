/**
 * The codes of a block: those that it brings with it, and the fixed ones (RFC 1951,
 * sections 3.2.6 and 3.2.7).
 *
 * @module
 */

import type { BitReader, ReadResult } from "./bit_reader.ts";
import { BITS_MASK, END_OF_BLOCK, SYMBOL_SHIFT } from "./deflate_codes.ts";
import { HuffmanCodes, MAX_HUFFMAN_BITS } from "./huffman.ts";

const MAX_LENGTH_CODES = 286;
const MAX_DISTANCE_CODES = 30;
/** Section 3.2.6: there are more fixed codes, the last of which never occur. */
const FIXED_LENGTH_CODES = 288;
const FIXED_DISTANCE_CODES = 32;
/** Section 3.2.7: the order in which lengths of code length codes come. */
const LENGTH_ORDER = Uint8Array.of(
  ...[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15],
);

/** Codes of literals, lengths and distances, which are read again and again. */
export class BlockCodes {
  /** Of literals, of lengths, and of the end of the block. */
  readonly lengths: HuffmanCodes;
  /** Of distances. */
  readonly distances: HuffmanCodes;

  /**
   * @param maxLengths Most codes of literals and lengths.
   * @param maxDistances Most codes of distances.
   */
  constructor(
    maxLengths: number = MAX_LENGTH_CODES,
    maxDistances: number = MAX_DISTANCE_CODES,
  ) {
    this.lengths = new HuffmanCodes(maxLengths);
    this.distances = new HuffmanCodes(maxDistances);
  }

  /**
   * Reads the codes that a block brings with it. Where the input ends too early
   * they are of no use, and are to be read again from their beginning.
   */
  read(bits: BitReader): ReadResult {
    const sizes = bits.take(14);
    if (sizes < 0) return "hungry";
    const lengthCodes = (sizes & 31) + 257;
    const distanceCodes = (sizes >> 5 & 31) + 1;
    if (lengthCodes > MAX_LENGTH_CODES || distanceCodes > MAX_DISTANCE_CODES) {
      return "invalid";
    }
    const lengths = new Uint8Array(MAX_LENGTH_CODES + MAX_DISTANCE_CODES);
    const count = (sizes >> 10) + 4;
    for (let index = 0; index < count; index++) {
      const length = bits.take(3);
      if (length < 0) return "hungry";
      lengths[LENGTH_ORDER[index]!] = length;
    }
    // The codes of the lengths take a place that is not needed yet.
    if (!this.lengths.set(lengths, 0, LENGTH_ORDER.length)) return "invalid";
    lengths.fill(0);
    const all = lengthCodes + distanceCodes;
    const result = readLengths(bits, this.lengths, lengths.subarray(0, all));
    if (result !== "done") return result;
    // Without it no block would end.
    if (lengths[END_OF_BLOCK] === 0) return "invalid";
    const isValid = this.lengths.set(lengths, 0, lengthCodes) &&
      this.distances.set(lengths, lengthCodes, all);
    return isValid ? "done" : "invalid";
  }
}

/** Reads the lengths of codes, which have codes themselves. */
function readLengths(
  bits: BitReader,
  codes: HuffmanCodes,
  lengths: Uint8Array,
): ReadResult {
  for (let index = 0; index < lengths.length;) {
    bits.hold();
    const entry = codes.find(bits.held);
    const count = entry & BITS_MASK;
    if (count === 0 && bits.heldCount >= MAX_HUFFMAN_BITS) return "invalid";
    if (count === 0 || count > bits.heldCount) return "hungry";
    bits.drop(count);
    const symbol = entry >> SYMBOL_SHIFT;
    if (symbol < 16) {
      lengths[index++] = symbol;
      continue;
    }
    // 16: "Copy the previous code length 3 - 6 times." 17 and 18: zeros.
    if (symbol === 16 && index === 0) return "invalid";
    const value = symbol === 16 ? lengths[index - 1]! : 0;
    const extra = bits.take(symbol === 16 ? 2 : symbol === 17 ? 3 : 7);
    if (extra < 0) return "hungry";
    const stop = index + extra + (symbol === 18 ? 11 : 3);
    if (stop > lengths.length) return "invalid";
    lengths.fill(value, index, stop);
    index = stop;
  }
  return "done";
}

let fixed: BlockCodes | undefined;

/** The fixed codes, made when they are first met. */
export function fixedCodes(): BlockCodes {
  return fixed ??= makeFixed();
}

function makeFixed(): BlockCodes {
  const codes = new BlockCodes(FIXED_LENGTH_CODES, FIXED_DISTANCE_CODES);
  const lengths = new Uint8Array(FIXED_LENGTH_CODES).fill(8, 0, 144)
    .fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
  const distances = new Uint8Array(FIXED_DISTANCE_CODES).fill(5);
  codes.lengths.set(lengths, 0, FIXED_LENGTH_CODES);
  codes.distances.set(distances, 0, FIXED_DISTANCE_CODES);
  return codes;
}
