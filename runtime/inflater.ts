/**
 * Inflates short messages (RFC 1951): what zlib, in a browser or elsewhere, makes
 * of some hundred bytes. It takes fixed codes, which short messages have, and no
 * compression; whatever else there is zlib inflates.
 *
 * A message of 180 bytes takes 1 µs, a call into zlib 8 to 12.
 *
 * @module
 */

import {
  BITS_MASK,
  DISTANCE_BASES,
  DISTANCE_CODE_BITS,
  DISTANCE_EXTRA_BITS,
  DISTANCES,
  END_OF_BLOCK,
  LENGTH_BASES,
  LENGTH_EXTRA_BITS,
  MAX_CODE_BITS,
  SYMBOL_SHIFT,
  SYMBOLS,
} from "./deflate_codes.ts";
import { type History, stage } from "./deflate_history.ts";

/** Longest message that is looked at, in bytes. */
export const MAX_SHORT_INPUT_BYTES = 4_096;
/** Longest message that may come of it, in bytes. */
const MAX_SHORT_RESULT_BYTES = 16_384;

/** RFC 7692, section 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff". */
const TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** What a message is when it has not been inflated. */
export const INFLATE_RESULTS = {
  /** It breaks the format. */
  invalid: -1,
  /** It is left to zlib. */
  other: -2,
} as const;

const { invalid, other } = INFLATE_RESULTS;

/** Section 3.2.5: "literal/length values 286-287 will never actually occur". */
const LAST_LENGTH_INDEX = LENGTH_BASES.length - 1;
const LENGTH_BITS_MASK = (1 << MAX_CODE_BITS) - 1;
const DISTANCE_CODE_MASK = (1 << DISTANCE_CODE_BITS) - 1;
const WORD_MASK = 0xffff;

/** Code of the next five bits; from 30 on there is none. */
const DISTANCE_SYMBOLS = new Uint8Array(1 << DISTANCE_CODE_BITS).fill(30);
DISTANCES.forEach((bits, code) => DISTANCE_SYMBOLS[bits] = code);

const input = new Uint8Array(MAX_SHORT_INPUT_BYTES + TRAILER.length);

// One message at a time: what is read of it stands here, between two blocks.
let inputBytes = 0;
let inputAt = 0;
let heldBits = 0;
let heldCount = 0;

/**
 * Inflates a message onto the stage, behind its context.
 *
 * @param payload At most {@linkcode MAX_SHORT_INPUT_BYTES}; only read.
 * @param history Context.
 * @returns Where on the stage the message ends, which begins where the context
 * ends; or one of {@linkcode INFLATE_RESULTS}.
 */
export function inflateShort(payload: Uint8Array, history: History): number {
  const start = history.loadWithRoom(MAX_SHORT_RESULT_BYTES);
  input.set(payload);
  input.set(TRAILER, payload.length);
  inputBytes = payload.length + TRAILER.length;
  inputAt = 0;
  heldBits = 0;
  heldCount = 0;
  let to = start;
  for (;;) {
    // A whole empty block without compression is what the trailer ends.
    if (inputAt === inputBytes && heldCount === 0) return to;
    const header = takeBits(3);
    if (header < 0) return invalid;
    const type = header >> 1;
    if (type === 2) return other;
    if (type === 3) return invalid;
    to = type === 0 ? copyStored(to) : inflateFixed(to);
    if (to < 0) return to;
    if ((header & 1) === 0) continue;
    // RFC 7692, section 7.2.3.4: after a block with BFINAL others may follow, from
    // the next byte on.
    toByte();
    if (inputAt === payload.length) return to;
  }
}

/** Takes some bits; -1 where there are none. */
function takeBits(count: number): number {
  while (heldCount < count) {
    if (inputAt === inputBytes) return -1;
    heldBits |= input[inputAt++]! << heldCount;
    heldCount += 8;
  }
  const bits = heldBits & ((1 << count) - 1);
  heldBits >>>= count;
  heldCount -= count;
  return bits;
}

/** Skips what is left of a byte; gives back whole ones. */
function toByte(): void {
  inputAt -= heldCount >> 3;
  heldBits = 0;
  heldCount = 0;
}

/** Section 3.2.4: a block without compression. */
function copyStored(to: number): number {
  toByte();
  const length = takeBits(16);
  // "NLEN is the one's complement of LEN."
  if (takeBits(16) !== (~length & WORD_MASK) || length < 0) return invalid;
  if (inputAt + length > inputBytes) return invalid;
  if (to + length > stage().length) return other;
  stage().set(input.subarray(inputAt, inputAt + length), to);
  inputAt += length;
  return to + length;
}

/** Section 3.2.6: a block with fixed codes. */
function inflateFixed(to: number): number {
  const target = stage();
  const room = target.length;
  const end = inputBytes;
  let at = inputAt;
  let bits = heldBits;
  let count = heldCount;
  for (;;) {
    // The trailer is long enough to look ahead into.
    while (count < MAX_CODE_BITS) {
      if (at === end) return invalid;
      bits |= input[at++]! << count;
      count += 8;
    }
    const entry = SYMBOLS[bits & LENGTH_BITS_MASK]!;
    bits >>>= entry & BITS_MASK;
    count -= entry & BITS_MASK;
    const symbol = entry >> SYMBOL_SHIFT;
    if (symbol < END_OF_BLOCK) {
      if (to === room) return other;
      target[to++] = symbol;
      continue;
    }
    if (symbol === END_OF_BLOCK) break;
    const index = symbol - END_OF_BLOCK - 1;
    if (index > LAST_LENGTH_INDEX) return invalid;
    const extra = LENGTH_EXTRA_BITS[index]!;
    while (count < extra + DISTANCE_CODE_BITS) {
      if (at === end) return invalid;
      bits |= input[at++]! << count;
      count += 8;
    }
    const length = LENGTH_BASES[index]! + (bits & ((1 << extra) - 1));
    bits >>>= extra;
    const code = DISTANCE_SYMBOLS[bits & DISTANCE_CODE_MASK]!;
    bits >>>= DISTANCE_CODE_BITS;
    count -= extra + DISTANCE_CODE_BITS;
    // "distance codes 30-31 will never actually occur in the compressed data"
    if (code === DISTANCE_BASES.length) return invalid;
    const distanceExtra = DISTANCE_EXTRA_BITS[code]!;
    while (count < distanceExtra) {
      if (at === end) return invalid;
      bits |= input[at++]! << count;
      count += 8;
    }
    let from = to - DISTANCE_BASES[code]! -
      (bits & ((1 << distanceExtra) - 1));
    bits >>>= distanceExtra;
    count -= distanceExtra;
    if (from < 0) return invalid;
    if (to + length > room) return other;
    for (const until = to + length; to < until;) target[to++] = target[from++]!;
  }
  inputAt = at;
  heldBits = bits;
  heldCount = count;
  return to;
}
