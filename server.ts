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
  type Connection,
  type HandlerFunction,
  type Sendable,
  type SocketConnection,
  toMessage,
} from "./connection.ts";
import { loadRuntime } from "./runtime/transport.ts";
import {
  checkListenOptions,
  type ListenOptions,
} from "./server/listen_options.ts";
import type { RouteCallbacks } from "./server/route_callbacks.ts";
import {
  type HandlerClass,
  type HandlerOptions,
  type RouteMatch,
  Routes,
} from "./server/routes.ts";
import { checkSiteOptions, type SiteOptions } from "./server/site_options.ts";
import {
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
  type HandlerCallbacks,
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
export type { ListenOptions } from "./server/listen_options.ts";
export type { OriginRule, OriginRules } from "./server/origin.ts";
export type {
  HandlerClass,
  HandlerOptions,
  UpgradeAcceptance,
  UpgradeDecision,
  UpgradeInfo,
} from "./server/routes.ts";
export type { RouteCallbacks } from "./server/route_callbacks.ts";
export type { SiteOptions } from "./server/site_options.ts";
export type {
  RootHandler,
  Server,
  ShutdownOptions,
} from "./server/site_server.ts";

/** How many connections a broadcast went to. */
export interface BroadcastCount {
  /** Connections that took the message. */
  readonly sent: number;
  /** Connections that did not: closing, or over the limit of their send buffer. */
  readonly skipped: number;
}

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
    checkSiteOptions(options);
    const { root, openTimeoutMs = 10_000 } = options;
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
   * with 1000 when it returns and with 1011 when it throws. Or an object of
   * callbacks, which are told the connection first.
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
   *
   * @example Callbacks
   * ```ts
   * import { Site } from "@sockeye/sockeye";
   *
   * const site = new Site();
   * site.addHandler("/echo", {
   *   open: (connection) => console.log("hello", connection.remoteAddress),
   *   message: (connection, data) => void connection.send(data),
   *   close: (_connection, info) => console.log("bye", info.code),
   * });
   * ```
   */
  addHandler<Data = unknown>(
    path: string,
    handler: HandlerClass<Data> | HandlerFunction<Data> | RouteCallbacks<Data>,
    options: HandlerOptions = {},
  ): void {
    const { root: _, onError: __, openTimeoutMs: ___, ...defaults } =
      this.#options;
    this.#routes.add(
      path,
      handler as HandlerClass | HandlerFunction | RouteCallbacks,
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
