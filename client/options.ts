/**
 * What `dial` is told: options, and their checks.
 *
 * @module
 */

import type { HeaderFields } from "../codec.ts";
import {
  checkAmount,
  checkKeys,
  checkSignal,
  checkType,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  type FrameListener,
  type HandlerCallbacks,
  type HandlerConstructor,
} from "../connection.ts";
import type { ConnectTls, LocalAddress } from "../runtime/transport.ts";
import { fieldsOf } from "./ask.ts";
import type { Authenticate } from "./authenticate.ts";
import { parseHost } from "./host_name.ts";
import { checkLocalAddress, checkPort } from "./local_address.ts";
import { checkProxy, type Proxy } from "./proxy.ts";
import { checkTls } from "./tls.ts";

/** What an attempt to connect says of itself to the server. */
export interface DialRequest {
  /** Subprotocols to offer, in order of preference. */
  readonly subprotocols?: readonly string[];
  /**
   * More headers to send, such as `Authorization`. A list of pairs is sent line
   * by line as it is, a name twice included; a `Headers` joins the values of one
   * name. Those of the handshake itself (`Host`, `Connection`, `Upgrade`,
   * `Sec-WebSocket-Key`, …) are refused with a `TypeError`.
   */
  readonly headers?: NonNullable<ResponseInit["headers"]> | HeaderFields;
  /** Value of `Origin`, as a browser sends it; none by default. */
  readonly origin?: string;
  /** Value of `User-Agent`; none by default. */
  readonly userAgent?: string;
  /**
   * Cookies to send, by name. Values are sent as they are: one that has a
   * space, a comma, a semicolon, a quote or a backslash in it is refused
   * (RFC 6265, section 4.1.1). The server's `Set-Cookie` is not kept; it is in
   * `connection.response.headers`.
   */
  readonly cookies?: Readonly<Record<string, string>>;
}

/** What {@linkcode DialOptions.beforeConnect} is told. */
export interface DialAttempt {
  /** Where to, without user information. */
  readonly url: string;
  /** Aborts when the attempt is given up, or its time is over. */
  readonly signal: AbortSignal;
}

/** Another address than that of the URL; see {@linkcode DialOptions.connectTo}. */
export interface ConnectTo {
  /** Host name or IP address; the URL's where absent. */
  readonly hostname?: string;
  /** Port; the URL's where absent. */
  readonly port?: number;
}

/** How to dial. */
export interface DialOptions<Data = unknown>
  extends ConnectionOptions, DialRequest {
  /**
   * A class whose hooks handle the connection, as on a site: it is made when the
   * server has accepted, `open` is called, and then, with a `message` hook,
   * messages as they come, maybe before `dial` settles. Without it messages wait
   * to be taken. Or an object of callbacks, which are told the connection first.
   */
  readonly handler?: HandlerConstructor<Data> | HandlerCallbacks<Data>;
  /**
   * Whether it is an error when the server chooses none of `subprotocols`.
   *
   * @default {false}
   */
  readonly requireSubprotocol?: boolean;
  /**
   * Asked before anything is connected, such as for a token that is new each
   * time. What it returns takes the place of the options of the same name. What
   * it throws, `dial` rejects with; its time counts to `openTimeoutMs`.
   */
  readonly beforeConnect?: (
    attempt: DialAttempt,
  ) => DialRequest | void | Promise<DialRequest | void>;
  /**
   * Answers a challenge: a server's 401, or the 407 of an HTTP proxy. `basic` and
   * `digest` make one; without it, or when it returns `undefined`, `dial` rejects
   * with the reason `bad-status` or `proxy-failed`. What it throws, `dial` rejects
   * with; its time counts to `openTimeoutMs`.
   *
   * An answer takes the place of an `Authorization` in `headers` or the URL, or of
   * what the proxy's URL says, for one request on a new connection; redirects are
   * asked for anew. After ten answers there is no other.
   */
  readonly authenticate?: Authenticate;
  /**
   * How many redirects (300, 301, 302, 303, 307, 308) to follow. Another origin
   * is told no `Authorization`, `Cookie` or `Proxy-Authorization`, and shown no
   * client certificate. Never followed are those from `wss:` to `ws:`, to a URL
   * with user information or a fragment, and, with `connectTo` or `path`, to
   * another origin. They fail with the reason `bad-redirect`, as one too many does.
   *
   * @default {0}
   */
  readonly maxRedirects?: number;
  /**
   * Another address to connect to. `Host`, and the name that TLS sends and
   * checks, remain those of the URL.
   */
  readonly connectTo?: ConnectTo;
  /** Path of a Unix socket to connect to; the rest is as with `connectTo`. */
  readonly path?: string;
  /**
   * An address of this machine's to connect from, to the proxy where there is one;
   * the system chooses by default. Of a name's addresses those of its family are
   * tried, and with a port only the first. Not with `path`.
   */
  readonly localAddress?: LocalAddress;
  /**
   * A proxy to go through; none by default. `http://user:password@proxy:3128` and
   * `https://…` are asked for a tunnel with `CONNECT`, `socks5://…` and
   * `socks5h://…` for a connection; both leave the resolving of names to the proxy.
   * Or a function that says for each URL which one: `proxyFromEnvironment` looks
   * into `HTTPS_PROXY` and its like. What fails there has the reason
   * `proxy-failed`, with the status and headers of its answer.
   */
  readonly proxy?: Proxy;
  /** TLS settings, for `wss:` and `https:`. Certificates are checked by default. */
  readonly tls?: ConnectTls;
  /**
   * How long everything up to the open connection may take, in milliseconds:
   * name resolution, TCP, TLS, redirects and the opening handshake. `Infinity`
   * disables it.
   *
   * @default {10_000}
   */
  readonly openTimeoutMs?: number;
  /** Told of each frame that is received or sent, for debugging. */
  readonly onFrame?: FrameListener;
  /** Gives up when it aborts. Once the connection is open it has no effect. */
  readonly signal?: AbortSignal;
}

const REQUEST_OPTION_NAMES = [
  "subprotocols",
  "headers",
  "origin",
  "userAgent",
  "cookies",
] as const;
const REQUEST_OPTIONS: ReadonlySet<string> = new Set(REQUEST_OPTION_NAMES);
/** Names of the options of `dial`. */
export const DIAL_OPTION_NAMES: ReadonlySet<string> = new Set([
  ...REQUEST_OPTION_NAMES,
  "handler",
  "requireSubprotocol",
  "beforeConnect",
  "authenticate",
  "maxRedirects",
  "connectTo",
  "path",
  "localAddress",
  "proxy",
  "tls",
  "openTimeoutMs",
  "onFrame",
  "signal",
  ...CONNECTION_OPTION_NAMES,
]);
const CONNECT_TO_NAMES = new Set(["hostname", "port"]);

/**
 * Takes options as they are now: what their owner does with them while `dial` is
 * under way changes nothing.
 *
 * @param given As given.
 * @returns A copy, checked; its headers can be read more than once.
 * @throws {TypeError} If one is of the wrong kind, or nobody knows it.
 * @throws {RangeError} If a number is out of range.
 */
export function takeDialOptions<Data>(
  given: DialOptions<Data>,
): DialOptions<Data> {
  checkKeys("dial", given, DIAL_OPTION_NAMES);
  const options = { ...given };
  checkDialOptions(options);
  const { headers, subprotocols } = options;
  return {
    ...options,
    ...(headers !== undefined && { headers: fieldsOf(headers) }),
    ...(subprotocols !== undefined && { subprotocols: [...subprotocols] }),
  };
}

function checkDialOptions<Data>(options: DialOptions<Data>): void {
  checkDialRequest(options);
  const { requireSubprotocol, tls, openTimeoutMs, signal } = options;
  checkType("dial", "requireSubprotocol", requireSubprotocol, "boolean");
  for (const name of ["onFrame", "beforeConnect", "authenticate"] as const) {
    checkType("dial", name, options[name], "function");
  }
  if (openTimeoutMs !== undefined) {
    checkAmount("dial", "openTimeoutMs", openTimeoutMs);
  }
  if (options.maxRedirects !== undefined) {
    checkAmount("dial", "maxRedirects", options.maxRedirects);
  }
  checkSignal("dial", signal);
  checkAddress(options);
  checkProxy(options.proxy);
  if (tls !== undefined) checkTls(tls);
}

/**
 * Takes what `beforeConnect` returned.
 *
 * @throws {TypeError} If it is of the wrong kind.
 */
export function checkRevision(request: DialRequest): void {
  checkKeys("dial", request, REQUEST_OPTIONS);
  checkDialRequest(request);
}

function checkDialRequest(request: DialRequest): void {
  const { subprotocols, cookies } = request;
  if (subprotocols !== undefined && !Array.isArray(subprotocols)) {
    throw new TypeError("Cannot dial: subprotocols is not an array");
  }
  for (const name of ["origin", "userAgent"] as const) {
    checkType("dial", name, request[name], "string");
  }
  if (
    cookies !== undefined && (typeof cookies !== "object" || cookies === null)
  ) {
    throw new TypeError("Cannot dial: cookies is not an object");
  }
}

function checkAddress(
  { connectTo, path, proxy, localAddress }: Pick<
    DialOptions,
    "connectTo" | "path" | "proxy" | "localAddress"
  >,
): void {
  if (path !== undefined) {
    if (proxy !== undefined) {
      throw new TypeError("Cannot dial: proxy and path exclude each other");
    }
    if (typeof path !== "string" || path === "") {
      throw new TypeError("Cannot dial: path is not the path of a socket");
    }
    if (connectTo !== undefined) {
      throw new TypeError("Cannot dial: connectTo and path exclude each other");
    }
    if (localAddress !== undefined) {
      throw new TypeError(
        "Cannot dial: localAddress and path exclude each other",
      );
    }
  }
  if (localAddress !== undefined) checkLocalAddress(localAddress);
  if (connectTo === undefined) return;
  checkKeys("dial", connectTo, CONNECT_TO_NAMES, "connectTo");
  const { hostname, port } = connectTo;
  const isHost = hostname === undefined ||
    typeof hostname === "string" && parseHost(hostname) !== undefined;
  if (!isHost) {
    throw new TypeError("Cannot dial: connectTo.hostname is not a host name");
  }
  if (port === undefined) return;
  checkPort("connectTo.port", port);
}
