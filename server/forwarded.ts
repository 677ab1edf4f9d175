/**
 * Who the client is, where proxies stand in front of the site.
 *
 * A proxy appends the address that it sees to what it was sent, so of n trusted
 * proxies the n-th entry from the right is the outermost one's word on the client.
 * Everything to the left of it is the client's own writing.
 *
 * @module
 */

import type { HeaderList } from "../codec.ts";
import type { Address } from "../runtime/transport.ts";
import { canonicalIp } from "./ip_address.ts";

/** Where a request comes from. A transport is one. */
export interface RequestSource {
  /** Address of the client. */
  readonly remoteAddress: Address;
  /** Whether the client came through TLS. */
  readonly secure: boolean;
}

/** The header that proxies name the client in. */
export type ForwardedHeader = "x-forwarded-for" | "forwarded";

/** What is believed of the headers of proxies. */
export interface ProxyTrust {
  /** Count of proxies that append to the header. */
  readonly trustedProxies: number;
  /** Which header; `undefined` for whichever there is. */
  readonly forwardedHeader: ForwardedHeader | undefined;
}

/** What one proxy says of its client. */
interface Hop {
  /** Address; `"unknown"` where the proxy hides it; `undefined` for no word on it. */
  readonly client: Address | "unknown" | undefined;
  /** Whether the client came through TLS; `undefined` where it does not tell. */
  readonly secure: boolean | undefined;
}

/** An address with its port; names that begin with `_` stand for what is not told. */
const NODE =
  /^[\t ]*(?:(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<ipv4>[0-9.]+)|(?<hidden>unknown|_[\w.-]+))(?::(?<port>[0-9]{1,5}|_[\w.-]+))?|(?<bare>[0-9a-f.]*:[0-9a-f:.]+))[\t ]*$/i;

/** One pair of `Forwarded` (RFC 7239, section 4), and what follows it. */
const PAIR =
  /[\t ]*([!#$%&'*+.^`|~\w-]+)=(?:([!#$%&'*+.^`|~\w-]+)|"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)")[\t ]*(;|,|$)/y;

const SECURE_BY_SCHEME: ReadonlyMap<string, boolean> = new Map([
  ["http", false],
  ["ws", false],
  ["https", true],
  ["wss", true],
]);

/**
 * Tells who the client is.
 *
 * @param headers Headers of the request.
 * @param source Where it came from.
 * @param trust Whom to believe.
 * @returns `source` itself where nothing is told, or by too few proxies; `undefined`
 * where what counts is malformed, or the two headers contradict each other. To take
 * the proxy for the client then would let clients hide behind it.
 */
export function clientOf(
  headers: HeaderList,
  source: RequestSource,
  trust: ProxyTrust,
): RequestSource | undefined {
  const { trustedProxies, forwardedHeader } = trust;
  if (trustedProxies === 0) return source;
  const hops: Hop[] = [];
  for (const [name, read] of READERS) {
    if ((forwardedHeader ?? name) !== name) continue;
    const hop = read(headers, trustedProxies);
    if (hop === "malformed") return undefined;
    if (hop !== undefined) hops.push(hop);
  }
  const [hop, other] = hops;
  if (hop === undefined) return source;
  // A proxy writes one of the two, and passes the other on as the client wrote it.
  if (other !== undefined && contradicts(hop, other)) return undefined;
  const client = hop.client ?? other?.client ?? "unknown";
  return {
    remoteAddress: client === "unknown" ? source.remoteAddress : client,
    secure: hop.secure ?? other?.secure ?? source.secure,
  };
}

type ReadHop = (
  headers: HeaderList,
  count: number,
) => Hop | "malformed" | undefined;

const READERS: readonly (readonly [ForwardedHeader, ReadHop])[] = [
  ["x-forwarded-for", readXForwarded],
  ["forwarded", readForwarded],
];

/** Reads the entries that count; the others are not looked at. */
function readXForwarded(
  headers: HeaderList,
  count: number,
): Hop | "malformed" | undefined {
  const entry = entriesOf(headers, "x-forwarded-for").at(-count);
  const schemes = entriesOf(headers, "x-forwarded-proto");
  // Most often there is one, whoever wrote it.
  const scheme = schemes.at(-count) ?? schemes[0];
  if (entry === undefined && scheme === undefined) return undefined;
  return toHop(parseNode(entry, true), scheme?.trim());
}

function entriesOf(headers: HeaderList, name: string): string[] {
  const lines = headers.getAll(name);
  return lines.length === 0 ? [] : lines.join(",").split(",");
}

/** Reads all elements, since quotes may hide where one ends. */
function readForwarded(
  headers: HeaderList,
  count: number,
): Hop | "malformed" | undefined {
  const elements: Map<string, string>[] = [];
  for (const line of headers.getAll("forwarded")) {
    if (!parseElements(line, elements)) return "malformed";
  }
  const element = elements.at(-count);
  if (element === undefined) return undefined;
  return toHop(parseNode(element.get("for"), false), element.get("proto"));
}

function toHop(
  client: Hop["client"] | "malformed",
  scheme: string | undefined,
): Hop | "malformed" {
  const secure = scheme === undefined
    ? undefined
    : SECURE_BY_SCHEME.get(scheme.toLowerCase());
  const isWrong = scheme !== undefined && secure === undefined;
  if (isWrong || client === "malformed") return "malformed";
  return { client, secure };
}

/**
 * Parses a line of `Forwarded` (RFC 7239, section 4). Stricter: no element and no
 * pair is empty. More lenient: blanks around a semicolon, which proxies do send.
 *
 * @param line The line.
 * @param elements Where to put its elements.
 * @returns Whether it is well-formed.
 */
function parseElements(
  line: string,
  elements: Map<string, string>[],
): boolean {
  let element = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (let pair; (pair = PAIR.exec(line)) !== null;) {
    const [, name = "", token, quoted = "", end] = pair;
    const key = name.toLowerCase();
    // "Each parameter MUST NOT occur more than once per field-value."
    if (element.has(key)) return false;
    element.set(key, token ?? quoted.replaceAll(/\\(.)/g, "$1"));
    if (end === ";") continue;
    elements.push(element);
    if (end === "") return true;
    element = new Map();
  }
  return false;
}

/** Parses an address, with its port where it was told. */
function parseNode(
  text: string | undefined,
  allowsBare: boolean,
): Hop["client"] | "malformed" {
  if (text === undefined) return undefined;
  const { ipv6, ipv4, hidden, port = "0", bare } = NODE.exec(text)?.groups ??
    {};
  if (hidden !== undefined) return "unknown";
  const portNumber = port.startsWith("_") ? 0 : Number(port);
  const address = ipv6 ?? ipv4 ?? (allowsBare ? bare : undefined);
  // Brackets are for IPv6 alone; the pattern lets `[1.2.3.4]` pass.
  if (address === undefined || ipv6?.includes(":") === false) {
    return "malformed";
  }
  const hostname = canonicalIp(address);
  if (hostname === undefined || portNumber > 0xffff) return "malformed";
  return { transport: "tcp", hostname, port: portNumber };
}

/** Whether the two headers disagree on the client; few tell its port. */
function contradicts(a: Hop, b: Hop): boolean {
  return differ(hostnameOf(a), hostnameOf(b)) || differ(a.secure, b.secure);
}

/** Whether both are told, and not the same. */
function differ(a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function hostnameOf({ client }: Hop): string | undefined {
  return typeof client === "object" && client.transport === "tcp"
    ? client.hostname
    : client as "unknown" | undefined;
}
