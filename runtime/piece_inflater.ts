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

import {
  DISTANCE_BASES,
  DISTANCE_EXTRA_BITS,
  END_OF_BLOCK,
  LENGTH_BASES,
  LENGTH_EXTRA_BITS,
  MAX_MATCH_BYTES,
} from "./deflate_codes.ts";
import { type History, stage } from "./deflate_history.ts";
import { HuffmanCodes, MAX_HUFFMAN_BITS } from "./huffman.ts";

/** Most bytes that are inflated at a time, but for the end of a match. */
const PIECE_BYTES = 65_536;
/** RFC 7692, section 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff". */
const TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const NO_BYTES = new Uint8Array(0);

const MAX_LENGTH_CODES = 286;
const MAX_DISTANCE_CODES = 30;
/** Section 3.2.7: the order in which lengths of code length codes come. */
const LENGTH_ORDER = Uint8Array.of(
  ...[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15],
);

/** Section 3.2.6: the fixed codes, made when they are first met. */
let fixedCodes: BlockCodes | undefined;

/** The codes of a block. */
interface BlockCodes {
  readonly lengths: HuffmanCodes;
  readonly distances: HuffmanCodes;
}

/** What a step has come to. */
type Step =
  /** Go on. */
  | "done"
  /** There is not enough input. */
  | "hungry"
  /** As much has been inflated as is good to hold. */
  | "full"
  /** The format is broken. */
  | "invalid";

/** Inflates one message after the other. */
export class PieceInflater {
  readonly #history: History;
  readonly #keepsContext: boolean;

  #input: Uint8Array = NO_BYTES;
  #at = 0;
  /** Where the payload ends in the input, whose trailer may follow. */
  #payloadEnd = 0;
  #isLast = false;
  #held = 0;
  #heldCount = 0;

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
    this.#giveBack();
    const left = this.#input.subarray(this.#at);
    const trailer = isLast ? TRAILER : NO_BYTES;
    const payloadEnd = left.length + payload.length;
    const input = new Uint8Array(payloadEnd + trailer.length);
    input.set(left);
    input.set(payload, left.length);
    input.set(trailer, payloadEnd);
    this.#input = input;
    this.#at = 0;
    this.#payloadEnd = payloadEnd;
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
    if (!this.#isLast || this.#heldCount > 0) return false;
    // A whole empty block without compression is what the trailer ends; after a
    // block with BFINAL there need be none (RFC 7692, section 7.2.3.4).
    return this.#at === this.#input.length ||
      this.#mayEnd && this.#at === this.#payloadEnd;
  }

  /** Makes ready for the next message. */
  #reset(): void {
    this.#input = NO_BYTES;
    this.#at = 0;
    this.#payloadEnd = 0;
    this.#isLast = false;
    this.#mayEnd = true;
    this.#ownCodes = undefined;
    this.#codes = undefined;
    if (!this.#keepsContext) this.#history.clear();
  }

  #step(end: number): Step {
    if (this.#state === "codes") return this.#inflate(end);
    if (this.#state === "stored") return this.#copyStored(end);
    const at = this.#at;
    const held = this.#held;
    const heldCount = this.#heldCount;
    const step = this.#readHeader();
    if (step === "hungry") {
      // Short as it is, it is read again from its beginning.
      this.#at = at;
      this.#held = held;
      this.#heldCount = heldCount;
    }
    return step;
  }

  #endBlock(): Step {
    this.#state = "header";
    this.#mayEnd = this.#isFinal;
    // What follows a last block begins with the next byte.
    if (this.#isFinal) this.#toByte();
    return "done";
  }

  /** Section 3.2.3: reads what a block begins with. */
  #readHeader(): Step {
    const header = this.#takeBits(3);
    if (header < 0) return "hungry";
    let step: Step = "done";
    const type = header >> 1;
    if (type === 0) step = this.#readStored();
    else if (type === 1) this.#codes = fixedCodes ??= makeFixed();
    else if (type === 2) step = this.#readCodes();
    else return "invalid";
    if (step !== "done") return step;
    this.#isFinal = (header & 1) === 1;
    this.#state = type === 0 ? "stored" : "codes";
    return "done";
  }

  /** Section 3.2.4: a block without compression. */
  #readStored(): Step {
    this.#toByte();
    const length = this.#takeBits(16);
    if (length < 0) return "hungry";
    const complement = this.#takeBits(16);
    if (complement < 0) return "hungry";
    // "NLEN is the one's complement of LEN."
    if ((length ^ complement) !== 0xffff) return "invalid";
    this.#giveBack();
    this.#storedBytes = length;
    return "done";
  }

  #copyStored(end: number): Step {
    const { length } = this.#input;
    const bytes = Math.min(
      this.#storedBytes,
      length - this.#at,
      end - this.#to,
    );
    const stop = this.#at + bytes;
    stage().set(this.#input.subarray(this.#at, stop), this.#to);
    this.#at = stop;
    this.#to += bytes;
    this.#storedBytes -= bytes;
    if (this.#storedBytes === 0) return this.#endBlock();
    return this.#to === end ? "full" : "hungry";
  }

  /** Section 3.2.7: the codes that a block brings with it. */
  #readCodes(): Step {
    const sizes = this.#takeBits(14);
    if (sizes < 0) return "hungry";
    const lengthCodes = (sizes & 31) + 257;
    const distanceCodes = (sizes >> 5 & 31) + 1;
    if (lengthCodes > MAX_LENGTH_CODES || distanceCodes > MAX_DISTANCE_CODES) {
      return "invalid";
    }
    const lengths = new Uint8Array(MAX_LENGTH_CODES + MAX_DISTANCE_CODES);
    const count = (sizes >> 10) + 4;
    for (let index = 0; index < count; index++) {
      const bits = this.#takeBits(3);
      if (bits < 0) return "hungry";
      lengths[LENGTH_ORDER[index]!] = bits;
    }
    const own = this.#ownCodes ??= {
      lengths: new HuffmanCodes(MAX_LENGTH_CODES),
      distances: new HuffmanCodes(MAX_DISTANCE_CODES),
    };
    // The codes of the lengths take a place that is not needed yet.
    if (!own.lengths.set(lengths, 0, LENGTH_ORDER.length)) {
      return "invalid";
    }
    lengths.fill(0);
    const all = lengthCodes + distanceCodes;
    const step = this.#readLengths(own.lengths, lengths, all);
    if (step !== "done") return step;
    // Without it no block would end.
    if (lengths[END_OF_BLOCK] === 0) return "invalid";
    const isValid = own.lengths.set(lengths, 0, lengthCodes) &&
      own.distances.set(lengths, lengthCodes, all);
    this.#codes = own;
    return isValid ? "done" : "invalid";
  }

  #readLengths(codes: HuffmanCodes, lengths: Uint8Array, count: number): Step {
    for (let index = 0; index < count;) {
      this.#hold();
      const entry = codes.find(this.#held);
      const bits = entry & 15;
      if (bits === 0 && this.#heldCount >= MAX_HUFFMAN_BITS) return "invalid";
      if (bits === 0 || bits > this.#heldCount) return "hungry";
      this.#drop(bits);
      const symbol = entry >> 4;
      if (symbol < 16) {
        lengths[index++] = symbol;
        continue;
      }
      // 16: "Copy the previous code length 3 - 6 times." 17 and 18: zeros.
      if (symbol === 16 && index === 0) return "invalid";
      const value = symbol === 16 ? lengths[index - 1]! : 0;
      const extra = this.#takeBits(symbol === 16 ? 2 : symbol === 17 ? 3 : 7);
      if (extra < 0) return "hungry";
      const stop = index + extra + (symbol === 18 ? 11 : 3);
      if (stop > count) return "invalid";
      lengths.fill(value, index, stop);
      index = stop;
    }
    return "done";
  }

  /** Inflates what a block's codes say, up to its end, or to that of the room. */
  #inflate(end: number): Step {
    const { lengths, distances } = this.#codes!;
    const target = stage();
    const input = this.#input;
    let at = this.#at;
    let held = this.#held;
    let count = this.#heldCount;
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
      const bits = entry & 15;
      if (bits === 0 || bits > count) {
        step = bits === 0 && count >= MAX_HUFFMAN_BITS ? "invalid" : "hungry";
        break;
      }
      const symbol = entry >> 4;
      if (symbol < END_OF_BLOCK) {
        held >>>= bits;
        count -= bits;
        target[to++] = symbol;
        continue;
      }
      if (symbol === END_OF_BLOCK) {
        held >>>= bits;
        count -= bits;
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
        (held >>> bits & (1 << lengthExtra) - 1);
      held >>>= bits + lengthExtra;
      count -= bits + lengthExtra;
      while (count >= 0 && count <= 24 && at < input.length) {
        held |= input[at++]! << count;
        count += 8;
      }
      const distance = distances.find(held);
      const distanceBits = distance & 15;
      const code = distance >> 4;
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
      const distanceExtra = code < MAX_DISTANCE_CODES
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
      let from = code < MAX_DISTANCE_CODES
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
    this.#at = at;
    this.#held = held;
    this.#heldCount = count;
    this.#to = to;
    return step === "done" ? this.#endBlock() : step;
  }

  /** Holds as many bits as it can, 25 or more where they are there. */
  #hold(): void {
    while (this.#heldCount <= 24 && this.#at < this.#input.length) {
      this.#held |= this.#input[this.#at++]! << this.#heldCount;
      this.#heldCount += 8;
    }
  }

  #drop(count: number): void {
    this.#held >>>= count;
    this.#heldCount -= count;
  }

  /** Takes some bits, at most 16; -1 where there are not as many. */
  #takeBits(count: number): number {
    this.#hold();
    if (this.#heldCount < count) return -1;
    const bits = this.#held & (1 << count) - 1;
    this.#drop(count);
    return bits;
  }

  /** Gives back whole bytes. */
  #giveBack(): void {
    this.#at -= this.#heldCount >> 3;
    this.#heldCount &= 7;
    this.#held &= (1 << this.#heldCount) - 1;
  }

  /** Skips what is left of a byte. */
  #toByte(): void {
    this.#giveBack();
    this.#held = 0;
    this.#heldCount = 0;
  }
}

function makeFixed(): BlockCodes {
  const lengths = new HuffmanCodes(288);
  const distances = new HuffmanCodes(32);
  const bits = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256)
    .fill(7, 256, 280).fill(8, 280);
  lengths.set(bits, 0, 288);
  distances.set(new Uint8Array(32).fill(5), 0, 32);
  return { lengths, distances };
}
