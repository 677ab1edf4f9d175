/**
 * Binary messages, made of the chunks that they arrived in.
 *
 * @module
 */

import { copyMasked, maskBlindly } from "./mask.ts";

/**
 * Most bytes that small binary messages of one chunk share. A fresh array costs
 * several times a view on one (300 to 600 ns against 25 on Deno), so messages
 * that arrive together lie side by side; never those of different connections.
 */
const SHARED_BYTES = 8_192;
/**
 * From here on `slice` beats an array that is made and then filled, which takes a
 * view as well (0.9 µs for 1 KiB on Bun, under load); a `Buffer`'s does not copy.
 */
const SLICED_BYTES = 128;
/** A message above this has an array of its own. */
const MAX_SHARING_BYTES = 2_048;

// What the small messages of the chunk that is being read share. It is only there
// while one is: connections are read one after the other.
let shared: Uint8Array | undefined;
let sharedBytes = 0;

/**
 * Takes the payload of a binary message, or a part of it.
 *
 * @param chunk Chunk that holds the payload, which may be unmasked in place.
 * @param start Index of the payload's first byte.
 * @param end Index after its last byte.
 * @param maskKey Masking key, 0 for none.
 * @param given Whether the chunk's memory may become the message's.
 * @param cheapArrayBytes Largest array that costs no more to make than a view, in
 * bytes, see `MessageOptions.cheapArrayBytes`.
 * @returns The payload, which belongs to whoever takes it, unless it lies beside
 * others of its chunk; then they share at most 8 KiB.
 */
export function takeBinary(
  chunk: Uint8Array,
  start: number,
  end: number,
  maskKey: number,
  given: boolean,
  cheapArrayBytes: number,
): Uint8Array {
  const length = end - start;
  // First, for to ask a chunk for its buffer costs more than a cheap array.
  if (length <= cheapArrayBytes) return copyOut(chunk, start, end, maskKey);
  // Not where the message would pin more memory than twice its own.
  if (given && length * 2 >= chunk.buffer.byteLength) {
    return cutOut(chunk, start, end, maskKey);
  }
  return length > MAX_SHARING_BYTES
    ? copyOut(chunk, start, end, maskKey)
    : copyShared(chunk, start, end, maskKey);
}

/** Lets go of what the messages of one chunk share: the next one begins afresh. */
export function endShared(): void {
  shared = undefined;
}

/** Makes a message of the memory that it arrived in. */
function cutOut(
  chunk: Uint8Array,
  start: number,
  end: number,
  maskKey: number,
): Uint8Array {
  if (maskKey !== 0) maskBlindly(chunk, start, end, maskKey);
  const { buffer, byteOffset } = chunk;
  return new Uint8Array(buffer, byteOffset + start, end - start);
}

/** Makes a message of its own memory. */
function copyOut(
  chunk: Uint8Array,
  start: number,
  end: number,
  maskKey: number,
): Uint8Array {
  if (end - start >= SLICED_BYTES && chunk.constructor === Uint8Array) {
    if (maskKey !== 0) maskBlindly(chunk, start, end, maskKey);
    return chunk.slice(start, end);
  }
  const own = new Uint8Array(end - start);
  copyMasked(chunk, start, end, own, 0, maskKey);
  return own;
}

/** Makes a message that lies beside others of its chunk; at most 8 KiB. */
function copyShared(
  chunk: Uint8Array,
  start: number,
  end: number,
  maskKey: number,
): Uint8Array {
  const length = end - start;
  let block = shared;
  let at = sharedBytes;
  if (block === undefined || at + length > block.length) {
    block = new Uint8Array(Math.min(SHARED_BYTES, chunk.length - start));
    at = 0;
  }
  copyMasked(chunk, start, end, block, at, maskKey);
  // A message that fills its block has it for itself.
  if (length === block.length) return block;
  shared = block;
  // On a word boundary, where unmasking is fastest.
  sharedBytes = (at + length + 3) & ~3;
  return new Uint8Array(block.buffer, at, length);
}
