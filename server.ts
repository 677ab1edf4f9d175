/**
 * The site: handlers by path, on raw connections.
 *
 * @example An echo
 * ```ts
 * import { Handler, Site } from "@sockeye/sockeye";
 *
 * class Echo extends Handler {
 *   override message(data: string | Uint8Array) {
 *     this.connection.send(data);
 *   }
 * }
 *
 * const site = new Site();
 * site.addHandler("/echo", Echo);
 * await using server = await site.listen({ port: 0 });
 * ```
 *
 * @module
 */

import { prepareMessage } from "./codec.ts";
import {
  checkAmount,
  checkKeys,
  type Connection,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  connectionSettings,
  type HandlerFunction,
  type Sendable,
  type SocketConnection,
  toMessage,
} from "./connection.ts";
import { type ListenTls, loadRuntime } from "./runtime/transport.ts";
import { checkOriginRules, type OriginRules } from "./server/origin.ts";
import {
  type HandlerClass,
  type HandlerOptions,
  type RouteMatch,
  Routes,
} from "./server/routes.ts";
import {
  type RootHandler,
  type Server,
  type ServerOwner,
  type ShutdownOptions,
  SiteServer,
} from "./server/site_server.ts";

export {
  type CloseCause,
  ClosedError,
  type CloseInfo,
  type Connection,
  type ConnectionOptions,
  type ConnectionRequest,
  type ConnectionStats,
  Handler,
  type HandlerFunction,
  type Hooks,
  type Sendable,
  type SendOptions,
} from "./connection.ts";
export type {
  Address,
  ListenTls,
  RootRequestInfo,
} from "./runtime/transport.ts";
export type { OriginRule, OriginRules } from "./server/origin.ts";
export type {
  HandlerClass,
  HandlerOptions,
  UpgradeAcceptance,
  UpgradeDecision,
  UpgradeInfo,
} from "./server/routes.ts";
export type {
  RootHandler,
  Server,
  ShutdownOptions,
} from "./server/site_server.ts";

/** Options of a site; those of a connection are the defaults of its handlers. */
export interface SiteOptions extends ConnectionOptions {
  /**
   * Answers the requests that are not for a handler, on the same port, through
   * the runtime's own HTTP server. Without it they are answered 404 or 426.
   */
  readonly root?: RootHandler;
  /**
   * Origins that may connect beside the site's own host. A request without
   * `Origin`, which no browser sends, may always.
   *
   * @default {[]}
   */
  readonly origins?: OriginRules;
  /**
   * How long a client may take to send its request, in milliseconds, from when
   * it was accepted. Then it is answered 408.
   *
   * @default {10_000}
   */
  readonly openTimeoutMs?: number;
  /**
   * Told of what a handler or the root threw, and of what failed underneath.
   * Writes to the console where absent.
   */
  readonly onError?: (error: Error, connection?: Connection) => void;
}

/** Where a site listens. */
export interface ListenOptions {
  /** Port; 0 takes a free one. Required, unless `path` is given. */
  readonly port?: number;
  /**
   * Interface.
   *
   * @default {"0.0.0.0"}
   */
  readonly hostname?: string;
  /** Path of a Unix socket, instead of a port. */
  readonly path?: string;
  /** Serve `wss:` and `https:`. */
  readonly tls?: ListenTls;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog?: number;
  /** Whether several processes may share the port (`SO_REUSEPORT`). */
  readonly reusePort?: boolean;
  /** Shuts the server down when it aborts. */
  readonly signal?: AbortSignal;
}

/** How many connections a broadcast went to. */
export interface BroadcastCount {
  /** Connections that took the message. */
  readonly sent: number;
  /** Connections that did not: closing, or over the limit of their send buffer. */
  readonly skipped: number;
}

const SITE_OPTION_NAMES = new Set([
  "root",
  "origins",
  "openTimeoutMs",
  "onError",
  ...CONNECTION_OPTION_NAMES,
]);
const LISTEN_OPTION_NAMES = new Set([
  "port",
  "hostname",
  "path",
  "tls",
  "backlog",
  "reusePort",
  "signal",
]);
const TLS_OPTION_NAMES = new Set(["cert", "key", "alpnProtocols"]);

/**
 * Handlers by path, for any number of listening sockets.
 *
 * The site reads each request itself. One that asks for a WebSocket on a path with
 * a handler is checked and upgraded; every other belongs to the root.
 */
export class Site {
  readonly #routes: Routes = new Routes();
  readonly #options: SiteOptions;
  readonly #servers: Set<SiteServer> = new Set();
  readonly #connections: Set<SocketConnection> = new Set();
  readonly #owner: ServerOwner;

  /**
   * Makes a site without handlers.
   *
   * @param options Root, limits and times.
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {RangeError} If a number is negative or NaN.
   */
  constructor(options: SiteOptions = {}) {
    checkKeys("make the site", options, SITE_OPTION_NAMES);
    connectionSettings("make the site", options);
    const { root, origins, openTimeoutMs = 10_000, onError } = options;
    checkAmount("make the site", "openTimeoutMs", openTimeoutMs);
    if (origins !== undefined) checkOriginRules("make the site", origins);
    for (const [name, value] of Object.entries({ root, onError })) {
      if (value !== undefined && typeof value !== "function") {
        throw new TypeError(`Cannot make the site: ${name} is not a function`);
      }
    }
    this.#options = options;
    this.#owner = {
      root,
      openTimeoutMs,
      openConnections: this.#connections,
      match: (target) => this.#match(target),
      reportError: (error, connection) => this.#report(error, connection),
      left: (server) => void this.#servers.delete(server),
    };
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /**
   * Registers a handler for a path.
   *
   * @param path Path, such as `/echo`, or a `URLPattern` pathname, such as
   * `/rooms/:id`. The query of a request does not count. An exact path goes before
   * a pattern, and of patterns the one that was added first.
   * @param handler A class that extends {@linkcode Handler}: each connection gets
   * an instance. Or a function: it runs once for each connection, which is closed
   * with 1000 when it returns and with 1011 when it throws.
   * @param options Limits, origins, subprotocols.
   * @throws {TypeError} If the path does not begin with `/` or has a handler
   * already, or an argument is of the wrong kind.
   *
   * @example A function
   * ```ts
   * import { Site } from "@sockeye/sockeye";
   *
   * const site = new Site();
   * site.addHandler("/rooms/:id", async (connection) => {
   *   connection.send(`Welcome to ${connection.params.id}!`);
   *   for await (const message of connection) connection.send(message);
   * });
   * ```
   */
  addHandler<Data = unknown>(
    path: string,
    handler: HandlerClass<Data> | HandlerFunction<Data>,
    options: HandlerOptions = {},
  ): void {
    const { root: _, onError: __, openTimeoutMs: ___, ...defaults } =
      this.#options;
    this.#routes.add(
      path,
      handler as HandlerClass | HandlerFunction,
      options,
      { ...defaults, origins: defaults.origins ?? [] },
    );
  }

  /**
   * Removes the handler of a path. Connections that are open stay.
   *
   * @param path Path or pattern, as it was registered.
   * @returns Whether there was one.
   */
  removeHandler(path: string): boolean {
    return this.#routes.delete(path);
  }

  /**
   * Tells whether a path has a handler.
   *
   * @param path Path or pattern, as it was registered.
   */
  hasHandler(path: string): boolean {
    return this.#routes.has(path);
  }

  /**
   * Listens for raw connections, TCP, TLS or Unix. May be called several times.
   *
   * @param options Where.
   * @returns The server, which listens.
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws The runtime's own error if the address cannot be had.
   */
  async listen(options: ListenOptions): Promise<Server> {
    checkListenOptions(options);
    const { signal, ...where } = options;
    signal?.throwIfAborted();
    const server = new SiteServer(this.#owner, await loadRuntime());
    await server.listen(where);
    this.#servers.add(server);
    if (signal !== undefined) {
      const stop = () => void server.shutdown();
      signal.addEventListener("abort", stop, { once: true });
      server.finished.then(() => signal.removeEventListener("abort", stop));
      if (signal.aborted) stop();
    }
    return server;
  }

  /**
   * Sends a message to every open connection. It is framed once; a connection
   * that does not read delays no other.
   *
   * @param data Message, as for `send`. Bytes are copied.
   */
  broadcast(data: Sendable): BroadcastCount {
    const message = prepareMessage(toMessage(data));
    let sent = 0;
    let skipped = 0;
    for (const connection of this.#connections) {
      if (connection.sendPrepared(message)) sent++;
      else skipped++;
    }
    return { sent, skipped };
  }

  /**
   * Shuts all servers of the site down.
   *
   * @param options Close code, reason and deadline.
   * @throws {TypeError | RangeError} If code or reason may not be sent.
   */
  async shutdown(options?: ShutdownOptions): Promise<void> {
    const servers = [...this.#servers];
    await Promise.all(servers.map((server) => server.shutdown(options)));
  }

  #match(target: string): RouteMatch | "invalid" | undefined {
    return this.#routes.match(target);
  }

  #report(error: unknown, connection: Connection | undefined): void {
    const { onError } = this.#options;
    const cause = error instanceof Error ? error : new Error(String(error));
    try {
      if (onError === undefined) console.error(cause);
      else onError(cause, connection);
    } catch (failure) {
      // What reports errors must not cause any.
      console.error(failure);
    }
  }
}

function checkListenOptions(options: ListenOptions): void {
  checkKeys("listen", options, LISTEN_OPTION_NAMES);
  const { port, path, hostname, backlog, reusePort, signal, tls } = options;
  if ((port === undefined) === (path === undefined)) {
    throw new TypeError("Cannot listen: give either a port or a path");
  }
  if (port !== undefined) checkCount("port", port, 65_535);
  if (backlog !== undefined) checkCount("backlog", backlog, 2 ** 31 - 1);
  if (path === "" || !isOptional("string", path)) {
    throw new TypeError("Cannot listen: the path is no text, or empty");
  }
  if (!isOptional("string", hostname)) {
    throw new TypeError("Cannot listen: the hostname is not a string");
  }
  if (!isOptional("boolean", reusePort)) {
    throw new TypeError("Cannot listen: reusePort is not a boolean");
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("Cannot listen: signal is not an AbortSignal");
  }
  if (tls !== undefined) checkListenTls(tls);
}

function checkListenTls(tls: ListenTls): void {
  checkKeys("listen", tls, TLS_OPTION_NAMES);
  const { cert, key, alpnProtocols = [] } = tls;
  if (typeof cert !== "string" || typeof key !== "string") {
    throw new TypeError("Cannot listen: tls needs cert and key, as PEM texts");
  }
  if (
    !Array.isArray(alpnProtocols) ||
    !alpnProtocols.every((name) => typeof name === "string")
  ) {
    throw new TypeError("Cannot listen: alpnProtocols is no array of texts");
  }
}

function checkCount(name: string, value: unknown, most: number): void {
  checkAmount("listen", name, value);
  if (!Number.isInteger(value) || value as number > most) {
    throw new RangeError(`Cannot listen: ${name} is out of range: ${value}`);
  }
}

function isOptional(type: "boolean" | "string", value: unknown): boolean {
  return value === undefined || typeof value === type;
}
