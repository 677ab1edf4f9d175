/**
 * What one hop of an attempt asks for: a URL, and what is said with it.
 *
 * @module
 */

import { isToken } from "../codec.ts";
import type { ConnectTls } from "../runtime/transport.ts";
import { hostOf, parseHost } from "./host_name.ts";
import type { ConnectTo, DialRequest } from "./options.ts";
import { parseTargetUrl } from "./target_url.ts";

/** What one hop asks for. */
export interface Ask {
  /** Where to: `ws:` or `wss:`, without user information and fragment. */
  readonly url: URL;
  /** Header lines to send beside those of the handshake. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Subprotocols to offer. */
  readonly subprotocols: readonly string[];
  /** TLS settings. */
  readonly tls: ConnectTls | undefined;
  /** Whether a redirect to another origin is behind it. */
  readonly isForeign: boolean;
  /** Value of `Proxy-Authorization`, in the place of what the proxy's URL says. */
  readonly proxyAuthorization?: string | undefined;
}

/** Host, without brackets, and port. */
export type HostAddress = Required<ConnectTo>;

/** A URL, and the `Authorization` that stands for its user information. */
export interface Target {
  /** The URL without it. */
  readonly url: URL;
  /** Value of the header; absent where the URL names no user. */
  readonly authorization: string | undefined;
}

/**
 * Takes a URL, in the scheme that it means.
 *
 * @param url What `dial` was given; not modified.
 * @throws {TypeError} If it is none that can be dialled.
 */
export function parseTarget(url: string | URL): Target {
  if (typeof url !== "string" && !(url instanceof URL)) {
    throw new TypeError("Cannot dial: the URL is neither a string nor a URL");
  }
  const target = parseTargetUrl(url);
  if (typeof target === "string") {
    throw new TypeError(`Cannot dial: ${target}`);
  }
  const authorization = takeUser(target);
  return { url: target, authorization };
}

/**
 * Takes the user information out of a URL.
 *
 * @param url The URL; it has none afterwards.
 * @returns The value of the header that says the same.
 */
export function takeUser(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  // RFC 7617, section 2: user and password with a colon between them. What they
  // stand for in the URL may be any bytes, which need not be UTF-8.
  const user = `${percentDecoded(url.username)}:${
    percentDecoded(url.password)
  }`;
  url.username = url.password = "";
  return `Basic ${btoa(user)}`;
}

/** Decodes the percent-encoding of a URL; one character for each byte. */
export function percentDecoded(text: string): string {
  return text.replace(
    /%([0-9a-f]{2})/gi,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
}

/**
 * Puts together what is asked for first.
 *
 * @throws {TypeError} If a header is there twice, or a cookie may not be sent.
 */
export function askFor(
  target: Target,
  request: DialRequest,
  tls: ConnectTls | undefined,
): Ask {
  const fields = fieldsOf(request.headers);
  const has = (name: string): boolean =>
    fields.some(([other]) => other.toLowerCase() === name);
  const add = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    // Which of the two was meant nobody can tell.
    if (has(name.toLowerCase())) {
      throw new TypeError(`Cannot dial: ${name} is among the headers, too`);
    }
    fields.push([name, value]);
  };
  add("Origin", request.origin);
  add("User-Agent", request.userAgent);
  add("Cookie", cookieHeader(request.cookies));
  const { url, authorization } = target;
  if (authorization !== undefined && !has("authorization")) {
    fields.push(["Authorization", authorization]);
  }
  return {
    url,
    headers: fields,
    subprotocols: request.subprotocols ?? [],
    tls,
    isForeign: false,
  };
}

/** Where to connect to, or to have a proxy connect to. */
export function addressOf(
  url: URL,
  connectTo: ConnectTo | undefined,
): HostAddress {
  const standard = url.protocol === "wss:" ? 443 : 80;
  const hostname = connectTo?.hostname;
  return {
    // It has been found to be one, so there is something.
    hostname: hostname === undefined ? hostOf(url) : parseHost(hostname)!,
    port: connectTo?.port ?? (url.port === "" ? standard : Number(url.port)),
  };
}

/** Host and port as a proxy is asked for them (RFC 9110, section 9.3.6). */
export function authorityOf({ hostname, port }: HostAddress): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  // "a client MUST send the port number even if the CONNECT request is based on
  // a URI reference that contains an authority component with an elided port"
  return `${host}:${port}`;
}

/**
 * Header lines in order. A web `Headers` and a record make one of each name.
 *
 * @throws {TypeError} If it is not made of headers.
 */
export function fieldsOf(
  init: DialRequest["headers"],
): [name: string, value: string][] {
  if (init === undefined) return [];
  if (typeof init !== "object" || init === null) {
    throw new TypeError("Cannot dial: headers is not an object");
  }
  const fields = Symbol.iterator in init
    ? [...init as Iterable<readonly string[]>]
    : Object.entries(init as Record<string, string>);
  return fields.map(([name, value, ...more]) => {
    if (typeof name !== "string" || value === undefined || more.length > 0) {
      throw new TypeError("Cannot dial: a header is no pair of texts");
    }
    return [name, String(value)];
  });
}

/** RFC 6265, section 4.2.1: pairs with a semicolon and a space between them. */
function cookieHeader(cookies: DialRequest["cookies"]): string | undefined {
  if (cookies === undefined) return undefined;
  const pairs = Object.entries(cookies).map(([name, value]) => {
    // RFC 6265, section 4.1.1: a name is a token; of a value's characters it
    // leaves out controls, white space, quotes, comma, semicolon and backslash.
    const isRight = isToken(name) && typeof value === "string" &&
      /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value);
    // The value may be a secret, so the message leaves it out.
    if (!isRight) {
      throw new TypeError(
        `Cannot dial: the cookie ${JSON.stringify(name)} may not be sent`,
      );
    }
    return `${name}=${value}`;
  });
  return pairs.length === 0 ? undefined : pairs.join("; ");
}
