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

import {
  type BroadcastCount,
  type BroadcastOptions,
  compressionLoaded,
  type Connection,
  type ConnectionSite,
  type HandlerFunction,
  type PublishOptions,
  type Sendable,
} from "./connection.ts";
import { loadRuntime } from "./runtime/transport.ts";
import { Crowd } from "./server/crowd.ts";
import type { SiteListener, SiteStats } from "./server/events.ts";
import { Journal } from "./server/journal.ts";
import { Admission } from "./server/admission.ts";
import { Hosted } from "./server/hosted/hosted.ts";
import {
  type HostedWebSocket,
  makeHostedWebSocket,
} from "./server/hosted/websocket.ts";
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
import type { ShutdownOptions } from "./server/shutdown.ts";
import {
  type Server,
  type ServerOwner,
  SiteServer,
} from "./server/site_server.ts";
import { telemetryListeners } from "./server/telemetry.ts";

export {
  type BroadcastCount,
  type BroadcastOptions,
  type BroadcastOverflow,
  type ByteStream,
  byteStream,
  type ByteStreamOptions,
  type CloseCause,
  ClosedError,
  type CloseInfo,
  type CompressionOptions,
  type Connection,
  type ConnectionOptions,
  type ConnectionRequest,
  type ConnectionResponse,
  type ConnectionSite,
  type ConnectionStats,
  type FrameListener,
  frameLogger,
  type FrameLoggerOptions,
  type FrameTrace,
  Handler,
  type HandlerCallbacks,
  type HandlerFunction,
  type Hooks,
  type MessageChunks,
  type PublishOptions,
  type Sendable,
  type SendOptions,
  type StreamedBinary,
  type StreamedMessage,
  type StreamedText,
} from "./connection.ts";
export type {
  Address,
  ListenTls,
  RootRequestInfo,
} from "./runtime/transport.ts";
export type { Broker } from "./server/broker.ts";
export {
  consoleLogger,
  type ConsoleLoggerOptions,
  type LogLevel,
} from "./server/console_logger.ts";
export type { SiteEvent, SiteListener, SiteStats } from "./server/events.ts";
export type { AdmissionOptions } from "./server/admission.ts";
export {
  basicAuth,
  type BasicAuthData,
  type BasicAuthOptions,
} from "./server/basic_auth.ts";
export { parseCookies } from "./server/cookies.ts";
export type { ForwardedHeader } from "./server/forwarded.ts";
export {
  type HostCapability,
  type HostCapabilityName,
  HOSTED_CAPABILITIES,
  type HostSupport,
  UnsupportedError,
} from "./server/hosted/capabilities.ts";
export type {
  HostedPeer,
  HostedSocket,
  HostedWebSocket,
} from "./server/hosted/websocket.ts";
export type { ListenOptions } from "./server/listen_options.ts";
export type { OriginRule, OriginRules } from "./server/origin.ts";
export {
  type RefusalAfterOpen,
  refuseAfterOpen,
} from "./server/refuse_after_open.ts";
export type {
  HandlerClass,
  HandlerOptions,
  UpgradeAcceptance,
  UpgradeDecision,
  UpgradeFunction,
  UpgradeInfo,
} from "./server/routes.ts";
export type { RouteCallbacks } from "./server/route_callbacks.ts";
export type { SiteOptions } from "./server/site_options.ts";
export {
  statusPage,
  type StatusPageOptions,
  type StatusSite,
} from "./server/status_page.ts";
export type {
  Telemetry,
  TelemetryAttributes,
  TelemetryInstrumentOptions,
  TelemetryMeter,
  TelemetrySpan,
  TelemetryTracer,
} from "./server/telemetry.ts";
export type { SlowPeerOptions } from "./server/slow_peers.ts";
export type { ShutdownOptions } from "./server/shutdown.ts";
export type { RootHandler, Server } from "./server/site_server.ts";

/**
 * Handlers by path, for any number of listening sockets, and for the servers of the
 * runtimes.
 *
 * The site reads each request itself. One that asks for a WebSocket on a path with
 * a handler is checked and upgraded; every other belongs to the root.
 *
 * As `export default` of a program it is run by `deno serve` and `bun run`, which
 * take `fetch` and `websocket`.
 */
export class Site implements ConnectionSite {
  /**
   * Answers a request in a server of the runtime's own: a fetch handler for
   * `Deno.serve(site.fetch)`, for `Bun.serve({ fetch: site.fetch, websocket:
   * site.websocket })`, and for whatever is called by those.
   *
   * What asks for a WebSocket on a path with a handler is checked as on a socket
   * of the site's own, with the same answers, and upgraded. Every other request
   * goes to the root; where there is none it is answered 404, or 426 on the path
   * of a handler. Ask {@linkcode Site.claims} first to answer it yourself.
   *
   * What hosted connections cannot do is in {@linkcode HOSTED_CAPABILITIES} and
   * throws an {@linkcode UnsupportedError}. On Node, whose HTTP server has no
   * WebSockets, the answer is 501.
   *
   * @param request The request.
   * @param info What the host passed beside it: Deno's `{ remoteAddr }`, Bun's
   * server or `{ server }`. For a request that is for the root also
   * `{ remoteAddress }`.
   * @returns The answer. On Bun it means nothing after an upgrade.
   * @throws {TypeError} If `info` is not what the host passes.
   */
  readonly fetch: (
    request: Request,
    info: unknown,
  ) => Response | Promise<Response> = (request, info) =>
    this.#hosted.fetch(request, info);

  /** What `Bun.serve` is to be given as `websocket`, beside `fetch`. */
  readonly websocket: HostedWebSocket = makeHostedWebSocket(() => {
    // It is asked for when the server starts.
    void this.#hosted.prepare();
    return this.#routes.maxMessageBytes;
  });

  readonly #routes: Routes = new Routes();
  readonly #options: SiteOptions;
  readonly #servers: Set<SiteServer> = new Set();
  readonly #crowd: Crowd;
  readonly #journal: Journal;
  readonly #owner: ServerOwner;
  readonly #hosted: Hosted;

  /**
   * Makes a site without handlers.
   *
   * @param options Root, limits and times.
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {RangeError} If a number is negative or NaN.
   */
  constructor(options: SiteOptions = {}) {
    checkSiteOptions(options);
    const { root, openTimeoutMs = 10_000, onEvent, onFrame } = options;
    this.#options = options;
    this.#crowd = new Crowd({
      site: this,
      broker: options.broker,
      reportError: (error) => this.#report(error, undefined),
    });
    this.#journal = new Journal(this.#crowd.connections);
    if (onEvent !== undefined) this.#journal.watch(onEvent);
    const { telemetry } = options;
    if (telemetry !== undefined) {
      const listeners = telemetryListeners(telemetry, () => this.stats);
      for (const listener of listeners) this.#journal.watch(listener);
    }
    this.#owner = {
      root,
      openTimeoutMs,
      crowd: this.#crowd,
      journal: this.#journal,
      onFrame,
      admission: new Admission(options),
      match: (target) => this.#match(target),
      reportError: (error, connection) => this.#report(error, connection),
      left: (server) => void this.#servers.delete(server),
    };
    this.#hosted = new Hosted(this.#owner);
  }

  /** The connections that are open now. */
  get connections(): ReadonlySet<Connection> {
    return this.#crowd.connections;
  }

  /**
   * The topics that somebody is subscribed to, in this process, and who: see
   * {@linkcode Connection.subscribe}.
   */
  get topics(): ReadonlyMap<string, ReadonlySet<Connection>> {
    return this.#crowd.topics.members;
  }

  /** Counters. They are put together when asked for: keep what you compare. */
  get stats(): SiteStats {
    return this.#journal.stats;
  }

  /** Paths and patterns that have a handler. */
  get paths(): readonly string[] {
    return this.#routes.paths;
  }

  /**
   * Tells a listener what happens on the site from now on, as `onEvent` is told.
   *
   * @param listener Called with each event, at once.
   * @returns Stops telling it.
   * @throws {TypeError} If it is no function.
   */
  watch(listener: SiteListener): () => void {
    if (typeof listener !== "function") {
      throw new TypeError("Cannot watch the site: the listener is no function");
    }
    return this.#journal.watch(listener);
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
    this.#routes.add(
      path,
      handler as HandlerClass | HandlerFunction | RouteCallbacks,
      options,
      { ...this.#options, origins: this.#options.origins ?? [] },
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
    await compressionLoaded();
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
   * Tells whether a request asks for a WebSocket on a path with a handler, so that
   * {@linkcode Site.fetch} should answer it.
   *
   * @param request The request.
   *
   * @example In a fetch handler of your own
   * ```ts
   * import { Site } from "@sockeye/sockeye";
   *
   * const site = new Site();
   * site.addHandler("/echo", async (connection) => {
   *   for await (const message of connection) connection.send(message);
   * });
   *
   * function handle(request: Request, info: unknown) {
   *   if (site.claims(request)) return site.fetch(request, info);
   *   return new Response("Hello");
   * }
   * ```
   */
  claims(request: Request): boolean {
    return this.#hosted.claims(request);
  }

  /**
   * Sends a message to every open connection of this process. It is framed once;
   * a connection that does not read delays no other, see `broadcastOverflow`.
   *
   * It goes to those who are connected when it is called, whoever comes or goes
   * meanwhile.
   *
   * @param data Message, as for `send`. Bytes are copied.
   * @param options Who gets it; everybody where absent, the sender included.
   * @throws {TypeError} If an argument is of the wrong kind.
   */
  broadcast(data: Sendable, options?: BroadcastOptions): BroadcastCount {
    return this.#crowd.broadcast(data, options);
  }

  /**
   * Sends a message to everyone who is subscribed to a topic; as `broadcast`
   * otherwise. With a broker it goes to the other processes of the site as well,
   * where `except` does not count.
   *
   * @param topic Topic.
   * @param data Message, as for `send`. Bytes are copied.
   * @param options Who does not get it.
   * @returns How many connections it went to, of those in this process.
   * @throws {TypeError} If an argument is of the wrong kind.
   *
   * @example Rooms
   * ```ts
   * import { Site } from "@sockeye/sockeye";
   *
   * const site = new Site();
   * site.addHandler("/rooms/:id", async (connection) => {
   *   const room = connection.params.id!;
   *   connection.subscribe(room);
   *   for await (const message of connection) site.publish(room, message);
   * });
   * ```
   */
  publish(
    topic: string,
    data: Sendable,
    options?: PublishOptions,
  ): BroadcastCount {
    return this.#crowd.publish(topic, data, options);
  }

  /**
   * Shuts all servers of the site down, and ends the hosted connections. The
   * host itself goes on; what it asks the site for is answered 503.
   *
   * @param options Close code, reason, deadline, and whether to drain first.
   * @throws {TypeError | RangeError} If code or reason may not be sent.
   */
  async shutdown(options?: ShutdownOptions): Promise<void> {
    const servers = [...this.#servers];
    await Promise.all([
      this.#hosted.shutdown(options),
      ...servers.map((server) => server.shutdown(options)),
    ]);
  }

  #match(target: string): RouteMatch | "invalid" | undefined {
    return this.#routes.match(target);
  }

  #report(error: unknown, connection: Connection | undefined): void {
    const { onError, onEvent } = this.#options;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#journal.failed(cause, connection);
    try {
      if (onError !== undefined) onError(cause, connection);
      else if (onEvent === undefined) console.error(cause);
    } catch (failure) {
      // What reports errors must not cause any.
      console.error(failure);
    }
  }
}
