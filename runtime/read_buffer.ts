/**
 * Buffers for reads that own their buffer while they wait.
 *
 * On Deno a pending `read` owns the buffer it will fill, so an idle connection
 * holds one for as long as it is idle: at 10,000 connections 1 KiB each costs
 * 10 MB, 64 KiB each 1.4 GB. A busy connection on the other hand wants a large
 * one, for each read costs microseconds whatever it brings. The policy:
 *
 * - the first read waits in 1 KiB, which takes most heads of requests, and the
 *   second in 256 bytes, for of what follows the head says nothing;
 * - a read that fills its buffer makes the next one 4 times larger, up to
 *   256 KiB (a 1 MiB burst takes 7 reads instead of 1,024);
 * - any other read ends a burst, and makes the next one the power of two above
 *   the whole burst, so that bursts of one size take one read each, and a
 *   connection that fell quiet after a small message waits small;
 * - but one that has ever needed more than 256 bytes waits in 1 KiB, so that long
 *   and short messages by turns take no more reads;
 * - everything above 1 KiB comes out of one budget for the whole process,
 *   32 MiB; when it is spent a connection gets at most 8 KiB. So 10,000
 *   connections that all went quiet after a large message hold 32 MiB plus at
 *   most 8 KiB each, not 2.5 GB.
 *
 * Buffers that are given back are kept, at most 4 MiB of them, since a new
 * 64 KiB array costs more (it is cleared) than reading into it.
 *
 * @module
 */

/** Where a connection waits whose messages have all been short, in bytes. */
export const MIN_READ_BYTES = 256;
/** Size that every connection may have, and the first one, in bytes. */
export const FIRST_READ_BYTES = 1_024;
/** Largest buffer for one read, in bytes. */
export const MAX_READ_BYTES = 262_144;
/** Largest buffer once the budget is spent, in bytes. */
export const THRIFTY_READ_BYTES = 8_192;
/** What all buffers above {@linkcode FIRST_READ_BYTES} may add up to, in bytes. */
export const READ_BUDGET_BYTES = 33_554_432;
const MAX_SPARE_BYTES = 4_194_304;

/** A buffer for reads; always backed by an array buffer of its own. */
export type ReadBuffer = Uint8Array<ArrayBuffer>;

/** Spare buffers by the binary logarithm of their size. */
const spares: ReadBuffer[][] = Array.from({ length: 19 }, () => []);
let spareBytes = 0;
let usedBytes = 0;

/** Bytes of the budget in use; for tests. */
export function readBudgetUsedBytes(): number {
  return usedBytes;
}

/**
 * Takes a buffer.
 *
 * @param size Size wanted, in bytes: a power of two from
 * {@linkcode MIN_READ_BYTES} to {@linkcode MAX_READ_BYTES}.
 * @returns A buffer of that size or, when the budget is spent, a smaller one.
 * It holds whatever it held before.
 */
export function takeReadBuffer(size: number): ReadBuffer {
  if (
    size > THRIFTY_READ_BYTES && usedBytes + size > READ_BUDGET_BYTES
  ) size = THRIFTY_READ_BYTES;
  if (size > FIRST_READ_BYTES) usedBytes += size;
  const spare = spares[31 - Math.clz32(size)]?.pop();
  if (spare === undefined) return new Uint8Array(size);
  spareBytes -= size;
  return spare;
}

/**
 * Gives a buffer back.
 *
 * @param buffer A buffer from {@linkcode takeReadBuffer} that nobody uses any
 * more.
 */
export function giveReadBuffer(buffer: ReadBuffer): void {
  dropReadBuffer(buffer);
  const size = buffer.length;
  if (spareBytes + size > MAX_SPARE_BYTES) return;
  spareBytes += size;
  spares[31 - Math.clz32(size)]?.push(buffer);
}

/**
 * Gives a buffer up that somebody may still use, such as a read that was cancelled.
 *
 * @param buffer A buffer from {@linkcode takeReadBuffer}.
 */
export function dropReadBuffer(buffer: ReadBuffer): void {
  if (buffer.length > FIRST_READ_BYTES) usedBytes -= buffer.length;
}

/**
 * Says how large the next read should be.
 *
 * @param size Size of the buffer of the read before, in bytes.
 * @param count Bytes that it brought.
 * @param burst Bytes that this read and the full ones just before it brought;
 * negative if the first read was among them.
 * @returns A size for {@linkcode takeReadBuffer}.
 */
export function nextReadSize(
  size: number,
  count: number,
  burst: number,
): number {
  if (count === size) return Math.min(size * 4, MAX_READ_BYTES);
  const least = burst < 0 || size === MIN_READ_BYTES
    ? MIN_READ_BYTES
    : FIRST_READ_BYTES;
  if (burst < least) return least;
  return Math.min(1 << (32 - Math.clz32(burst)), MAX_READ_BYTES);
}
