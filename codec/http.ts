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
} from "./head_scanner.ts";
import type { HeaderList } from "./header_list.ts";
import { type Refusal, refuse } from "./refusal.ts";
import {
  type HttpVersion,
  RequestLine,
  type RequestLineFault,
  StatusLine,
  type StatusLineFault,
} from "./start_line.ts";

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
    const { status, version, textStart, end } = this.#line;
    if (status === 101 || status >= 200) {
      const text = this.#scanner.decodeStart();
      const statusText = text.slice(textStart, end);
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
