/**
 * Inflates messages piece by piece (RFC 1951; RFC 7692, section 7.2.2): input comes
 * as it arrives, output leaves as it is wanted, and whatever is not wanted yet has
 * not been inflated. zlib does that too, but only in its own time.
 *
 * Nothing of it is alive between two calls but the context, what is left of the
 * input, and the codes of the block under way.
 *
 * @module
 */

import { BitReader, type ReadResult } from "./bit_reader.ts";
import { BlockCodes, fixedCodes } from "./block_codes.ts";
import {
  BITS_MASK,
  DISTANCE_BASES,
  DISTANCE_EXTRA_BITS,
  END_OF_BLOCK,
  LENGTH_BASES,
  LENGTH_EXTRA_BITS,
  MAX_MATCH_BYTES,
  SYMBOL_SHIFT,
} from "./deflate_codes.ts";
import { type History, stage } from "./deflate_history.ts";
import { MAX_HUFFMAN_BITS } from "./huffman.ts";

/** Most bytes that are inflated at a time, but for the end of a match. */
const PIECE_BYTES = 65_536;
/** RFC 7692, section 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff". */
const TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const NO_BYTES = new Uint8Array(0);

/** What a step has come to. */
type Step =
  | ReadResult
  /** As much has been inflated as is good to hold. */
  | "full";

/** Inflates one message after the other. */
export class PieceInflater {
  readonly #history: History;
  readonly #keepsContext: boolean;

  readonly #bits: BitReader = new BitReader();
  /** Whether the message has come whole, so that its trailer is in the input. */
  #isLast = false;
  /** What the input goes on with. */
  #state: "header" | "stored" | "codes" = "header";
  /** Whether the block under way has BFINAL set. */
  #isFinal = false;
  /** Whether a message may end here, without what the trailer completes. */
  #mayEnd = true;
  /** Bytes that the block without compression has left. */
  #storedBytes = 0;
  #codes: BlockCodes | undefined;
  /** The codes that messages bring, which take each other's place. */
  #ownCodes: BlockCodes | undefined;
  /** Where on the stage the next byte goes, while something is inflated. */
  #to = 0;

  /**
   * @param history Context to go on from.
   * @param keepsContext Whether one message is the context of the next.
   */
  constructor(history: History, keepsContext: boolean) {
    this.#history = history;
    this.#keepsContext = keepsContext;
  }

  /** Takes the next part of a message; see `PieceDecoder.push`. */
  push(payload: Uint8Array, isLast: boolean): void {
    this.#bits.push(payload, isLast ? TRAILER : NO_BYTES);
    this.#isLast = isLast;
  }

  /** Inflates the next bytes; see `PieceDecoder.pull`. */
  pull(): Uint8Array | "invalid-deflate" | undefined {
    const history = this.#history;
    const start = history.loadWithRoom(PIECE_BYTES + MAX_MATCH_BYTES);
    this.#to = start;
    const end = start + PIECE_BYTES;
    let step: Step = "done";
    let isOver = false;
    while (step === "done") {
      isOver = this.#state === "header" && this.#hasEnded;
      if (isOver) break;
      step = this.#step(end);
    }
    const isCutOff = step === "hungry" && this.#isLast;
    if (step === "invalid" || isCutOff) return "invalid-deflate";
    const to = this.#to;
    const bytes = to > start ? stage().slice(start, to) : undefined;
    if (bytes !== undefined) history.keep(to);
    if (isOver && bytes === undefined) this.#reset();
    return bytes;
  }

  /** Whether the message ends here. */
  get #hasEnded(): boolean {
    const { heldCount, bytesLeft } = this.#bits;
    if (!this.#isLast || heldCount > 0) return false;
    // A whole empty block without compression is what the trailer ends; after a
    // block with BFINAL there need be none (RFC 7692, section 7.2.3.4).
    return bytesLeft === 0 || this.#mayEnd && bytesLeft === TRAILER.length;
  }

  /** Makes ready for the next message. */
  #reset(): void {
    this.#bits.clear();
    this.#isLast = false;
    this.#mayEnd = true;
    this.#ownCodes = undefined;
    this.#codes = undefined;
    if (!this.#keepsContext) this.#history.clear();
  }

  #step(end: number): Step {
    if (this.#state === "codes") return this.#inflate(end);
    if (this.#state === "stored") return this.#copyStored(end);
    const { place } = this.#bits;
    const step = this.#readHeader();
    // Short as it is, it is read again from its beginning.
    if (step === "hungry") this.#bits.place = place;
    return step;
  }

  #endBlock(): Step {
    this.#state = "header";
    this.#mayEnd = this.#isFinal;
    // What follows a last block begins with the next byte.
    if (this.#isFinal) this.#bits.toByte();
    return "done";
  }

  /** Section 3.2.3: reads what a block begins with. */
  #readHeader(): ReadResult {
    const header = this.#bits.take(3);
    if (header < 0) return "hungry";
    let result: ReadResult = "done";
    const type = header >> 1;
    if (type === 0) result = this.#readStored();
    else if (type === 1) this.#codes = fixedCodes();
    else if (type === 2) result = this.#readCodes();
    else return "invalid";
    if (result !== "done") return result;
    this.#isFinal = (header & 1) === 1;
    this.#state = type === 0 ? "stored" : "codes";
    return "done";
  }

  /** Section 3.2.4: a block without compression. */
  #readStored(): ReadResult {
    const bits = this.#bits;
    bits.toByte();
    const length = bits.take(16);
    if (length < 0) return "hungry";
    const complement = bits.take(16);
    if (complement < 0) return "hungry";
    // "NLEN is the one's complement of LEN."
    if ((length ^ complement) !== 0xffff) return "invalid";
    bits.giveBack();
    this.#storedBytes = length;
    return "done";
  }

  #copyStored(end: number): Step {
    const bits = this.#bits;
    const room = end - this.#to;
    const bytes = Math.min(this.#storedBytes, bits.bytesLeft, room);
    stage().set(bits.takeBytes(bytes), this.#to);
    this.#to += bytes;
    this.#storedBytes -= bytes;
    if (this.#storedBytes === 0) return this.#endBlock();
    return this.#to === end ? "full" : "hungry";
  }

  /** Section 3.2.7: the codes that a block brings with it. */
  #readCodes(): ReadResult {
    const codes = this.#codes = this.#ownCodes ??= new BlockCodes();
    return codes.read(this.#bits);
  }

  /**
   * Inflates what a block's codes say, up to its end, or to that of the room: in one
   * loop that has what it needs in variables, as it goes round for each symbol.
   */
  #inflate(end: number): Step {
    const { lengths, distances } = this.#codes!;
    const target = stage();
    const bits = this.#bits;
    const { input } = bits;
    let { at, held, heldCount: count } = bits;
    let to = this.#to;
    let step: Step = "done";
    for (;;) {
      if (to >= end) {
        step = "full";
        break;
      }
      while (count <= 24 && at < input.length) {
        held |= input[at++]! << count;
        count += 8;
      }
      const entry = lengths.find(held);
      const symbolBits = entry & BITS_MASK;
      if (symbolBits === 0 || symbolBits > count) {
        step = symbolBits === 0 && count >= MAX_HUFFMAN_BITS
          ? "invalid"
          : "hungry";
        break;
      }
      const symbol = entry >> SYMBOL_SHIFT;
      if (symbol < END_OF_BLOCK) {
        held >>>= symbolBits;
        count -= symbolBits;
        target[to++] = symbol;
        continue;
      }
      if (symbol === END_OF_BLOCK) {
        held >>>= symbolBits;
        count -= symbolBits;
        break;
      }
      const index = symbol - END_OF_BLOCK - 1;
      if (index >= LENGTH_BASES.length) {
        step = "invalid";
        break;
      }
      // What a match is made of is taken together, or not at all.
      const atBefore = at;
      const heldBefore = held;
      const countBefore = count;
      const lengthExtra = LENGTH_EXTRA_BITS[index]!;
      const length = LENGTH_BASES[index]! +
        (held >>> symbolBits & (1 << lengthExtra) - 1);
      held >>>= symbolBits + lengthExtra;
      count -= symbolBits + lengthExtra;
      while (count >= 0 && count <= 24 && at < input.length) {
        held |= input[at++]! << count;
        count += 8;
      }
      const distance = distances.find(held);
      const distanceBits = distance & BITS_MASK;
      const code = distance >> SYMBOL_SHIFT;
      if (distanceBits === 0 && count >= MAX_HUFFMAN_BITS) {
        step = "invalid";
        break;
      }
      held >>>= distanceBits;
      count -= distanceBits;
      while (count >= 0 && count <= 24 && at < input.length) {
        held |= input[at++]! << count;
        count += 8;
      }
      const distanceExtra = code < DISTANCE_BASES.length
        ? DISTANCE_EXTRA_BITS[code]!
        : 0;
      if (distanceBits === 0 || count < distanceExtra) {
        at = atBefore;
        held = heldBefore;
        count = countBefore;
        step = "hungry";
        break;
      }
      // "distance codes 30-31 will never actually occur in the compressed data"
      let from = code < DISTANCE_BASES.length
        ? to - DISTANCE_BASES[code]! - (held & (1 << distanceExtra) - 1)
        : -1;
      if (from < 0) {
        step = "invalid";
        break;
      }
      held >>>= distanceExtra;
      count -= distanceExtra;
      for (const stop = to + length; to < stop;) target[to++] = target[from++]!;
    }
    bits.at = at;
    bits.held = held;
    bits.heldCount = count;
    this.#to = to;
    return step === "done" ? this.#endBlock() : step;
  }
}
