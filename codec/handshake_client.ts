/**
 * The client's side of the opening handshake (RFC 6455, section 4.1).
 *
 * @module
 */

import { checkDeflateAnswer, type DeflateAgreement } from "./deflate.ts";
import {
  type Extension,
  formatExtensions,
  parseExtensions,
} from "./extension.ts";
import {
  acceptFor,
  checkApplicationHeaders,
  isHandshakeKey,
} from "./handshake.ts";
import {
  DIAL_FAILURES,
  type DialFailureReason,
  HandshakeError,
} from "./handshake_error.ts";
import {
  equalsIgnoreCase,
  formatHeader,
  hasToken,
  type HeaderFields,
  isToken,
} from "./header.ts";
import type { ResponseHead } from "./http.ts";
import { encodeRequestHead } from "./http_encode.ts";

/** What a client asks for. */
export interface UpgradeRequest {
  /** Where to: `ws:`, `wss:`, `http:` or `https:`. */
  readonly url: URL;
  /** Value of `Sec-WebSocket-Key`, new for each request. */
  readonly key: string;
  /** Subprotocols to offer, in order of preference. */
  readonly subprotocols?: readonly string[] | undefined;
  /** Extensions to offer, in order of preference. */
  readonly extensions?: readonly Extension[] | undefined;
  /** More headers, such as `Authorization`, in order. */
  readonly headers?: HeaderFields | undefined;
}

/** What a response is held against. */
export interface UpgradeExpectation {
  /** The key that was sent. */
  readonly key: string;
  /** The subprotocols that were offered. */
  readonly subprotocols?: readonly string[] | undefined;
  /** The extensions that were offered. */
  readonly extensions?: readonly Extension[] | undefined;
  /**
   * Whether the server must choose a subprotocol.
   *
   * @default {false}
   */
  readonly requireSubprotocol?: boolean | undefined;
  /** First bytes of the body of another response than 101, kept in the error. */
  readonly body?: Uint8Array | undefined;
}

/** What a server agreed to. */
export interface UpgradeAgreement {
  /** Tells agreement from failure. */
  readonly ok: true;
  /** The subprotocol chosen, one of those offered. */
  readonly subprotocol: string | undefined;
  /** The extensions agreed on, each of which was offered. */
  readonly extensions: readonly Extension[];
  /** How messages are compressed, where permessage-deflate is among them. */
  readonly deflate: DeflateAgreement | undefined;
}

/** Why there is no WebSocket. */
export interface UpgradeFailure {
  /** Tells agreement from failure. */
  readonly ok: false;
  /** What was wrong. */
  readonly error: HandshakeError;
}

/** What every request says; checked once, not each time. */
const FIXED_LINES: string = [
  formatHeader("Upgrade", "websocket"),
  formatHeader("Connection", "Upgrade"),
  formatHeader("Pragma", "no-cache"),
  formatHeader("Cache-Control", "no-cache"),
  formatHeader("Sec-WebSocket-Version", "13"),
].join("");

const SCHEMES: readonly string[] = ["ws:", "wss:", "http:", "https:"];

/**
 * Encodes an upgrade request (RFC 6455, section 4.1).
 *
 * User information and fragment of the URL are not sent.
 *
 * @returns A new array.
 * @throws {TypeError} If the scheme, the key, a subprotocol or an extension is
 * not valid, or a header is the handshake's own or may not be sent.
 */
export function encodeUpgradeRequest(request: UpgradeRequest): Uint8Array {
  const { url, key, subprotocols = [], extensions = [] } = request;
  if (!SCHEMES.includes(url.protocol)) {
    throw new TypeError(`Cannot connect: invalid scheme "${url.protocol}"`);
  }
  if (!isHandshakeKey(key)) {
    throw new TypeError("Cannot connect: invalid handshake key");
  }
  // Section 4.1, item 10: the elements are tokens and "MUST all be unique
  // strings".
  const isDistinct = new Set(subprotocols).size === subprotocols.length;
  if (!isDistinct || !subprotocols.every(isToken)) {
    throw new TypeError(
      `Cannot connect: invalid subprotocols ${JSON.stringify(subprotocols)}`,
    );
  }
  const headers = [...request.headers ?? []];
  checkApplicationHeaders(headers, ["host"]);
  const own: [string, string][] = [];
  if (subprotocols.length > 0) {
    own.push(["Sec-WebSocket-Protocol", subprotocols.join(", ")]);
  }
  if (extensions.length > 0) {
    own.push(["Sec-WebSocket-Extensions", formatExtensions(extensions)]);
  }
  return encodeRequestHead({
    method: "GET",
    target: url.pathname + url.search,
    lines: formatHeader("Host", url.host) + FIXED_LINES +
      formatHeader("Sec-WebSocket-Key", key),
    headers: [...own, ...headers],
  });
}

/**
 * Checks the response to an upgrade request (RFC 6455, section 4.1, the list
 * that ends it).
 *
 * @param head Head of the final response.
 * @param expectation What was asked for.
 * @returns What the server agreed to, or the error to fail with.
 */
export function checkUpgradeResponse(
  head: ResponseHead,
  expectation: UpgradeExpectation,
): UpgradeAgreement | UpgradeFailure {
  const result = parseAgreement(head, expectation);
  if (typeof result !== "string") return result;
  const { status, headers } = head;
  const body = status === 101 ? undefined : expectation.body;
  // Nothing that the server sent but the number: messages end up in logs.
  const message = `${DIAL_FAILURES[result]} (status ${status})`;
  const error = new HandshakeError(result, message, { status, headers, body });
  return { ok: false, error };
}

function parseAgreement(
  head: ResponseHead,
  expectation: UpgradeExpectation,
): UpgradeAgreement | DialFailureReason {
  const fault = checkSwitch(head, expectation.key);
  if (fault !== undefined) return fault;
  const { headers } = head;

  // Item 6: a subprotocol "that was not present in the client's handshake"
  // fails the connection. Two lines are joined with a comma, which no
  // subprotocol has.
  const subprotocol = headers.get("sec-websocket-protocol");
  if (subprotocol === undefined) {
    if (expectation.requireSubprotocol) return "subprotocol-required";
  } else if (!expectation.subprotocols?.includes(subprotocol)) {
    return "subprotocol-not-offered";
  }

  // Section 11.3.2: the header "MUST NOT appear more than once in an HTTP
  // response".
  const lines = headers.getAll("sec-websocket-extensions");
  const extensions = lines.length === 0 ? [] : parseExtensions(lines);
  if (extensions === undefined || lines.length > 1) {
    return "malformed-extension";
  }
  // Item 5: an extension "that was not present in the client's handshake".
  const offered = expectation.extensions ?? [];
  for (const { name } of extensions) {
    if (!offered.some((extension) => extension.name === name)) {
      return "extension-not-offered";
    }
  }
  const deflate = checkDeflateAnswer(extensions, offered);
  if (deflate === "extension-not-acceptable") return deflate;
  return { ok: true, subprotocol, extensions, deflate };
}

/** Checks items 1 to 4: whether the server switches to WebSocket. */
function checkSwitch(
  head: ResponseHead,
  key: string,
): DialFailureReason | undefined {
  const { headers } = head;
  if (head.status !== 101) return "bad-status";
  // 101 does not exist in HTTP/1.0 (RFC 9110, section 15.2).
  if (head.version !== "HTTP/1.1") return "malformed-response";
  if (!equalsIgnoreCase(headers.get("upgrade") ?? "", "websocket")) {
    return "bad-upgrade";
  }
  if (!hasToken(headers.getAll("connection"), "upgrade")) {
    return "bad-connection";
  }
  // Two lines are joined with a comma, which no digest has.
  if (headers.get("sec-websocket-accept") !== acceptFor(key)) {
    return "bad-accept";
  }
  return undefined;
}
