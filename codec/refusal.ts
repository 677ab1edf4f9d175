/**
 * Why a server refuses a request, and what it answers.
 *
 * The texts are neutral: they name the rule, never what was received, a path, a
 * version or a stack.
 *
 * @module
 */

import type { HeaderFields } from "./header.ts";
import { encodeResponseHead } from "./http_encode.ts";

/** Status and text for each reason to refuse a request. */
export const REFUSALS = {
  /** A line ends with a bare CR or a bare LF (RFC 9112, section 2.2). */
  "bad-line-ending": { status: 400, text: "Lines must end with CR LF." },
  /** The head holds a control character (RFC 9110, section 5.5). */
  "bad-character": { status: 400, text: "Control character in the request." },
  /** The request line is malformed (RFC 9112, section 3). */
  "bad-request-line": { status: 400, text: "Malformed request line." },
  /** The request target is not a path or a URL (RFC 9112, section 3.2). */
  "bad-target": { status: 400, text: "Malformed request target." },
  /** The request line is longer than `maxStartLineBytes`. */
  "start-line-too-long": { status: 414, text: "The request line is too long." },
  /** The version is not HTTP/1.1 (RFC 6455, section 4.2.1). */
  "bad-http-version": { status: 505, text: "HTTP/1.1 is required." },
  /** A header has no name, or one that is not a token (RFC 9112, section 5.1). */
  "bad-header-name": { status: 400, text: "Malformed header name." },
  /** A header continues on a second line (RFC 9112, section 5.2). */
  "folded-header": { status: 400, text: "Headers must not be folded." },
  /** A header line is longer than `maxHeaderLineBytes`. */
  "header-too-long": { status: 431, text: "A header is too long." },
  /** There are more headers than `maxHeaders`. */
  "too-many-headers": { status: 431, text: "There are too many headers." },
  /** The head is longer than `maxHeadBytes`. */
  "head-too-long": { status: 431, text: "The headers are too long." },
  /** The head was not complete in time. */
  "head-timeout": { status: 408, text: "The request took too long." },
  /** The method is not GET (RFC 6455, section 4.2.1). */
  "bad-method": { status: 405, text: "The method must be GET." },
  /** `Host` is missing, is there twice, or is malformed (RFC 9112, section 3.2). */
  "bad-host": { status: 400, text: "One valid Host header is required." },
  /** The request announces a body, which would be taken for frames. */
  "body-not-allowed": {
    status: 400,
    text: "A WebSocket request has no body.",
  },
  /** The request waits for an interim response (RFC 9110, section 10.1.1). */
  "expectation-failed": { status: 417, text: "Expect is not supported here." },
  /** An ordinary request to a WebSocket's path (RFC 9110, section 15.5.22). */
  "not-an-upgrade": { status: 426, text: "This is a WebSocket endpoint." },
  /** `Sec-WebSocket-Version` is not 13 (RFC 6455, section 4.4). */
  "bad-version": { status: 426, text: "WebSocket version 13 is required." },
  /** `Sec-WebSocket-Key` is not 16 bytes in base64 (RFC 6455, section 4.2.1). */
  "bad-key": { status: 400, text: "Invalid Sec-WebSocket-Key." },
  /** `Sec-WebSocket-Protocol` is malformed (RFC 6455, section 4.1). */
  "bad-subprotocol": { status: 400, text: "Invalid Sec-WebSocket-Protocol." },
  /** `Sec-WebSocket-Extensions` is malformed (RFC 6455, section 9.1). */
  "bad-extension": { status: 400, text: "Invalid Sec-WebSocket-Extensions." },
  /** What trusted proxies say of the client is malformed (RFC 7239, section 4). */
  "bad-forwarded": { status: 400, text: "Malformed forwarding headers." },
  /** There are two `Origin` headers (RFC 6454, section 7.3). */
  "bad-origin": { status: 400, text: "One Origin header at most." },
  /** The origin is not one that the site serves. */
  "origin-not-allowed": { status: 403, text: "This origin is not allowed." },
  /** A subprotocol is required, and the client offers none of ours. */
  "no-common-subprotocol": {
    status: 400,
    text: "One of the endpoint's subprotocols is required.",
  },
  /** The client's address has `maxConnectionsPerAddress` connections. */
  "too-many-from-address": {
    status: 429,
    text: "Too many connections from this address.",
  },
  /** The site has `maxConnections` connections. */
  "too-many-connections": { status: 503, text: "Too many connections." },
  /** No handler for the path. */
  "not-found": { status: 404, text: "Not found." },
  /** The handler failed before it decided. */
  "handler-failed": { status: 500, text: "Internal error." },
  /** The handler did not decide in time. */
  "handler-late": { status: 503, text: "The handler took too long." },
  /** The server is going away. */
  "shutting-down": { status: 503, text: "The server is shutting down." },
} as const;

/** Names of the reasons to refuse a request. */
export type RefusalReason = keyof typeof REFUSALS;

/** A request that is refused, and the answer. */
export interface Refusal {
  /** Which rule. */
  readonly reason: RefusalReason;
  /** HTTP status. */
  readonly status: number;
  /** Body for people. */
  readonly text: string;
  /** Headers that belong to the status, such as `Allow`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const UPGRADE = [["Upgrade", "websocket"]] as const;
const VERSION = [...UPGRADE, ["Sec-WebSocket-Version", "13"]] as const;
/** When to try again, in seconds. */
const RETRY = [["Retry-After", "10"]] as const;

/** Headers that belong to a reason. */
const HEADERS: Readonly<Partial<Record<RefusalReason, Refusal["headers"]>>> = {
  "bad-method": [["Allow", "GET"]],
  "not-an-upgrade": UPGRADE,
  "bad-version": VERSION,
  "too-many-from-address": RETRY,
  "too-many-connections": RETRY,
};

/** Makes the refusal for a reason. */
export function refuse(reason: RefusalReason): Refusal {
  return { reason, ...REFUSALS[reason], headers: HEADERS[reason] ?? [] };
}

/** What {@linkcode encodeRefusal} sends. A {@linkcode Refusal} is one. */
export interface RefusalResponse {
  /** HTTP status. */
  readonly status: number;
  /** Body for people. */
  readonly text: string;
  /** More headers. */
  readonly headers?: HeaderFields;
}

/**
 * Encodes a complete response that ends the connection.
 *
 * There is no `Date`, since the codec knows no time.
 *
 * @param response What to answer.
 * @param method Method of the request: the answer to `HEAD` has no body.
 * @returns A new array.
 * @throws {TypeError} If a header may not be sent.
 */
export function encodeRefusal(
  response: RefusalResponse,
  method?: string,
): Uint8Array {
  const body = new TextEncoder().encode(`${response.text}\n`);
  const extra = [...response.headers ?? []];
  const isUpgrade = extra.some(([name]) => name.toLowerCase() === "upgrade");
  const head = encodeResponseHead({
    status: response.status,
    headers: [
      ...extra,
      // RFC 9110, section 7.8: "A sender of Upgrade MUST also send an
      // 'Upgrade' connection option in the Connection header field".
      ["Connection", isUpgrade ? "Upgrade, close" : "close"],
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Content-Length", `${body.length}`],
    ],
  });
  if (method === "HEAD") return head;
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}
