/**
 * The fixed codes of DEFLATE (RFC 1951, section 3.2.6), laid out for writing and
 * for reading. Bits stand as they go out: the first one lowest.
 *
 * @module
 */

/** Shortest match that has a code. */
const MIN_MATCH_BYTES = 3;
/** Longest match that has a code. */
export const MAX_MATCH_BYTES = 258;
/** Length code that ends a block. */
export const END_OF_BLOCK = 256;
/** Bits of the longest literal or length code. */
export const MAX_CODE_BITS = 9;

/** What a decoded symbol is shifted by, its count of bits standing below. */
export const SYMBOL_SHIFT = 4;
/** The count of bits of a decoded symbol. */
export const BITS_MASK = 0x0f;

/** Section 3.2.5: bytes that a length code stands for, from 257 on, at least. */
export const LENGTH_BASES: Uint16Array = Uint16Array.of(
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59],
  ...[67, 83, 99, 115, 131, 163, 195, 227, 258],
);
/** Section 3.2.5: bits that follow a length code. */
export const LENGTH_EXTRA_BITS: Uint8Array = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
  ...[4, 4, 4, 4, 5, 5, 5, 5, 0],
);
/** Section 3.2.5: distance that a code stands for, at least. */
export const DISTANCE_BASES: Uint16Array = Uint16Array.of(
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385],
  ...[513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
);
/** Section 3.2.5: bits that follow a distance code. */
export const DISTANCE_EXTRA_BITS: Uint8Array = Uint8Array.from(
  DISTANCE_BASES,
  (_, code) => Math.max(0, (code >> 1) - 1),
);

/** Bits of a distance code; all are of one length. */
export const DISTANCE_CODE_BITS = 5;

/** Turns the lowest bits round: codes go out from their highest bit on. */
export function reverseBits(value: number, count: number): number {
  let reversed = 0;
  for (let bit = 0; bit < count; bit++) {
    reversed = reversed << 1 | value >> bit & 1;
  }
  return reversed;
}

/** Section 3.2.6: bits of a literal's or a length's code. */
function codeBits(symbol: number): number {
  if (symbol < 144) return 8;
  if (symbol < 256) return 9;
  return symbol < 280 ? 7 : 8;
}

/** Section 3.2.6: the code itself. */
function codeOf(symbol: number): number {
  if (symbol < 144) return 0x30 + symbol;
  if (symbol < 256) return 0x190 + symbol - 144;
  return symbol < 280 ? symbol - 256 : 0xc0 + symbol - 280;
}

/** How to write each literal: its code, over the count of its bits. */
export const LITERALS: Uint16Array = Uint16Array.from(
  { length: 256 },
  (_, symbol) => {
    const bits = codeBits(symbol);
    return reverseBits(codeOf(symbol), bits) << SYMBOL_SHIFT | bits;
  },
);

/** How to write each length of a match: code and extra bits, over their count. */
export const LENGTHS: Uint32Array = Uint32Array.from(
  { length: MAX_MATCH_BYTES + 1 },
  (_, length) => {
    if (length < MIN_MATCH_BYTES) return 0;
    const index = lastAtMost(LENGTH_BASES, length);
    const symbol = END_OF_BLOCK + 1 + index;
    const bits = codeBits(symbol);
    const extra = length - LENGTH_BASES[index]!;
    const all = reverseBits(codeOf(symbol), bits) | extra << bits;
    return all << SYMBOL_SHIFT | bits + LENGTH_EXTRA_BITS[index]!;
  },
);

/**
 * Code of each distance: of `distance - 1` up to 256, then of one in 128, since
 * from there on all codes span at least that much.
 */
export const DISTANCE_CODES: Uint8Array = Uint8Array.from(
  { length: 512 },
  (_, index) =>
    lastAtMost(
      DISTANCE_BASES,
      index < 256 ? index + 1 : (index - 256 << 7) + 1,
    ),
);

/** How to write each distance code. */
export const DISTANCES: Uint8Array = Uint8Array.from(
  { length: 30 },
  (_, code) => reverseBits(code, DISTANCE_CODE_BITS),
);

/** Symbol of the next nine bits, over the count of those that it takes. */
export const SYMBOLS: Uint16Array = new Uint16Array(1 << MAX_CODE_BITS);
for (let symbol = 0; symbol < 288; symbol++) {
  const bits = codeBits(symbol);
  const code = reverseBits(codeOf(symbol), bits);
  for (let next = code; next < SYMBOLS.length; next += 1 << bits) {
    SYMBOLS[next] = symbol << SYMBOL_SHIFT | bits;
  }
}

function lastAtMost(bases: Uint16Array, value: number): number {
  let index = bases.length - 1;
  while (bases[index]! > value) index--;
  return index;
}
