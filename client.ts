/**
 * The dialer: outgoing connections.
 *
 * @example Ask, and print what comes
 * ```ts
 * import { dial, Site } from "@sockeye/sockeye";
 *
 * const site = new Site();
 * site.addHandler("/hello", async (connection) => {
 *   connection.send(`Hello ${await connection.receive()}!`);
 * });
 * await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 *
 * const connection = await dial(`ws://127.0.0.1:${server.addr.port}/hello`);
 * connection.send("Sockeye");
 * for await (const message of connection) console.log(message);
 * ```
 *
 * @module
 */

import {
  encodeUpgradeRequest,
  formatHandshakeKey,
  HandshakeError,
  offerDeflate,
  type UpgradeAgreement,
} from "./codec.ts";
import {
  callbackHandler,
  checkAmount,
  checkKeys,
  type Connection,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  type ConnectionOwner,
  connectionSettings,
  connectionTicker,
  type FrameListener,
  type HandlerCallbacks,
  type HandlerConstructor,
  isCompressionLoaded,
  isHandlerClass,
  loadCompression,
  messageTransform,
  printable,
  SocketConnection,
  tickerFor,
  TracedTransport,
} from "./connection.ts";
import { type Opened, Opening, type OpeningRequest } from "./client/opening.ts";
import { Patience } from "./client/patience.ts";
import { Redialer } from "./client/redial.ts";
import {
  checkRedial,
  type RedialOptions,
  type RedialUrl,
} from "./client/redial_options.ts";
import {
  type ConnectTls,
  loadRuntime,
  type Runtime,
  type Transport,
} from "./runtime/transport.ts";

export { type BackoffOptions, isRetryable } from "./client/backoff.ts";
export type { Redialer } from "./client/redial.ts";
export type {
  RedialAttempt,
  RedialOptions,
  RedialUrl,
} from "./client/redial_options.ts";
export {
  HandshakeError,
  type HandshakeErrorReason,
  HeaderList,
} from "./codec.ts";
export {
  type BroadcastCount,
  type BroadcastOptions,
  type CloseCause,
  ClosedError,
  type CloseInfo,
  type CompressionOptions,
  type Connection,
  type ConnectionOptions,
  type ConnectionRequest,
  type ConnectionSite,
  type ConnectionStats,
  type FrameListener,
  frameLogger,
  type FrameLoggerOptions,
  type FrameTrace,
  Handler,
  type HandlerCallbacks,
  type HandlerConstructor,
  type Hooks,
  type PublishOptions,
  type Sendable,
  type SendOptions,
} from "./connection.ts";
export type { Address, ConnectTls } from "./runtime/transport.ts";

/** How to dial. */
export interface DialOptions<Data = unknown> extends ConnectionOptions {
  /**
   * A class whose hooks handle the connection, as on a site: it is made when the
   * server has accepted, `open` is called, and then, with a `message` hook,
   * messages as they come, maybe before `dial` settles. Without it messages wait
   * to be taken. Or an object of callbacks, which are told the connection first.
   */
  readonly handler?: HandlerConstructor<Data> | HandlerCallbacks<Data>;
  /** Subprotocols to offer, in order of preference. */
  readonly subprotocols?: readonly string[];
  /**
   * Whether it is an error when the server chooses none of `subprotocols`.
   *
   * @default {false}
   */
  readonly requireSubprotocol?: boolean;
  /**
   * More headers to send, such as `Authorization` or `Origin`. Those of the
   * handshake itself (`Host`, `Upgrade`, `Sec-WebSocket-Key`, …) are refused.
   */
  readonly headers?: HeadersInit;
  /** TLS settings, for `wss:` and `https:`. Certificates are checked by default. */
  readonly tls?: ConnectTls;
  /**
   * How long everything up to the open connection may take, in milliseconds:
   * name resolution, TCP, TLS and the opening handshake. `Infinity` disables it.
   *
   * @default {10_000}
   */
  readonly openTimeoutMs?: number;
  /** Told of each frame that is received or sent, for debugging. */
  readonly onFrame?: FrameListener;
  /** Gives up when it aborts. Once the connection is open it has no effect. */
  readonly signal?: AbortSignal;
}

const DIAL_OPTION_NAMES = new Set([
  "handler",
  "subprotocols",
  "requireSubprotocol",
  "headers",
  "tls",
  "openTimeoutMs",
  "onFrame",
  "signal",
  ...CONNECTION_OPTION_NAMES,
]);
const TLS_OPTION_NAMES = new Set([
  "ca",
  "cert",
  "key",
  "rejectUnauthorized",
  "serverName",
  "alpnProtocols",
]);

/** A dialled connection has no owner that would have to know. */
const NOBODY: ConnectionOwner = {
  reportError: (error) => console.error(error),
  onClosing: () => {},
  onClosed: () => {},
};

/**
 * Opens a connection.
 *
 * It settles on every path: the server refuses, says nothing, sends garbage, or
 * goes away. Messages that arrive with the server's response wait to be taken, or
 * go to the handler.
 *
 * @param url Where to: `ws:` or `wss:`; `http:` and `https:` are taken as such.
 * User information is sent as `Authorization: Basic`.
 * @param options How.
 * @returns The open connection.
 * @throws {TypeError} If an argument is of the wrong kind, at once.
 * @throws What the handler's constructor throws; the connection is then dropped.
 * @throws {HandshakeError} If the connection cannot be opened. Its `reason` says
 * why, and `status`, `headers` and `body` what the server answered.
 * @throws The signal's reason, when `signal` aborts.
 *
 * @example A refusal
 * ```ts
 * import { dial, HandshakeError, Site } from "@sockeye/sockeye";
 * import { strictEqual } from "node:assert";
 *
 * await using server = await new Site().listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 * try {
 *   await dial(`ws://127.0.0.1:${server.addr.port}/nothing-here`);
 * } catch (error) {
 *   if (!(error instanceof HandshakeError)) throw error;
 *   strictEqual(error.reason, "bad-status");
 *   strictEqual(error.status, 404);
 * }
 * ```
 */
export async function dial<Data = unknown>(
  url: string | URL,
  options: DialOptions<Data> = {},
): Promise<Connection<Data>> {
  const target = parseUrl(url);
  checkOptions(options);
  const handler = handlerOf(options.handler);
  const settings = connectionSettings("dial", options, "client");
  const { compression } = settings;
  const extensions = compression ? [offerDeflate(compression)] : [];
  const key = formatHandshakeKey(crypto.getRandomValues(new Uint8Array(16)));
  const headers = dialHeaders(target, options.headers);
  const { subprotocols = [], requireSubprotocol = false } = options;
  const bytes = encodeUpgradeRequest({
    url: target,
    key,
    subprotocols,
    extensions,
    headers,
  });
  const opening: OpeningRequest = {
    bytes,
    key,
    subprotocols,
    extensions,
    requireSubprotocol,
  };
  const { onFrame } = options;
  const runtime = await loadRuntime();
  if (compression && !isCompressionLoaded()) await loadCompression();
  return await withPatience(runtime, options, async (signal) => {
    const transport = await connect(runtime, target, options.tls, signal);
    const traced = onFrame && new TracedTransport(transport, onFrame, NOBODY);
    const establish = (agreement: UpgradeAgreement) =>
      new SocketConnection<Data>({
        role: "client",
        transport: traced ?? transport,
        settings,
        ticker: connectionTicker(settings, runtime),
        request: { method: "GET", url: target.href, headers },
        params: {},
        subprotocol: agreement.subprotocol ?? "",
        extensions: agreement.extensions,
        transform: messageTransform("client", agreement.deflate, compression),
        owner: NOBODY,
      });
    return await open(transport, opening, signal, (agreement) => {
      const connection = establish(agreement);
      const sink = traced?.attach(connection as SocketConnection);
      transport.sink = sink ?? connection.link;
      if (handler !== undefined) start(connection, handler);
      return connection;
    });
  });
}

/**
 * Dials again and again: connections to one place, one after the other.
 *
 * After a loss, and after a failure that may pass, it waits: first at random up to
 * 5 seconds, then 3.1 seconds, then 1.618 times longer each time, up to 90 seconds,
 * or as long as the server asks for in `Retry-After`. It begins anew only after a
 * connection that was stable.
 *
 * @param url Where to, or a function that is asked before each attempt.
 * @param options How.
 * @returns What to loop over.
 * @throws {TypeError} If an argument is of the wrong kind.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A reader that comes back
 * ```ts ignore
 * import { ClosedError, redial } from "@sockeye/sockeye";
 *
 * for await (const connection of redial("wss://example.com/news")) {
 *   try {
 *     for await (const message of connection) console.log(message);
 *   } catch (error) {
 *     if (!(error instanceof ClosedError)) throw error;
 *   }
 * }
 * ```
 */
export function redial<Data = unknown>(
  url: RedialUrl,
  options: RedialOptions<Data> = {},
): Redialer<Data> {
  checkRedial(url, options);
  return new Redialer<Data>(dial, url, options);
}

/** The class that handles the connection, where one does. */
function handlerOf<Data>(
  handler: DialOptions<Data>["handler"],
): HandlerConstructor<Data> | undefined {
  if (handler === undefined || isHandlerClass(handler)) {
    return handler as HandlerConstructor<Data> | undefined;
  }
  return callbackHandler("dial", handler as HandlerCallbacks<Data>);
}

/** Runs a task with a signal that aborts on the caller's, and in time. */
async function withPatience<T>(
  runtime: Runtime,
  options: Pick<DialOptions, "signal" | "openTimeoutMs">,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, openTimeoutMs = 10_000 } = options;
  signal?.throwIfAborted();
  const ticker = tickerFor([Math.max(openTimeoutMs, 1)], runtime);
  const patience = new Patience(ticker, openTimeoutMs, signal);
  try {
    return await task(patience.signal);
  } finally {
    patience.end();
  }
}

async function connect(
  runtime: Runtime,
  url: URL,
  tls: ConnectTls | undefined,
  signal: AbortSignal,
): Promise<Transport> {
  const secure = url.protocol === "wss:";
  try {
    return await runtime.connect({
      // The brackets of an IPv6 address belong to the URL.
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
      ...(secure && { tls: tls ?? {} }),
      signal,
    });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const reason = secure && !isNetworkError(cause)
      ? "tls-failed"
      : "connect-failed";
    const message = `Cannot connect to ${url.host}: ${messageOf(cause)}`;
    throw new HandshakeError(reason, message, { cause });
  }
}

/** Sends the request, and waits for the response. */
function open<Data>(
  transport: Transport,
  request: OpeningRequest,
  signal: AbortSignal,
  establish: (agreement: UpgradeAgreement) => SocketConnection<Data>,
): Promise<SocketConnection<Data>> {
  return new Promise((resolve, reject) => {
    const opened: Opened = (agreement, early) => {
      let connection;
      try {
        connection = establish(agreement);
      } catch (error) {
        return reject(error);
      }
      // What shared a segment with the response waits to be taken.
      if (early.length > 0) transport.sink.data(early);
      resolve(connection);
    };
    const opening = new Opening(transport, request, opened, reject);
    const giveUp = () => opening.giveUp(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
}

/** Makes the handler of a connection, and starts with its `open`. */
function start<Data>(
  connection: SocketConnection<Data>,
  handler: HandlerConstructor<Data>,
): void {
  try {
    connection.handle(new handler(connection));
  } catch (error) {
    // Only the constructor: what hooks throw is theirs to be told.
    connection.terminate();
    throw error;
  }
}

/**
 * Whether it never came to TLS: no address, no route, no listener. A reset is
 * none of these: it ends a handshake.
 */
function isNetworkError(error: unknown): boolean {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return /^(ConnectionRefused|TimedOut|NotFound|AddrNotAvailable|NetworkUnreachable)$/
    .test(String(name)) ||
    /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENET|EADDR|ETIMEDOUT|ENOENT)/.test(
      String(code),
    );
}

function messageOf(error: unknown): string {
  // A certificate's names are in it: the peer's own words.
  return printable(error instanceof Error ? error.message : String(error));
}

/** Takes the URL, in the scheme that it means. */
function parseUrl(url: string | URL): URL {
  if (typeof url !== "string" && !(url instanceof URL)) {
    throw new TypeError("Cannot dial: the URL is neither a string nor a URL");
  }
  const target = URL.parse(url);
  if (target === null) throw new TypeError(`Cannot dial: not a URL: ${url}`);
  if (target.protocol === "http:") target.protocol = "ws:";
  if (target.protocol === "https:") target.protocol = "wss:";
  if (target.protocol !== "ws:" && target.protocol !== "wss:") {
    throw new TypeError(`Cannot dial: unknown scheme: ${target.protocol}`);
  }
  // RFC 6455, section 3: "Fragment identifiers are meaningless in the context of
  // WebSocket URIs and MUST NOT be used on these URIs."
  if (target.hash !== "" || target.href.endsWith("#")) {
    throw new TypeError("Cannot dial: the URL has a fragment");
  }
  return target;
}

function checkOptions<Data>(options: DialOptions<Data>): void {
  checkKeys("dial", options, DIAL_OPTION_NAMES);
  const { subprotocols, requireSubprotocol, tls, openTimeoutMs, signal } =
    options;
  if (subprotocols !== undefined && !Array.isArray(subprotocols)) {
    throw new TypeError("Cannot dial: subprotocols is not an array");
  }
  if (!isOptional("boolean", requireSubprotocol)) {
    throw new TypeError("Cannot dial: requireSubprotocol is not a boolean");
  }
  if (openTimeoutMs !== undefined) {
    checkAmount("dial", "openTimeoutMs", openTimeoutMs);
  }
  if (options.onFrame !== undefined && typeof options.onFrame !== "function") {
    throw new TypeError("Cannot dial: onFrame is not a function");
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("Cannot dial: signal is not an AbortSignal");
  }
  if (tls !== undefined) checkTls(tls);
}

/** Refuses settings that one runtime would take for something else than another. */
function checkTls(tls: ConnectTls): void {
  checkKeys("dial", tls, TLS_OPTION_NAMES);
  const { ca, alpnProtocols, rejectUnauthorized } = tls;
  const texts = [tls.cert, tls.key, tls.serverName];
  const lists = [typeof ca === "string" ? [ca] : ca, alpnProtocols];
  const isRight = isOptional("boolean", rejectUnauthorized) &&
    texts.every((text) => isOptional("string", text)) &&
    lists.every((list) =>
      list === undefined || Array.isArray(list) &&
        list.every((element) => typeof element === "string")
    );
  if (!isRight) {
    throw new TypeError("Cannot dial: a TLS setting is of the wrong kind");
  }
}

function isOptional(type: "boolean" | "string", value: unknown): boolean {
  return value === undefined || typeof value === type;
}

/** The application's headers, with what the URL says of the user. */
function dialHeaders(url: URL, init: HeadersInit | undefined): Headers {
  const headers = new Headers(init);
  if (url.username === "" && url.password === "") return headers;
  // RFC 7617, section 2: user and password with a colon between them. What they
  // stand for in the URL may be any bytes, which need not be UTF-8.
  const user = `${toByteString(url.username)}:${toByteString(url.password)}`;
  url.username = url.password = "";
  if (!headers.has("authorization")) {
    headers.set("authorization", `Basic ${btoa(user)}`);
  }
  return headers;
}

/** Decodes the percent-encoding of a URL; one character for each byte. */
function toByteString(text: string): string {
  return text.replace(
    /%([0-9a-f]{2})/gi,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
}
