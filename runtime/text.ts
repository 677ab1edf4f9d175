/**
 * Bytes to strings, faster than `TextDecoder` for short texts.
 *
 * `Buffer`'s own slicing methods work on any `Uint8Array`, take their range as
 * numbers (no view has to be made), and cost about a sixth of
 * `TextDecoder.decode` for 16 to 64 bytes on Deno, about half on Bun.
 *
 * @module
 */
import { Buffer } from "node:buffer";

type Slice = (this: Uint8Array, start: number, end: number) => string;

// All three runtimes have these two methods; the type packages leave them out.
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as {
  readonly latin1Slice: Slice;
  readonly utf8Slice: Slice;
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
 * Reads bytes as UTF-8. A byte order mark is kept, as RFC 6455, section 5.6,
 * asks of a text message.
 *
 * @param bytes Where the text is; not kept. The caller has made sure that it
 * is valid: what is not would come out as U+FFFD.
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
