/**
 * The fragments of one compressed message (RFC 7692, section 7.2.1).
 *
 * Each is compressed as if it were a message: what a message ends with, and drops,
 * is then what ends the fragment at a whole byte, and is put back unless it is the
 * last one. Together they are one stream, as the peer inflates it.
 *
 * @module
 */

import type { MessageTransform } from "./transform.ts";

/** What each compressed message ends with, and the last four bytes are not sent. */
const EMPTY_BLOCK_TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
/** Most bytes of a block without compression (RFC 1951, section 3.2.4). */
const MAX_STORED_BYTES = 65_535;
const STORED_HEADER_BYTES = 5;

/**
 * Compresses a fragment.
 *
 * @param transform Compresses messages.
 * @param payload Payload of the fragment; only read.
 * @param isFirst Whether it is the first of its message. The others follow it: if it
 * is not compressed, they must not be either.
 * @param fin Whether it is the last.
 * @returns A new array, or `undefined` where the message is to go out as it is;
 * never for a fragment that is not the first.
 */
export function encodeFragment(
  transform: MessageTransform,
  payload: Uint8Array,
  isFirst: boolean,
  fin: boolean,
): Uint8Array | undefined {
  const changed = transform.encode(payload);
  if (changed === undefined) {
    if (isFirst) return undefined;
    transform.noteShared?.(payload);
    return storeBlocks(payload, fin);
  }
  if (fin) return changed;
  const whole = new Uint8Array(changed.length + EMPTY_BLOCK_TAIL.length);
  whole.set(changed);
  whole.set(EMPTY_BLOCK_TAIL, changed.length);
  return whole;
}

/** Puts bytes into blocks without compression (RFC 1951, section 3.2.4). */
function storeBlocks(payload: Uint8Array, fin: boolean): Uint8Array {
  const { length } = payload;
  const blocks = Math.ceil(length / MAX_STORED_BYTES);
  const tailBytes = fin ? 1 : 0;
  const whole = new Uint8Array(
    length + blocks * STORED_HEADER_BYTES + tailBytes,
  );
  let to = 0;
  for (let from = 0; from < length; from += MAX_STORED_BYTES) {
    const block = payload.subarray(from, from + MAX_STORED_BYTES);
    whole[to + 1] = block.length;
    whole[to + 2] = block.length >> 8;
    whole[to + 3] = ~block.length;
    whole[to + 4] = ~block.length >> 8;
    whole.set(block, to + STORED_HEADER_BYTES);
    to += STORED_HEADER_BYTES + block.length;
  }
  // The last byte, 00, begins the empty block whose other bytes are not sent.
  return whole;
}
