/**
 * The server's side of the opening handshake (RFC 6455, section 4.2).
 *
 * @module
 */

import {
  type Extension,
  formatExtensions,
  parseExtensions,
} from "./extension.ts";
import {
  ACCEPT_LENGTH,
  checkApplicationHeaders,
  isHandshakeKey,
  writeAccept,
} from "./handshake.ts";
import {
  formatHeader,
  hasToken,
  type HeaderFields,
  parseDistinctTokens,
} from "./header.ts";
import type { HeaderList } from "./header_list.ts";
import {
  type Authority,
  isSameHost,
  parseAbsolute,
  parseAuthority,
} from "./host.ts";
import type { RequestHead } from "./http.ts";
import { type Refusal, type RefusalReason, refuse } from "./refusal.ts";

/** A request that asks for a WebSocket as RFC 6455, section 4.2.1, says. */
export interface UpgradeOffer {
  /** Tells an offer from a refusal. */
  readonly ok: true;
  /** Value of `Sec-WebSocket-Key`. */
  readonly key: string;
  /** Host and port that the client believes to talk to. */
  readonly host: Authority;
  /**
   * Path and query as sent, beginning with `/`. It may begin with `//`, so
   * append it to an origin; do not resolve it against one.
   */
  readonly target: string;
  /** Value of `Origin`; judging it is not done here. */
  readonly origin: string | undefined;
  /** Subprotocols in the client's order of preference. */
  readonly subprotocols: readonly string[];
  /** Extensions in the client's order of preference. */
  readonly extensions: readonly Extension[];
}

/** A request that is not one, and the answer to it. */
export interface UpgradeRefusal extends Refusal {
  /** Tells an offer from a refusal. */
  readonly ok: false;
}

/** What a server agrees to. */
export interface UpgradeAnswer {
  /** The subprotocol chosen among those offered. */
  readonly subprotocol?: string | undefined;
  /** Extensions agreed on, with the parameters of the answer. */
  readonly extensions?: readonly Extension[] | undefined;
  /** More headers of the response, such as `Set-Cookie`, in order. */
  readonly headers?: HeaderFields | undefined;
}

/** The 101 response without more headers; the answer to the key is left blank. */
const ANSWER = new TextEncoder().encode(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
    "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
    " ".repeat(ACCEPT_LENGTH) + "\r\n\r\n",
);
/** Where more headers go: before the empty line. */
const MORE_START = ANSWER.length - 2;
const ACCEPT_START = MORE_START - 2 - ACCEPT_LENGTH;

/**
 * Whether a request asks for an upgrade to a WebSocket, well or badly.
 *
 * `Connection` must have the element `upgrade` and `Upgrade` the element
 * `websocket`, in any case and on any line (RFC 6455, section 4.2.1).
 */
export function isUpgrade(head: RequestHead): boolean {
  return hasToken(head.headers.getAll("upgrade"), "websocket") &&
    hasToken(head.headers.getAll("connection"), "upgrade");
}

/**
 * Checks an upgrade request (RFC 6455, section 4.2.1).
 *
 * Stricter than the RFC where leniency would let two servers in a row disagree:
 * no body, no `Expect`, and a `Host` that agrees with an absolute target.
 *
 * @returns What is offered, or the answer that refuses it.
 */
export function checkUpgrade(head: RequestHead): UpgradeOffer | UpgradeRefusal {
  const result = parseOffer(head);
  return typeof result === "string" ? { ok: false, ...refuse(result) } : result;
}

/**
 * Encodes the 101 response (RFC 6455, section 4.2.2, item 5).
 *
 * @param offer What the client offered.
 * @param answer What is agreed to.
 * @returns A new array.
 * @throws {TypeError} If the answer chooses what was not offered, sets a header
 * of the handshake itself, or has a name or value that may not be sent.
 */
export function encodeUpgradeResponse(
  offer: Pick<UpgradeOffer, "key" | "subprotocols" | "extensions">,
  answer: UpgradeAnswer = {},
): Uint8Array {
  const { subprotocol, extensions = [], headers } = answer;
  let more = "";
  if (subprotocol !== undefined) {
    if (!offer.subprotocols.includes(subprotocol)) {
      throw new TypeError(
        `Cannot accept: subprotocol ${
          JSON.stringify(subprotocol)
        } was not offered`,
      );
    }
    more += formatHeader("Sec-WebSocket-Protocol", subprotocol);
  }
  for (const { name } of extensions) {
    if (!offer.extensions.some((offered) => offered.name === name)) {
      throw new TypeError(
        `Cannot accept: extension ${JSON.stringify(name)} was not offered`,
      );
    }
  }
  if (extensions.length > 0) {
    const value = formatExtensions(extensions);
    more += formatHeader("Sec-WebSocket-Extensions", value);
  }
  if (headers !== undefined) more += formatApplicationHeaders([...headers]);
  return encodeAnswer(offer.key, more);
}

function formatApplicationHeaders(
  headers: readonly (readonly [name: string, value: string])[],
): string {
  checkApplicationHeaders(headers);
  return headers.map(([name, value]) => formatHeader(name, value)).join("");
}

/** Encodes the response to a key, with more header lines. */
function encodeAnswer(key: string, more: string): Uint8Array {
  // Most of it is the same for all: a copy costs a tenth of formatting it anew.
  const bytes = new Uint8Array(ANSWER.length + more.length);
  bytes.set(ANSWER);
  writeAccept(key, bytes, ACCEPT_START);
  if (more === "") return bytes;
  const text = `${more}\r\n`;
  // Not TextEncoder: a header value is Latin-1.
  for (let at = 0; at < text.length; at++) {
    bytes[MORE_START + at] = text.charCodeAt(at);
  }
  return bytes;
}

function parseOffer(head: RequestHead): UpgradeOffer | RefusalReason {
  const { headers } = head;
  // RFC 6455, section 4.2.1, item 1: "An HTTP/1.1 or higher GET request".
  if (head.version !== "HTTP/1.1") return "bad-http-version";
  if (head.method !== "GET") return "bad-method";
  const place = parsePlace(head);
  if (typeof place === "string") return place;
  if (!isUpgrade(head)) return "not-an-upgrade";
  if (hasBody(headers)) return "body-not-allowed";
  // An expectation makes sense only with a body (RFC 9110, section 10.1.1).
  if (headers.has("expect")) return "expectation-failed";
  // Item 6: "A Sec-WebSocket-Version header field, with a value of 13."
  // Two lines are joined to "13, 13".
  if (headers.get("sec-websocket-version") !== "13") return "bad-version";
  // Item 5: "a base64-encoded value that, when decoded, is 16 bytes in length".
  const key = headers.get("sec-websocket-key") ?? "";
  if (!isHandshakeKey(key)) return "bad-key";
  if (headers.count("origin") > 1) return "bad-origin";

  const subprotocols = parseDistinctTokens(
    headers.getAll("sec-websocket-protocol"),
  );
  if (subprotocols === undefined) return "bad-subprotocol";
  const extensions = headers.has("sec-websocket-extensions")
    ? parseExtensions(headers.getAll("sec-websocket-extensions"))
    : [];
  if (extensions === undefined) return "bad-extension";
  const origin = headers.get("origin");
  // Not `...place`, which costs 1 µs.
  const { host, target } = place;
  return { ok: true, key, host, target, origin, subprotocols, extensions };
}

/** Reads where the request goes: the target, and the host. */
function parsePlace(
  head: RequestHead,
): Pick<UpgradeOffer, "host" | "target"> | RefusalReason {
  // RFC 9112, section 3.2: a server "MUST respond with a 400" to a request
  // that lacks Host, has several, or an invalid one. Two lines are joined with
  // a comma, which no host has.
  const host = parseAuthority(head.headers.get("host") ?? "");
  if (host === undefined) return "bad-host";
  // RFC 6455, section 3: a fragment "MUST NOT be used on these URIs".
  if (head.target.includes("#")) return "bad-target";
  if (head.target.startsWith("/")) return { host, target: head.target };

  const absolute = parseAbsolute(head.target);
  if (absolute === undefined) return "bad-target";
  if (!isSameHost(absolute.origin, host)) return "bad-host";
  const { rest } = absolute;
  return { host, target: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Whether the request announces content (RFC 9112, section 6). */
function hasBody(headers: HeaderList): boolean {
  return headers.has("transfer-encoding") ||
    headers.getAll("content-length").some((length) => length !== "0");
}
