/**
 * Writing HTTP/1.1 heads (RFC 9112).
 *
 * What an application passes in is checked here, so that nothing it was tricked
 * into passing can end a line or start another response.
 *
 * @module
 */

import {
  formatHeader,
  type HeaderFields,
  isHeaderValue,
  isToken,
} from "./header.ts";

/** What {@linkcode encodeRequestHead} writes. */
export interface RequestHeadFields {
  /** Method, a token. */
  readonly method: string;
  /** Request target: visible ASCII. */
  readonly target: string;
  /** Header lines that come first, each as `formatHeader` makes it. */
  readonly lines?: string;
  /** Header fields in order. */
  readonly headers?: HeaderFields;
}

/** What {@linkcode encodeResponseHead} writes. */
export interface ResponseHeadFields {
  /** Status, 100 to 999. */
  readonly status: number;
  /** Reason phrase; the usual one where absent. */
  readonly statusText?: string;
  /** Header fields in order. */
  readonly headers?: HeaderFields;
}

/** Reason phrases of the statuses that a WebSocket server answers with. */
const STATUS_TEXTS: ReadonlyMap<number, string> = new Map([
  [101, "Switching Protocols"],
  [200, "OK"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [408, "Request Timeout"],
  [414, "URI Too Long"],
  [417, "Expectation Failed"],
  [426, "Upgrade Required"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
  [505, "HTTP Version Not Supported"],
]);

/**
 * Encodes a request line and its headers, with the empty line after them.
 *
 * @returns A new array.
 * @throws {TypeError} If the method, the target, a name or a value may not be
 * sent.
 */
export function encodeRequestHead(head: RequestHeadFields): Uint8Array {
  const { method, target } = head;
  if (!isToken(method)) {
    throw new TypeError(
      `Cannot send the request: invalid method ${JSON.stringify(method)}`,
    );
  }
  if (!isTarget(target)) {
    throw new TypeError(
      `Cannot send the request: invalid target ${JSON.stringify(target)}`,
    );
  }
  const start = `${method} ${target} HTTP/1.1\r\n${head.lines ?? ""}`;
  return encode(start, head.headers ?? []);
}

/**
 * Encodes a status line and its headers, with the empty line after them.
 *
 * @returns A new array.
 * @throws {RangeError} If the status is not an integer from 100 to 999.
 * @throws {TypeError} If the reason phrase, a name or a value may not be sent.
 */
export function encodeResponseHead(head: ResponseHeadFields): Uint8Array {
  const { status, statusText = STATUS_TEXTS.get(status) ?? "" } = head;
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`Cannot send the response: invalid status ${status}`);
  }
  if (!isHeaderValue(statusText)) {
    throw new TypeError(
      `Cannot send the response: invalid reason ${JSON.stringify(statusText)}`,
    );
  }
  return encode(`HTTP/1.1 ${status} ${statusText}\r\n`, head.headers ?? []);
}

/** Whether `text` is not empty and consists of visible ASCII characters. */
function isTarget(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function encode(startLine: string, fields: HeaderFields): Uint8Array {
  let text = startLine;
  for (const [name, value] of fields) text += formatHeader(name, value);
  text += "\r\n";
  // Not TextEncoder: a header value is Latin-1.
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
