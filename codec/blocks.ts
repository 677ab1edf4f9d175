/**
 * Blocks of memory that frames are written to.
 *
 * They are borrowed while there is something to send, and come back afterwards: an
 * idle connection holds none, and a busy one allocates none.
 *
 * @module
 */

/** What a connection that sends a little borrows. */
export const SMALL_BLOCK_BYTES = 2_048;
/** What a connection that sends much borrows. */
export const LARGE_BLOCK_BYTES = 131_072;
/**
 * How far it is filled: 4 × 16 KiB fit in, with headers. The rest is room for a
 * text that turns out not to be ASCII.
 */
export const LARGE_FILL_BYTES = 65_792;
/**
 * What a long text or masked payload borrows: to write into it costs a tenth (or,
 * masked, half) of a fresh array, and a masked frame leaves in one write.
 */
export const HUGE_BLOCK_BYTES = 524_544;
/**
 * Where a large block begins in its buffer. Copying to an address that lies a few
 * bytes behind the source's, modulo 4 KiB, costs up to twenty times as much (4.7 µs
 * instead of 0.2 for 16 KiB on Bun); payloads begin near the start of a page,
 * and so blocks do not.
 */
const LARGE_BLOCK_OFFSET = 2_048;

/** Most blocks of each size that are kept for the next ones to borrow. */
const MAX_FREE_SMALL = 256;
const MAX_FREE_LARGE = 32;
const MAX_FREE_HUGE = 4;

const smallBlocks: Uint8Array[] = [];
const largeBlocks: Uint8Array[] = [];
const hugeBlocks: Uint8Array[] = [];

/**
 * Borrows a block.
 *
 * @param bytes Room that is needed.
 * @returns A block of one of the three sizes, or an array of exactly `bytes` where
 * that is more. It holds whatever it held before.
 */
export function borrow(bytes: number): Uint8Array {
  if (bytes <= SMALL_BLOCK_BYTES) {
    return smallBlocks.pop() ?? new Uint8Array(SMALL_BLOCK_BYTES);
  }
  if (bytes <= LARGE_BLOCK_BYTES) {
    return largeBlocks.pop() ?? newBlock(LARGE_BLOCK_BYTES);
  }
  if (bytes <= HUGE_BLOCK_BYTES) {
    return hugeBlocks.pop() ?? newBlock(HUGE_BLOCK_BYTES);
  }
  return new Uint8Array(bytes);
}

function newBlock(bytes: number): Uint8Array {
  const buffer = new ArrayBuffer(LARGE_BLOCK_OFFSET + bytes);
  return new Uint8Array(buffer, LARGE_BLOCK_OFFSET);
}

/**
 * Gives a block back.
 *
 * @param block What `borrow` returned, which nobody uses any more.
 */
export function giveBack(block: Uint8Array): void {
  if (block.length === SMALL_BLOCK_BYTES) {
    if (smallBlocks.length < MAX_FREE_SMALL) smallBlocks.push(block);
  } else if (block.length === LARGE_BLOCK_BYTES) {
    if (largeBlocks.length < MAX_FREE_LARGE) largeBlocks.push(block);
  } else if (block.length === HUGE_BLOCK_BYTES) {
    if (hugeBlocks.length < MAX_FREE_HUGE) hugeBlocks.push(block);
  }
}

// The view that was last made. A block that comes back is the next to be borrowed,
// and peers that send messages of one length are sent such: then the view serves
// again, which to make costs a twentieth of a message on Bun (250 ns).
let latestBlock: Uint8Array | undefined;
let latestView: Uint8Array = new Uint8Array(0);

/**
 * Makes a view of the beginning of a block, or finds it.
 *
 * @param block A block.
 * @param length Bytes.
 */
export function viewOf(block: Uint8Array, length: number): Uint8Array {
  if (block !== latestBlock || latestView.length !== length) {
    latestBlock = block;
    latestView = block.subarray(0, length);
  }
  return latestView;
}
