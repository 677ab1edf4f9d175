/**
 * Texts written as UTF-8 where they leave from.
 *
 * @module
 */

/** Up to here a loop over `charCodeAt` beats `encodeInto` on V8. */
const SHORT_TEXT_LENGTH = 48;

const encoder = new TextEncoder();

/**
 * Writes a text as UTF-8; a lone surrogate becomes U+FFFD. A runtime may offer a
 * faster one.
 *
 * @param text Text.
 * @param target Array to write, from `at` to its end.
 * @param at Index of the first byte.
 * @returns Count of bytes, or -1 where there may not have been enough room.
 */
export type TextWriter = (
  text: string,
  target: Uint8Array,
  at: number,
) => number;

/**
 * Writes with the platform's `TextEncoder`: a {@linkcode TextWriter}.
 *
 * @param text Text.
 * @param target Array to write, from `at` to its end.
 * @param at Index of the first byte.
 * @returns Count of bytes, or -1 where there was not enough room.
 */
export function plainWriter(
  text: string,
  target: Uint8Array,
  at: number,
): number {
  const isShort = text.length <= SHORT_TEXT_LENGTH &&
    text.length <= target.length - at;
  const ascii = isShort ? writeAscii(target, at, text) : -1;
  if (ascii >= 0) return ascii;
  const { read, written } = encoder.encodeInto(text, target.subarray(at));
  return read === text.length ? written : -1;
}

/** Writes a text that turns out to be ASCII; returns its length, or -1. */
function writeAscii(target: Uint8Array, at: number, text: string): number {
  const length = text.length;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return -1;
    target[at + index] = unit;
  }
  return length;
}
