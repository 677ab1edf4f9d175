/**
 * Following a redirect, or not (RFC 9110, section 15.4).
 *
 * RFC 6455, section 4.1 lets a client follow them, and asks of none to do so.
 *
 * @module
 */

import { HandshakeError } from "../codec.ts";
import type { ConnectTls } from "../runtime/transport.ts";
import type { Ask } from "./ask.ts";
import type { DialOptions } from "./options.ts";
import { hasFragment, takeScheme } from "./target_url.ts";

const REDIRECT_STATUSES: readonly number[] = [300, 301, 302, 303, 307, 308];

/** What only the server is to know that it was meant for. */
const SECRET_HEADERS: readonly string[] = [
  "authorization",
  "cookie",
  "proxy-authorization",
];

/** Whether a response says where else to ask. */
export function isRedirect(
  response: Pick<HandshakeError, "status" | "headers">,
): boolean {
  return REDIRECT_STATUSES.includes(response.status ?? 0) &&
    response.headers?.get("location") !== undefined;
}

/**
 * Turns the failure of one hop into the next hop.
 *
 * @param ask What was asked for.
 * @param error What came of it.
 * @param options Those of `dial`.
 * @param count How many redirects have been followed already.
 * @returns What to ask for next.
 * @throws The error, where it is no redirect or none is to be followed.
 * @throws {HandshakeError} With the reason `bad-redirect`, where this one cannot
 * be followed.
 */
export function redirected(
  ask: Ask,
  error: unknown,
  options: Pick<DialOptions, "maxRedirects" | "connectTo" | "path">,
  count: number,
): Ask {
  const { maxRedirects = 0 } = options;
  if (!(error instanceof HandshakeError) || maxRedirects === 0) throw error;
  if (error.reason !== "bad-status" || !isRedirect(error)) throw error;
  const refuse = (why: string): HandshakeError =>
    new HandshakeError("bad-redirect", `Cannot follow the redirect: ${why}`, {
      status: error.status,
      headers: error.headers,
      cause: error,
    });
  if (count >= maxRedirects) {
    throw refuse(`it would be more than ${maxRedirects}`);
  }
  // Nothing of the location is in a message: it may be a secret, or an attack on
  // who reads the log.
  const [location = "", ...others] = error.headers!.getAll("location");
  // Which one was meant nobody can tell; joined they are a third.
  if (others.length > 0) throw refuse("it has more than one location");
  const url = URL.parse(location, httpUrl(ask.url));
  if (url === null) throw refuse("its location is not a URL");
  if (!takeScheme(url)) throw refuse("its scheme is unknown");
  if (ask.url.protocol === "wss:" && url.protocol === "ws:") {
    throw refuse("it leads from wss: to ws:");
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse("its location names a user");
  }
  if (hasFragment(url)) throw refuse("its location has a fragment");
  if (url.protocol === ask.url.protocol && url.host === ask.url.host) {
    return { ...ask, url };
  }
  if (options.connectTo !== undefined || options.path !== undefined) {
    throw refuse("it leads to another origin than the one connected to");
  }
  return {
    ...ask,
    url,
    headers: ask.headers.filter(([name]) =>
      !SECRET_HEADERS.includes(name.toLowerCase())
    ),
    tls: publicTls(ask.tls),
    isForeign: true,
  };
}

/** What a location is relative to. */
function httpUrl(url: URL): string {
  return url.href.replace(/^ws/, "http");
}

/** TLS settings without those that are about one server. */
function publicTls(tls: ConnectTls | undefined): ConnectTls | undefined {
  if (tls === undefined) return undefined;
  const { cert: _cert, key: _key, serverName: _name, ...rest } = tls;
  return rest;
}
