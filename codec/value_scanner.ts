/**
 * Reading the value of a structured header: delimiters, tokens and white space (RFC
 * 9110, section 5.6). What a quoted string is differs from header to header.
 *
 * @module
 */

import { isOws, isTokenCode } from "./header.ts";

/** Reads a header value from left to right. */
export class ValueScanner {
  /** Position of the next character. */
  protected at = 0;
  /** The value. */
  protected readonly text: string;

  /** @param text The value. */
  constructor(text: string) {
    this.text = text;
  }

  /** Whether nothing but white space is left. */
  atEnd(): boolean {
    this.skipOws();
    return this.at === this.text.length;
  }

  /** Takes one delimiter, and the white space before it. */
  take(code: number): boolean {
    this.skipOws();
    if (this.code() !== code) return false;
    this.at++;
    return true;
  }

  /** Takes a token, and the white space before it. */
  takeToken(): string | undefined {
    this.skipOws();
    const start = this.at;
    while (isTokenCode(this.code())) this.at++;
    return this.at > start ? this.text.slice(start, this.at) : undefined;
  }

  /** The code at hand; NaN, which is no code at all, past the end. */
  protected code(): number {
    return this.text.charCodeAt(this.at);
  }

  /** Goes behind white space. */
  protected skipOws(): void {
    while (isOws(this.code())) this.at++;
  }
}
