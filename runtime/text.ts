/**
 * Bytes to strings and back, faster than `TextDecoder` and `TextEncoder`.
 *
 * `Buffer`'s own slicing methods work on any `Uint8Array`, take their range as
 * numbers (no view has to be made), and cost about a sixth of
 * `TextDecoder.decode` for 16 to 64 bytes on Deno, about half on Bun.
 *
 * @module
 */

import { Buffer, isUtf8 as nativeIsUtf8 } from "node:buffer";

type Slice = (this: Uint8Array, start: number, end: number) => string;
type Write = (
  this: Uint8Array,
  text: string,
  at: number,
  maxBytes: number,
) => number;

// All three runtimes have these methods; the type packages leave them out.
const { latin1Slice, utf8Slice, utf8Write } = Buffer.prototype as unknown as {
  readonly latin1Slice: Slice;
  readonly utf8Slice: Slice;
  readonly utf8Write: Write;
};

/**
 * Reads bytes as Latin-1, which is right for ASCII.
 *
 * @param bytes Where the text is; not kept.
 * @param start Index of the first byte.
 * @param end Index after the last byte, at most `bytes.length`.
 * @returns One character for each byte.
 */
export function decodeLatin1(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  return latin1Slice.call(bytes, start, end);
}

/**
 * Reads bytes as UTF-8, what is invalid as U+FFFD. A byte order mark is kept, as
 * RFC 6455, section 5.6, asks of a text message.
 *
 * Faster than `TextDecoder` up to some hundred bytes: it needs no view.
 *
 * @param bytes Where the text is; not kept.
 * @param start Index of the first byte.
 * @param end Index after the last byte, at most `bytes.length`.
 * @returns The text.
 */
export function decodeUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  return utf8Slice.call(bytes, start, end);
}

const decoder = new TextDecoder();

/**
 * Tells whether bytes are valid UTF-8.
 *
 * Deno's own takes ten times as long as to decode (1.1 ms against 0.12 for 256 KiB
 * of characters of all widths); only a text with U+FFFD in it needs it.
 */
export const isUtf8: (bytes: Uint8Array) => boolean = "Deno" in globalThis
  ? (bytes) => !decoder.decode(bytes).includes("\ufffd") || nativeIsUtf8(bytes)
  : nativeIsUtf8;

function write(text: string, target: Uint8Array, at: number): number {
  const room = target.length - at;
  const count = utf8Write.call(target, text, at, room);
  // The method does not tell whether it stopped early; where a character of the
  // longest kind would have fitted, it did not.
  return room - count >= 4 ? count : -1;
}

/**
 * Writes a text as UTF-8, a lone surrogate as U+FFFD, and returns the count of
 * bytes, or -1 where there may not have been enough room.
 *
 * For 64 characters it takes 24 ns on Bun and 40 on Node, where `encodeInto` takes
 * 67 and 70; absent on Deno, where that is the other way round (124 and 87).
 */
export const writeUtf8:
  | ((text: string, target: Uint8Array, at: number) => number)
  | undefined = "Deno" in globalThis ? undefined : write;
