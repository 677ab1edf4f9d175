/**
 * Strings made of bytes.
 *
 * @module
 */

import { type Utf8Check, Utf8Validator } from "./utf8.ts";

/** Makes strings of bytes. A runtime may offer faster ones. */
export interface TextDecoding {
  /** Decodes bytes that are all below 0x80. */
  ascii(bytes: Uint8Array, start: number, end: number): string;
  /**
   * Decodes UTF-8, keeping a byte order mark.
   *
   * @returns The text, or `undefined` where the bytes are not valid.
   */
  utf8(bytes: Uint8Array, start: number, end: number): string | undefined;
  /** Checks long parts of a text as they arrive. */
  readonly isUtf8?: Utf8Check;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes with the platform's `TextDecoder`. */
export const plainDecoding: TextDecoding = {
  ascii: (bytes, start, end) => decoder.decode(bytes.subarray(start, end)),
  utf8(bytes, start, end) {
    const text = decoder.decode(bytes.subarray(start, end));
    // Whatever is invalid becomes U+FFFD, so that a text without one is valid: to
    // look for it costs a tenth of checking the bytes, or of a `fatal` decoder.
    if (!text.includes("\ufffd")) return text;
    const validator = new Utf8Validator();
    const valid = validator.push(bytes, start, end) && validator.complete;
    return valid ? text : undefined;
  },
};
