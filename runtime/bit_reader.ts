/**
 * Reads what DEFLATE (RFC 1951) consists of: bits, the first one lowest, from input
 * that comes in parts.
 *
 * @module
 */

const NO_BYTES = new Uint8Array(0);

/** What reading has come to. */
export type ReadResult =
  /** It has been read. */
  | "done"
  /** There is not enough input. */
  | "hungry"
  /** The format is broken. */
  | "invalid";

/** How far the input has been read. */
export type BitPlace = readonly [at: number, held: number, heldCount: number];

/**
 * Takes bits, as far as there are any.
 *
 * Its fields are there for a loop that reads thousands of symbols: it has them in
 * variables of its own meanwhile.
 */
export class BitReader {
  /** The input; what stands before `at` has been read. */
  input: Uint8Array = NO_BYTES;
  /** Index in the input of the next byte. */
  at = 0;
  /** Bits of the bytes before it that have not been taken; zeros above them. */
  held = 0;
  /** How many these are. */
  heldCount = 0;

  /** Whole bytes that have not been looked into. */
  get bytesLeft(): number {
    return this.input.length - this.at;
  }

  /** How far it has come; holds until more is pushed. */
  get place(): BitPlace {
    return [this.at, this.held, this.heldCount];
  }

  set place(place: BitPlace) {
    [this.at, this.held, this.heldCount] = place;
  }

  /** Adds input: copies of two arrays, one behind the other. */
  push(first: Uint8Array, second: Uint8Array): void {
    this.giveBack();
    const rest = this.input.subarray(this.at);
    const firstEnd = rest.length + first.length;
    this.input = new Uint8Array(firstEnd + second.length);
    this.input.set(rest);
    this.input.set(first, rest.length);
    this.input.set(second, firstEnd);
    this.at = 0;
  }

  /** Lets go of the input, which has been read. */
  clear(): void {
    this.input = NO_BYTES;
    this.at = 0;
  }

  /** Holds as many bits as it can, 25 or more where they are there. */
  hold(): void {
    while (this.heldCount <= 24 && this.at < this.input.length) {
      this.held |= this.input[this.at++]! << this.heldCount;
      this.heldCount += 8;
    }
  }

  /** Drops bits that are held. */
  drop(count: number): void {
    this.held >>>= count;
    this.heldCount -= count;
  }

  /** Takes some bits, at most 16; -1 where there are not as many. */
  take(count: number): number {
    this.hold();
    if (this.heldCount < count) return -1;
    const bits = this.held & (1 << count) - 1;
    this.drop(count);
    return bits;
  }

  /** Takes some bytes, on a byte's border, with no whole byte held; lent. */
  takeBytes(count: number): Uint8Array {
    return this.input.subarray(this.at, this.at += count);
  }

  /** Gives back whole bytes that are held. */
  giveBack(): void {
    this.at -= this.heldCount >> 3;
    this.heldCount &= 7;
    this.held &= (1 << this.heldCount) - 1;
  }

  /** Skips what is left of a byte; no bits are held then. */
  toByte(): void {
    this.giveBack();
    this.held = 0;
    this.heldCount = 0;
  }
}
