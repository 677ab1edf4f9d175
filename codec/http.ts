/**
 * Reading HTTP/1.1 heads, piece by piece (RFC 9112).
 *
 * No I/O, no exceptions for what a peer sends, and no body: whoever reads a head
 * knows what follows it.
 *
 * @module
 */
import { HandshakeError } from "./handshake_error.ts";
import {
  type HeadFault,
  type HeadLimits,
  HeadScanner,
  type StartLine,
} from "./head_scanner.ts";
import { type HeaderList, isTokenCode } from "./header.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Versions that are understood enough to be answered. */
export type HttpVersion = "HTTP/1.0" | "HTTP/1.1";

/** Request line and headers. */
export interface RequestHead {
  /** Method as sent: case counts. */
  readonly method: string;
  /** Request target as sent: visible ASCII, not yet checked further. */
  readonly target: string;
  /** Version. */
  readonly version: HttpVersion;
  /** Header fields in order. */
  readonly headers: HeaderList;
}

/** Status line and headers. */
export interface ResponseHead {
  /** Version. */
  readonly version: HttpVersion;
  /** Status, 100 to 999. */
  readonly status: number;
  /** Reason phrase, often empty. */
  readonly statusText: string;
  /** Header fields in order. */
  readonly headers: HeaderList;
}

/** Largest count of interim responses before the final one. */
const MAX_INTERIM_RESPONSES = 8;

const SPACE = 0x20;
const DEL = 0x7f;
const DIGIT_0 = 0x30;
const VERSION_LENGTH = "HTTP/1.1".length;

/** Reads one request head. */
export class RequestHeadReader {
  readonly #line = new RequestLine();
  readonly #scanner: HeadScanner<RequestLineFault>;
  #head: RequestHead | undefined;
  #refusal: Refusal | undefined;

  /**
   * Prepares to read one head.
   *
   * @param limits Limits that differ from the defaults.
   */
  constructor(limits?: HeadLimits) {
    this.#scanner = new HeadScanner(this.#line, limits);
  }

  /** The head, once it is complete. */
  get head(): RequestHead | undefined {
    return this.#head;
  }

  /**
   * The answer to a request that is malformed or too long. The reader must then
   * be discarded; it ignores what follows.
   */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /**
   * The bytes of the head so far, for passing the request on to another server.
   * Valid as long as the latest chunk is, and not to be modified.
   */
  get bytes(): Uint8Array {
    return this.#scanner.bytes;
  }

  /**
   * Takes bytes that arrived. Afterwards look at {@linkcode
   * RequestHeadReader.head} and {@linkcode RequestHeadReader.refusal}.
   *
   * @param chunk Bytes of any length. Lent until the call returns; never
   * modified.
   * @returns Once the head is complete, the count of bytes of `chunk` that were
   * its own: the rest belongs to what follows. Until then, and after a failure,
   * `undefined`.
   */
  receive(chunk: Uint8Array): number | undefined {
    const scanner = this.#scanner;
    const taken = scanner.receive(chunk);
    if (taken === undefined) {
      if (scanner.fault !== undefined) {
        this.#refusal ??= refuse(scanner.fault);
      }
    } else if (this.#head === undefined) {
      const text = scanner.decodeStart();
      const { methodStart, methodEnd, targetEnd, version } = this.#line;
      this.#head = {
        method: text.slice(methodStart, methodEnd),
        target: text.slice(methodEnd + 1, targetEnd),
        version,
        headers: scanner.fields(),
      };
    }
    return taken;
  }
}

/**
 * Reads the head of the final response to an upgrade request.
 *
 * Interim responses (1xx) are skipped, at most eight; 101 is final (RFC 9110,
 * section 15.2).
 */
export class ResponseHeadReader {
  readonly #limits: HeadLimits | undefined;
  #line = new StatusLine();
  #scanner: HeadScanner<StatusLineFault>;
  #interimResponses = 0;
  #head: ResponseHead | undefined;
  #error: HandshakeError | undefined;

  /**
   * Prepares to read one response.
   *
   * @param limits Limits that differ from the defaults. They hold for each
   * interim head anew.
   */
  constructor(limits?: HeadLimits) {
    this.#limits = limits;
    this.#scanner = new HeadScanner(this.#line, limits);
  }

  /** The head of the final response, once it is complete. */
  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /** What was wrong. The reader must then be discarded; it ignores what follows. */
  get error(): HandshakeError | undefined {
    return this.#error;
  }

  /**
   * Takes bytes that arrived. Afterwards look at {@linkcode
   * ResponseHeadReader.head} and {@linkcode ResponseHeadReader.error}.
   *
   * @param chunk Bytes of any length. Lent until the call returns; never
   * modified.
   * @returns Once the final head is complete, the count of bytes of `chunk` up
   * to its end: the rest is frames or a body. Until then, and after a failure,
   * `undefined`.
   */
  receive(chunk: Uint8Array): number | undefined {
    let offset = 0;
    while (this.#error === undefined) {
      const taken = this.#scanner.receive(chunk.subarray(offset));
      if (taken === undefined) break;
      offset += taken;
      if (this.#head !== undefined || this.#takeHead()) return offset;
    }
    const { fault } = this.#scanner;
    if (fault !== undefined) this.#error ??= toError(fault);
    return undefined;
  }

  /** Keeps a final head. Skips another, and prepares for the next. */
  #takeHead(): boolean {
    const { status, version, end } = this.#line;
    if (status === 101 || status >= 200) {
      const text = this.#scanner.decodeStart();
      const statusText = text.slice(VERSION_LENGTH + 5, end);
      const headers = this.#scanner.fields();
      this.#head = { version, status, statusText, headers };
      return true;
    }
    if (++this.#interimResponses > MAX_INTERIM_RESPONSES) {
      this.#error = new HandshakeError(
        "too-many-interim-responses",
        `More than ${MAX_INTERIM_RESPONSES} interim responses`,
      );
    }
    this.#line = new StatusLine();
    this.#scanner = new HeadScanner(this.#line, this.#limits);
    return false;
  }
}

function toError(fault: HeadFault | StatusLineFault): HandshakeError {
  switch (fault) {
    case "start-line-too-long":
    case "header-too-long":
    case "too-many-headers":
    case "head-too-long":
      return new HandshakeError(
        "response-head-too-big",
        `The head of the response exceeds a limit: ${fault}`,
      );
    default:
      return new HandshakeError(
        "malformed-response",
        `The head of the response is malformed: ${fault}`,
      );
  }
}

type RequestLineFault = "bad-request-line" | "bad-target" | "bad-http-version";

/** `method SP request-target SP HTTP-version` (RFC 9112, section 3). */
class RequestLine implements StartLine<RequestLineFault> {
  readonly fault = "bad-request-line";
  methodStart = 0;
  methodEnd = 0;
  targetEnd = 0;
  version: HttpVersion = "HTTP/1.1";

  canStartWith(byte: number): boolean {
    return isTokenCode(byte);
  }

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

type StatusLineFault = "bad-status-line" | "bad-http-version";

/** `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112, section 4). */
class StatusLine implements StartLine<StatusLineFault> {
  readonly fault = "bad-status-line";
  version: HttpVersion = "HTTP/1.1";
  status = 0;
  end = 0;

  canStartWith(byte: number): boolean {
    return byte === 0x48; // "H"
  }

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

const HTTP_1_1 = new TextEncoder().encode("HTTP/1.1");

function toDigit(byte: number): number | undefined {
  const digit = byte - DIGIT_0;
  return digit >= 0 && digit <= 9 ? digit : undefined;
}
