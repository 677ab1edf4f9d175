/**
 * Hosts and origins as they stand in a request (RFC 9112, section 3.2; RFC
 * 6454, section 7).
 *
 * A comparison that decides who may connect must not be more lenient than what
 * browsers send, so these are strict: host names are letters, digits, `-`, `.`,
 * `_` and `~`, without user information and without percent signs.
 *
 * @module
 */

/** A host, and the port where one is given. */
export interface Authority {
  /** Host name or address in lower case; an IPv6 address is in brackets. */
  readonly hostname: string;
  /** Port; `undefined` where none is given. */
  readonly port: number | undefined;
}

/** Where a page, or an absolute request target, says it belongs. */
export interface Origin {
  /** Scheme in lower case, without the colon. */
  readonly scheme: string;
  /** Host name or address in lower case; an IPv6 address is in brackets. */
  readonly hostname: string;
  /** Port; the scheme's own where none is given, if it has one. */
  readonly port: number | undefined;
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["ws", 80],
  ["https", 443],
  ["wss", 443],
]);

// The alternatives begin with different characters, and no repetition is
// nested: matching takes linear time.
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[0-9a-z._~-]+)(?::([0-9]{0,5}))?$/i;
const ABSOLUTE = /^([a-z][0-9a-z+.-]*):\/\/([^/?#]*)/i;

/** The latest host that was found to be one: most clients of a server name the same. */
let knownText = "";
let knownAuthority: Authority | undefined;

/**
 * Parses the value of `Host`.
 *
 * @returns `undefined` for anything but a host and perhaps a port.
 */
export function parseAuthority(text: string): Authority | undefined {
  if (knownAuthority !== undefined && text === knownText) return knownAuthority;
  const match = AUTHORITY.exec(text);
  if (match === null) return undefined;
  const [, hostname = "", digits = ""] = match;
  const port = digits === "" ? undefined : Number(digits);
  if (port !== undefined && port > 0xffff) return undefined;
  knownText = text;
  knownAuthority = Object.freeze({ hostname: hostname.toLowerCase(), port });
  return knownAuthority;
}

/**
 * Parses the value of `Origin`.
 *
 * @returns `"null"` for an opaque origin, `undefined` for a malformed one.
 */
export function parseOrigin(text: string): Origin | "null" | undefined {
  if (text === "null") return text;
  const absolute = parseAbsolute(text);
  return absolute?.rest === "" ? absolute.origin : undefined;
}

/**
 * Parses an absolute request target such as `http://host/path`.
 *
 * @returns The origin and what follows it, or `undefined` if it is malformed.
 */
export function parseAbsolute(
  text: string,
): { origin: Origin; rest: string } | undefined {
  const match = ABSOLUTE.exec(text);
  if (match === null) return undefined;
  const [prefix, scheme = "", authority = ""] = match;
  const parsed = parseAuthority(authority);
  if (parsed === undefined) return undefined;
  const origin = withScheme(parsed, scheme.toLowerCase());
  return { origin, rest: text.slice(prefix.length) };
}

/**
 * Whether an origin has the host and the port of `Host`.
 *
 * The scheme counts only for the port that it implies: a server behind a proxy
 * that ends TLS does not know its own.
 */
export function isSameHost(origin: Origin, host: Authority): boolean {
  return origin.hostname === host.hostname &&
    origin.port === withScheme(host, origin.scheme).port;
}

function withScheme(authority: Authority, scheme: string): Origin {
  const { hostname, port = DEFAULT_PORTS.get(scheme) } = authority;
  return { scheme, hostname, port };
}
