/**
 * The part that request and response heads share: lines, header fields and
 * limits (RFC 9112, sections 2.2 and 5).
 *
 * Bytes come in chunks of any size. Each is looked at once, a head that
 * arrives in one chunk is not copied, and one that does not is kept in a buffer
 * that never outgrows the limit. The grammar is the strict one: where RFC 9112
 * lets a recipient be lenient, two recipients in a row may read the same bytes
 * differently, which is how requests are smuggled.
 *
 * @module
 */

import { isOws, isTokenCode } from "./header.ts";
import { HeaderList } from "./header_list.ts";

/** Limits of an HTTP head. */
export interface HeadLimits {
  /**
   * Longest request or status line, in bytes without its CRLF.
   *
   * @default {8_192}
   */
  readonly maxStartLineBytes?: number;
  /**
   * Longest header line, in bytes without its CRLF.
   *
   * @default {8_192}
   */
  readonly maxHeaderLineBytes?: number;
  /**
   * Largest count of header lines.
   *
   * @default {128}
   */
  readonly maxHeaders?: number;
  /**
   * Longest head, in bytes, from its first to the end of its empty line. It is
   * also the most that is ever kept of it.
   *
   * @default {16_384}
   */
  readonly maxHeadBytes?: number;
}

/** What can be wrong with a head beside its first line. */
export type HeadFault =
  | "bad-line-ending"
  | "bad-character"
  | "start-line-too-long"
  | "bad-header-name"
  | "folded-header"
  | "header-too-long"
  | "too-many-headers"
  | "head-too-long";

/** The grammar of a request line or of a status line. */
export interface StartLine<LineFault extends string> {
  /** What a line is that cannot even begin like one. */
  readonly fault: LineFault;
  /** Whether a line can start with this byte. */
  canStartWith(byte: number): boolean;
  /**
   * Reads `bytes` from `start` to `end`, the line without its CRLF.
   *
   * @returns What is wrong with it, or `undefined`.
   */
  read(bytes: Uint8Array, start: number, end: number): LineFault | undefined;
}

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DEL = 0x7f;

const FIRST_BUFFER_BYTES = 1024;
const NO_BYTES = new Uint8Array(0);
const asciiDecoder = new TextDecoder();

/** Cuts a head into its lines, and its header lines into fields. */
export class HeadScanner<LineFault extends string> {
  readonly #startLine: StartLine<LineFault>;
  readonly #maxStartLineBytes: number;
  readonly #maxHeaderLineBytes: number;
  readonly #maxHeaders: number;
  readonly #maxHeadBytes: number;

  /** What came in; the first chunk itself while there is only one. */
  #bytes: Uint8Array = NO_BYTES;
  /** Count of bytes in `#bytes` that are the head's. */
  #length = 0;
  /** Next byte to look at. */
  #at = 0;
  #lineStart = 0;
  /** Whether the start line has been read. */
  #inFields = false;
  /** Where the first field begins, once the start line has been read. */
  #fieldsStart = 0;
  /** All bytes so far, or-ed: tells whether there is one beyond ASCII. */
  #union = 0;
  #offsets: number[] = [];
  #isComplete = false;
  #fault: HeadFault | LineFault | undefined;

  /**
   * Prepares to read one head.
   *
   * @param startLine Grammar of the first line; told to read it once.
   * @param limits Limits that differ from the defaults.
   */
  constructor(startLine: StartLine<LineFault>, limits: HeadLimits = {}) {
    this.#startLine = startLine;
    this.#maxStartLineBytes = limits.maxStartLineBytes ?? 8_192;
    this.#maxHeaderLineBytes = limits.maxHeaderLineBytes ?? 8_192;
    this.#maxHeaders = limits.maxHeaders ?? 128;
    this.#maxHeadBytes = limits.maxHeadBytes ?? 16_384;
  }

  /** What is wrong with the head; the scanner must then be discarded. */
  get fault(): HeadFault | LineFault | undefined {
    return this.#fault;
  }

  /**
   * The bytes taken so far. Valid as long as the latest chunk is, and not to be
   * modified.
   */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Takes bytes that arrived.
   *
   * @param chunk Lent until the call returns; what must be kept is copied.
   * @returns Once the head is complete, the count of bytes of `chunk` that were
   * its own; until then, and after a fault, `undefined`.
   */
  receive(chunk: Uint8Array): number | undefined {
    if (this.#fault !== undefined) return undefined;
    if (this.#isComplete) return 0;
    const before = this.#length;
    const taken = Math.min(chunk.length, this.#maxHeadBytes - before);
    const isOnly = before === 0;
    if (isOnly) this.#bytes = chunk;
    else this.#append(chunk, taken);
    this.#length = before + taken;

    if (this.#scan()) {
      this.#length = this.#at;
      return this.#at - before;
    }
    if (this.#fault === undefined && this.#length === this.#maxHeadBytes) {
      this.#fault = "head-too-long";
    }
    if (isOnly) this.#bytes = this.#copy(chunk, taken);
    return undefined;
  }

  /** Decodes what comes before the fields, as Latin-1. */
  decodeStart(): string {
    return this.#decode(0, this.#fieldsStart);
  }

  /**
   * Makes the list of fields of a complete head. Its text is that of the fields
   * alone, so that who keeps the list keeps no more.
   */
  fields(): HeaderList {
    // A slice has no spare capacity, which push() leaves in the original.
    const offsets = this.#offsets.slice();
    const start = this.#fieldsStart;
    const length = offsets[offsets.length - 1] ?? 0;
    return new HeaderList(this.#decode(start, start + length), offsets);
  }

  #decode(start: number, end: number): string {
    const bytes = this.#bytes.subarray(start, end);
    // The native decoder is the fastest, but what it calls "latin1" is
    // windows-1252, so it serves for ASCII alone.
    if (this.#union < 0x80) return asciiDecoder.decode(bytes);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }

  /** Looks at the lines that are complete. Returns whether the head is. */
  #scan(): boolean {
    const bytes = this.#bytes;
    const end = this.#length;
    while (this.#fault === undefined && !this.#isComplete) {
      const stop = this.#findControl(bytes, end);
      this.#at = stop;
      if (this.#checkLength(stop) || stop === end) break;
      if (bytes[stop] !== CR) {
        this.#fault = bytes[stop] === LF ? "bad-line-ending" : "bad-character";
        break;
      }
      if (stop + 1 === end) break;
      // RFC 9112, section 2.2: a bare CR is "invalid or replaced with SP".
      if (bytes[stop + 1] !== LF) {
        this.#fault = "bad-line-ending";
        break;
      }
      this.#readLine(bytes, stop);
      this.#at = this.#lineStart = stop + 2;
    }
    return this.#isComplete;
  }

  /** Finds the next control character other than HTAB, or the end. */
  #findControl(bytes: Uint8Array, end: number): number {
    let at = this.#at;
    let union = this.#union;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte < SPACE ? byte !== HTAB : byte === DEL) break;
      union |= byte;
    }
    this.#union = union;
    return at;
  }

  /** Checks a line, complete or not, that reaches up to `end` so far. */
  #checkLength(end: number): boolean {
    const length = end - this.#lineStart;
    if (this.#inFields) {
      if (length > this.#maxHeaderLineBytes) this.#fault = "header-too-long";
    } else if (length > 0) {
      const first = this.#bytes[this.#lineStart]!;
      if (!this.#startLine.canStartWith(first)) {
        this.#fault = this.#startLine.fault;
      } else if (length > this.#maxStartLineBytes) {
        this.#fault = "start-line-too-long";
      }
    }
    return this.#fault !== undefined;
  }

  #readLine(bytes: Uint8Array, end: number): void {
    const start = this.#lineStart;
    if (this.#inFields) {
      if (end === start) this.#isComplete = true;
      else this.#fault = this.#readField(bytes, start, end);
    } else if (end > 0) {
      this.#inFields = true;
      this.#fieldsStart = end + 2;
      this.#fault = this.#startLine.read(bytes, start, end);
    }
    // Else: RFC 9112, section 2.2: a server "SHOULD ignore at least one empty
    // line (CRLF) received prior to the request-line". One it is.
  }

  #readField(
    bytes: Uint8Array,
    start: number,
    end: number,
  ): HeadFault | undefined {
    if (this.#offsets.length === this.#maxHeaders * 4) {
      return "too-many-headers";
    }
    let nameEnd = start;
    while (isTokenCode(bytes[nameEnd]!)) nameEnd++;
    // RFC 9112, section 5.1: "No whitespace is allowed between the field name
    // and colon": such a request MUST be answered with 400.
    if (nameEnd === start || bytes[nameEnd] !== COLON) {
      return isOws(bytes[start]!) ? "folded-header" : "bad-header-name";
    }
    let valueStart = nameEnd + 1;
    let valueEnd = end;
    while (valueStart < end && isOws(bytes[valueStart]!)) valueStart++;
    while (valueEnd > valueStart && isOws(bytes[valueEnd - 1]!)) valueEnd--;
    const base = this.#fieldsStart;
    this.#offsets.push(
      start - base,
      nameEnd - base,
      valueStart - base,
      valueEnd - base,
    );
    return undefined;
  }

  #append(chunk: Uint8Array, taken: number): void {
    const needed = this.#length + taken;
    if (needed > this.#bytes.length) {
      this.#bytes = this.#copy(this.bytes, needed);
    }
    this.#bytes.set(chunk.subarray(0, taken), this.#length);
  }

  /** Copies bytes into a buffer with room for `needed`, and as much again. */
  #copy(bytes: Uint8Array, needed: number): Uint8Array {
    const room = Math.max(needed * 2, FIRST_BUFFER_BYTES);
    const copy = new Uint8Array(Math.min(room, this.#maxHeadBytes));
    copy.set(bytes.subarray(0, needed));
    return copy;
  }
}
