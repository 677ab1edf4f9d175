/**
 * Where a `WebSocket` connects to, and what it offers: the first two arguments of
 * its constructor.
 *
 * @module
 */

import type { DialOptions } from "../client.ts";
import { takeDialOptions } from "../client/options.ts";
import { parseTargetUrl } from "../client/target_url.ts";

/**
 * How to connect, beyond what browsers have: the options of `dial`, with
 * `protocols` instead of `subprotocols`.
 */
export interface WebSocketOptions
  extends Omit<DialOptions, "handler" | "subprotocols"> {
  /** Subprotocols to offer, in order of preference; one of them as a string. */
  readonly protocols?: string | Iterable<string>;
}

/** RFC 9110, section 5.6.2: `token = 1*tchar`. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/**
 * Takes a URL.
 *
 * @param url URL, `ws:` or `wss:`; `http:` and `https:` stand for them.
 * @returns The URL in the scheme that it means.
 * @throws {DOMException} `SyntaxError` if it is none, has another scheme, or a
 * fragment.
 */
export function parseTarget(url: unknown): URL {
  const target = parseTargetUrl(`${url}`);
  if (typeof target === "string") throw syntaxError(target);
  return target;
}

/**
 * Takes the subprotocols to offer.
 *
 * @param protocols One, or several.
 * @returns All of them; none where there is nothing.
 * @throws {DOMException} `SyntaxError` if one is no token, or occurs twice.
 */
function parseProtocols(protocols: unknown): string[] {
  const list = protocols === undefined
    ? []
    : isIterable(protocols)
    ? Array.from(protocols, (protocol) => `${protocol}`)
    : [`${protocols}`];
  const seen = new Set<string>();
  for (const protocol of list) {
    // RFC 6455, section 4.1, item 10: "The elements that comprise this value MUST
    // be non-empty strings … and MUST all be unique strings."
    if (!TOKEN.test(protocol)) {
      throw syntaxError(`not a subprotocol: ${JSON.stringify(protocol)}`);
    }
    // As the tests of the web platform want it, whatever the case.
    const key = protocol.toLowerCase();
    if (seen.has(key)) throw syntaxError(`subprotocol twice: ${protocol}`);
    seen.add(key);
  }
  return list;
}

/**
 * Takes the second argument of the constructor of `WebSocket`.
 *
 * @param argument Subprotocols, or options; an object that is not iterable is
 * options.
 */
export function parseOptions(
  argument: string | Iterable<string> | WebSocketOptions | undefined,
): WebSocketOptions {
  const isOptions = typeof argument === "object" && argument !== null &&
    !isIterable(argument);
  if (isOptions) return argument as WebSocketOptions;
  return argument === undefined ? {} : { protocols: argument as string };
}

/**
 * Makes the options of `dial`.
 *
 * @param options As given.
 * @throws {TypeError} If one is unknown or of the wrong kind, or belongs to `dial`
 * alone.
 * @throws {DOMException} `SyntaxError` if a subprotocol is wrong.
 */
export function dialOptions(options: WebSocketOptions): DialOptions {
  for (const name of ["handler", "subprotocols"]) {
    if (!Object.hasOwn(options, name)) continue;
    throw new TypeError(`Cannot connect: unknown option: ${name}`);
  }
  const { protocols, ...rest } = options;
  const subprotocols = parseProtocols(protocols);
  // The WebSockets Standard, "establish a WebSocket connection": a server that
  // chooses none of those it was offered makes the connection fail.
  const isRequired = subprotocols.length > 0;
  const dialling = { requireSubprotocol: isRequired, ...rest, subprotocols };
  return takeDialOptions(dialling);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null &&
    Symbol.iterator in value;
}

function syntaxError(what: string): DOMException {
  return new DOMException(`Cannot connect: ${what}`, "SyntaxError");
}
