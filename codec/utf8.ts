/**
 * UTF-8, checked as the bytes arrive (RFC 6455, section 8.1; RFC 3629).
 *
 * @module
 */

/**
 * Checks a text that arrives in pieces, and fails at the first byte that
 * cannot be part of it.
 *
 * @example
 * ```ts
 * import { Utf8Validator } from "@sockeye/sockeye/codec";
 * import { strictEqual } from "node:assert";
 *
 * const validator = new Utf8Validator();
 * strictEqual(validator.push(Uint8Array.of(0xe2, 0x82), 0, 2), true);
 * strictEqual(validator.complete, false); // "€" lacks its last byte
 * strictEqual(validator.push(Uint8Array.of(0xac), 0, 1), true);
 * strictEqual(validator.complete, true);
 * ```
 */
export class Utf8Validator {
  /** Continuation bytes that the character under way still lacks. */
  #missing = 0;
  // Bounds of the next continuation byte. Only the first one after the lead
  // has bounds other than 0x80 to 0xbf: they are what excludes overlong forms,
  // surrogates, and code points above U+10FFFF.
  #lowest = 0x80;
  #highest = 0xbf;

  /** Whether the text so far ends with a whole character. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Forgets the text so far. */
  reset(): void {
    this.#missing = 0;
    this.#lowest = 0x80;
    this.#highest = 0xbf;
  }

  /**
   * Takes the next piece.
   *
   * @param bytes Array that holds the piece; only read.
   * @param start Index of its first byte.
   * @param end Index after its last byte.
   * @returns `false` when the text is invalid, whatever may follow.
   */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let index = start;
    while (index < end) {
      const byte = bytes[index++]!;
      if (this.#missing === 0) {
        if (byte >= 0x80 && !this.#lead(byte)) return false;
      } else {
        if (byte < this.#lowest || byte > this.#highest) return false;
        this.#missing--;
        this.#lowest = 0x80;
        this.#highest = 0xbf;
      }
    }
    return true;
  }

  #lead(byte: number): boolean {
    if (byte < 0xc2) return false; // a stray continuation, or overlong
    if (byte < 0xe0) {
      this.#missing = 1;
    } else if (byte < 0xf0) {
      this.#missing = 2;
      if (byte === 0xe0) this.#lowest = 0xa0; // below: overlong
      if (byte === 0xed) this.#highest = 0x9f; // above: surrogates
    } else if (byte < 0xf5) {
      this.#missing = 3;
      if (byte === 0xf0) this.#lowest = 0x90; // below: overlong
      if (byte === 0xf4) this.#highest = 0x8f; // above: over U+10FFFF
    } else {
      return false;
    }
    return true;
  }
}
