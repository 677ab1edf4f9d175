/**
 * The first line of a head: of a request, or of a response (RFC 9112, sections 3
 * and 4).
 *
 * @module
 */

import type { StartLine } from "./head_scanner.ts";
import { isTokenCode } from "./header.ts";

/** Versions that are understood enough to be answered. */
export type HttpVersion = "HTTP/1.0" | "HTTP/1.1";

const SPACE = 0x20;
const DEL = 0x7f;
const DIGIT_0 = 0x30;
const HTTP_1_1 = new TextEncoder().encode("HTTP/1.1");
const VERSION_LENGTH = HTTP_1_1.length;

/** What can be wrong with a request line. */
export type RequestLineFault =
  | "bad-request-line"
  | "bad-target"
  | "bad-http-version";

/** `method SP request-target SP HTTP-version` (RFC 9112, section 3). */
export class RequestLine implements StartLine<RequestLineFault> {
  /** What a line is that begins with anything else. */
  readonly fault = "bad-request-line";
  /** Index of the method's first byte. */
  methodStart = 0;
  /** Index after the method, where a space stands before the target. */
  methodEnd = 0;
  /** Index after the target. */
  targetEnd = 0;
  /** Version. */
  version: HttpVersion = "HTTP/1.1";

  /** Whether a method can begin so. */
  canStartWith(byte: number): boolean {
    return isTokenCode(byte);
  }

  /** Reads the line, see {@linkcode StartLine.read}. */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
  ): RequestLineFault | undefined {
    let at = start;
    while (isTokenCode(bytes[at]!)) at++;
    if (bytes[at] !== SPACE) return "bad-request-line";
    this.methodStart = start;
    this.methodEnd = at;

    at = this.targetEnd = end - VERSION_LENGTH - 1;
    if (at <= this.methodEnd + 1 || bytes[at] !== SPACE) {
      return "bad-request-line";
    }
    const version = readVersion(bytes, at + 1);
    if (version === undefined) return "bad-request-line";
    while (--at > this.methodEnd) {
      const byte = bytes[at]!;
      if (byte <= SPACE || byte >= DEL) return "bad-target";
    }
    if (version === "other") return "bad-http-version";
    this.version = version;
    return undefined;
  }
}

/** What can be wrong with a status line. */
export type StatusLineFault = "bad-status-line" | "bad-http-version";

/** `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4). */
export class StatusLine implements StartLine<StatusLineFault> {
  /** What a line is that begins with anything else. */
  readonly fault = "bad-status-line";
  /** Version. */
  version: HttpVersion = "HTTP/1.1";
  /** Status, 100 to 999. */
  status = 0;
  /** Index of the reason phrase's first byte; beyond `end` where there is none. */
  readonly textStart: number = VERSION_LENGTH + 5;
  /** Index after the line. */
  end = 0;

  /** Whether a version can begin so. */
  canStartWith(byte: number): boolean {
    return byte === 0x48; // "H"
  }

  /** Reads the line, see {@linkcode StartLine.read}. */
  read(
    bytes: Uint8Array,
    _start: number,
    end: number,
  ): StatusLineFault | undefined {
    // Read from 0, not from the line's start: the empty line that a server tolerates
    // before a request is not tolerated before a response.
    const codeStart = VERSION_LENGTH + 1;
    const codeEnd = codeStart + 3;
    const version = readVersion(bytes, 0);
    if (version === undefined || bytes[codeStart - 1] !== SPACE) {
      return "bad-status-line";
    }
    if (version === "other") return "bad-http-version";
    for (let at = codeStart; at < codeEnd; at++) {
      const digit = toDigit(bytes[at]!);
      if (digit === undefined) return "bad-status-line";
      this.status = this.status * 10 + digit;
    }
    // The space is due even without a phrase, but many servers leave it out.
    if (this.status < 100 || (codeEnd < end && bytes[codeEnd] !== SPACE)) {
      return "bad-status-line";
    }
    this.version = version;
    this.end = end;
    return undefined;
  }
}

/**
 * Reads `HTTP/d.d` (RFC 9112, section 2.3), in upper case, at `start`.
 *
 * @returns The version, `"other"` for one that is not understood, or
 * `undefined` for something else. What follows the version is not looked at.
 */
function readVersion(
  bytes: Uint8Array,
  start: number,
): HttpVersion | "other" | undefined {
  for (let at = 0; at < VERSION_LENGTH; at++) {
    const byte = bytes[start + at]!;
    const isDigit = at === 5 || at === 7;
    if (isDigit ? toDigit(byte) === undefined : byte !== HTTP_1_1[at]) {
      return undefined;
    }
  }
  if (bytes[start + 5] !== HTTP_1_1[5]) return "other";
  const minor = toDigit(bytes[start + 7]!);
  return minor === 1 ? "HTTP/1.1" : minor === 0 ? "HTTP/1.0" : "other";
}

function toDigit(byte: number): number | undefined {
  const digit = byte - DIGIT_0;
  return digit >= 0 && digit <= 9 ? digit : undefined;
}
