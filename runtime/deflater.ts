/**
 * Compresses short messages, one connection's after the other, with what was sent
 * before as their context: DEFLATE with fixed codes (RFC 1951, section 3.2.6).
 *
 * zlib is made for long streams. One that stays alive costs each connection 36 to
 * 256 KiB; one that is made anew for each message has to learn its context again
 * each time: 13 µs on Bun and 24 on Node for 180 bytes with 4 KiB of context, and
 * on Deno 2.9.6 there is no way to give it a context. This takes 1.5 to 1.8 µs, and
 * the result is as short (0.165 of the message, where zlib has 0.161 to 0.165).
 * Beside the 4 KiB of the context it remembers where in it each four bytes stood, in
 * 10 KiB.
 *
 * Short messages gain nothing from codes of their own, so that the fixed ones
 * cost no bytes; long ones do, and are zlib's.
 *
 * @module
 */

import { BitWriter } from "./bit_writer.ts";
import { MAX_MATCH_BYTES } from "./deflate_codes.ts";
import { History, stage } from "./deflate_history.ts";

/** Longest message, in bytes. */
export const MAX_SHORT_BYTES = 2_048;
/** What a message of that length takes at most: 9 bits a byte, and two headers. */
const MAX_OUTPUT_BYTES = MAX_SHORT_BYTES + (MAX_SHORT_BYTES >> 3) + 16;

/** Positions are kept in 16 bits. */
const POSITION_MASK = 0xffff;
/** Spreads four bytes over the whole word: Knuth's multiplicative hash. */
const HASH_FACTOR = 0x9e3779b1 | 0;
/** Matches are found by so many bytes; one of three gains next to nothing. */
const HASHED_BYTES = 4;
/** Places that are remembered at first. */
const FIRST_PLACES = 512;
/** A match of this length is long enough to stop looking. */
const GOOD_MATCH_BYTES = 64;
/** One of this length is taken without a look at what begins a byte later. */
const LAZY_MATCH_BYTES = 32;

/** How a match is told: its length above, its distance below. */
const LENGTH_SHIFT = 16;
const DISTANCE_MASK = 0xffff;

const writer = new BitWriter(MAX_OUTPUT_BYTES);

/** How a {@linkcode Deflater} compresses. */
export interface DeflaterOptions {
  /** How far back a match may reach: 2 to that power, in bytes. */
  readonly windowBits: number;
  /** How many hashes are told apart: 2 to that power. */
  readonly hashBits: number;
  /** How hard it tries, 1 to 9. */
  readonly level: number;
}

/** How many places are looked at for a match, by level; the last one for more. */
const TRIES = [1, 1, 4, 4, 4, 8, 8, 16, 16, 32];
/** Level from which it looks whether a longer match begins a byte later. */
const LAZY_LEVEL = 4;

/** Compresses the messages of one direction of one connection. */
export class Deflater {
  /** What the peer has been sent compressed, at its end. */
  readonly history: History;
  readonly #level: number;
  readonly #hashShift: number;
  /** Where four bytes with each hash stood last, in the stream of all messages. */
  readonly #heads: Uint16Array;
  /** Where four bytes of that hash stood before; as long as the context, at most. */
  #places: Uint16Array = new Uint16Array(FIRST_PLACES);
  /** Length of the stream, in 16 bits. */
  #position = 0;

  /** @param options How to compress. */
  constructor(options: DeflaterOptions) {
    this.#level = options.level;
    this.#hashShift = 32 - options.hashBits;
    this.history = new History(options.windowBits);
    this.#heads = new Uint16Array(1 << options.hashBits);
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
    const end = start + payload.length;
    this.#makeRoom(end);
    if (this.#compress(start, end) > mostBytes) return undefined;
    this.#commit(end, payload.length);
    return writer.take();
  }

  /** Notes what the peer was sent compressed by someone else. */
  append(payload: Uint8Array): void {
    const recent = payload.subarray(-this.history.maxBytes);
    this.#position += payload.length - recent.length;
    const start = this.history.load(recent);
    const end = start + recent.length;
    this.#makeRoom(end);
    this.#note(start, end - HASHED_BYTES, this.#position - start);
    this.#commit(end, recent.length);
  }

  #commit(end: number, bytes: number): void {
    this.history.keep(end);
    this.#position = this.#position + bytes & POSITION_MASK;
  }

  /** Lets as many places be remembered as there are bytes, within the window. */
  #makeRoom(bytes: number): void {
    const few = this.#places;
    let count = few.length;
    while (count < bytes && count < this.history.maxBytes) count *= 2;
    if (count === few.length) return;
    const places = new Uint16Array(count);
    for (let back = 1; back <= few.length; back++) {
      const at = this.#position - back & POSITION_MASK;
      places[at & count - 1] = few[at & few.length - 1]!;
    }
    this.#places = places;
  }

  /**
   * Writes the stage's bytes from `start` to `end` as one message.
   *
   * A match waits until the next byte has been looked at: where a longer one begins
   * there, its first byte goes out by itself.
   *
   * @returns Its length, in bytes.
   */
  #compress(start: number, end: number): number {
    const source = stage();
    const offset = this.#position - start;
    const isLazy = this.#level >= LAZY_LEVEL;
    const last = end - HASHED_BYTES;
    let at = start;
    let waiting = 0;
    writer.begin();
    while (at <= last) {
      const match = this.#find(source, at, end, offset);
      const length = match >> LENGTH_SHIFT;
      if (waiting > 0) {
        if (length <= waiting >> LENGTH_SHIFT) {
          at = this.#repeat(waiting, at - 1, at + 1, last, offset);
          waiting = 0;
          continue;
        }
        writer.literal(source[at - 1]!);
      } else if (match === 0) {
        writer.literal(source[at++]!);
        continue;
      }
      if (isLazy && at < last && length < LAZY_MATCH_BYTES) {
        waiting = match;
        at++;
      } else {
        at = this.#repeat(match, at, at + 1, last, offset);
        waiting = 0;
      }
    }
    while (at < end) writer.literal(source[at++]!);
    return writer.end();
  }

  /**
   * Finds the longest match for what stands at `at`, and notes that it stands there.
   *
   * @returns Length and distance in one, or 0.
   */
  #find(source: Uint8Array, at: number, end: number, offset: number): number {
    const places = this.#places;
    const placesMask = places.length - 1;
    const maxDistance = Math.min(at, this.history.maxBytes);
    const most = Math.min(end - at, MAX_MATCH_BYTES);
    const here = at + offset & POSITION_MASK;
    const word = source[at]! | source[at + 1]! << 8 | source[at + 2]! << 16 |
      source[at + 3]! << 24;
    const hash = Math.imul(word, HASH_FACTOR) >>> this.#hashShift;
    let place = this.#heads[hash]!;
    places[here & placesMask] = place;
    this.#heads[hash] = here;
    let length = HASHED_BYTES - 1;
    let distance = 0;
    let reached = 0;
    for (let tries = TRIES[this.#level]!; tries > 0; tries--) {
      const reach = here - place & POSITION_MASK;
      // What is remembered may be of long ago: there the row of places ends.
      if (reach <= reached || reach > maxDistance) break;
      reached = reach;
      const from = at - reach;
      if (source[from + length] === source[at + length]) {
        // Only equal bytes count, for others can have the same hash.
        let same = 0;
        while (same < most && source[from + same] === source[at + same]) same++;
        if (same > length) {
          length = same;
          distance = reach;
          if (same === most || same >= GOOD_MATCH_BYTES) break;
        }
      }
      place = places[place & placesMask]!;
    }
    return distance === 0 ? 0 : length << LENGTH_SHIFT | distance;
  }

  /**
   * Writes a match, and notes what stands in it.
   *
   * @param at Where it begins.
   * @param from What stands before has been noted.
   * @param last What stands behind cannot be noted.
   * @returns Where it ends.
   */
  #repeat(
    match: number,
    at: number,
    from: number,
    last: number,
    offset: number,
  ): number {
    const length = match >> LENGTH_SHIFT;
    writer.match(length, match & DISTANCE_MASK);
    const next = at + length;
    this.#note(from, Math.min(next - 1, last), offset);
    return next;
  }

  /** Notes what begins at each place from `from` to `last`. */
  #note(from: number, last: number, offset: number): void {
    const source = stage();
    const heads = this.#heads;
    const places = this.#places;
    const placesMask = places.length - 1;
    const shift = this.#hashShift;
    let word = source[from]! << 8 | source[from + 1]! << 16 |
      source[from + 2]! << 24;
    for (let at = from; at <= last; at++) {
      word = word >>> 8 | source[at + 3]! << 24;
      const hash = Math.imul(word, HASH_FACTOR) >>> shift;
      const here = at + offset;
      places[here & placesMask] = heads[hash]!;
      heads[hash] = here;
    }
  }
}
