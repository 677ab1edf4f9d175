/**
 * One listening socket of a site, and the connections that came through it.
 *
 * @module
 */

import { HeaderList, isUpgrade, type RequestHead } from "../codec.ts";
import {
  type Address,
  type Connection,
  type FrameListener,
  nowMs,
  type Ticker,
  tickerFor,
  type Ticking,
  timerMs,
} from "../connection.ts";
import type {
  LateUpgrade,
  Listener,
  Root,
  RootRequestInfo,
  Runtime,
  Transport,
  TransportListenOptions,
} from "../runtime/transport.ts";
import type { Accepted } from "./acceptance.ts";
import type { Crowd } from "./crowd.ts";
import type { Admission } from "./admission.ts";
import { Entrance, type EntranceOwner } from "./entrance.ts";
import type { Journal } from "./journal.ts";
import { type MakeConnection, Roster } from "./roster.ts";
import type { RouteMatch } from "./routes.ts";
import {
  type CloseOrder,
  Leaving,
  type ShutdownOptions,
  takeCloseOrder,
} from "./shutdown.ts";

/** Answers the requests that are not for a handler. */
export type RootHandler = (
  request: Request,
  info: RootRequestInfo,
) => Response | Promise<Response>;

/** A site that listens. */
export interface Server extends AsyncDisposable {
  /** Where it listens, with the real port. */
  readonly addr: Address;
  /** Settles when the server has shut down. Never rejects. */
  readonly finished: Promise<void>;
  /**
   * Stops accepting, refuses handshakes under way with 503, closes every
   * connection with 1001, and waits until all are gone. What was sent before
   * leaves first. Idempotent: what a second call says counts only where it ends a
   * drain.
   *
   * @throws {TypeError | RangeError} If code or reason may not be sent, or an
   * option is unknown or of the wrong kind.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /** Lets the server keep the process alive (the default). */
  ref(): void;
  /** Lets the process end although the server listens. */
  unref(): void;
}

/** The site that a server belongs to. */
export interface ServerOwner {
  /** Its root. */
  readonly root: RootHandler | undefined;
  /** How long a request head may take, in milliseconds. */
  readonly openTimeoutMs: number;
  /** Its open connections, on whichever server. */
  readonly crowd: Crowd;
  /** Told what happens. */
  readonly journal: Journal;
  /** Told of each frame. */
  readonly onFrame: FrameListener | undefined;
  /** Who may connect. */
  readonly admission: Admission;
  /** Finds a handler. */
  match(target: string): RouteMatch | "invalid" | undefined;
  /** Told of what a handler threw, or what failed underneath. */
  reportError(error: unknown, connection?: Connection): void;
  /** Told when a server has shut down. */
  left(server: SiteServer): void;
}

/** A request under way, wherever it came in. */
export interface Entry extends Ticking {
  /** Refuses it where it can: the server is going away. */
  shutDown(): void;
  /** Drops it. */
  drop(): void;
}

/** Implements {@linkcode Server}. */
export class SiteServer implements Server, EntranceOwner {
  isShuttingDown = false;

  readonly #site: ServerOwner;
  readonly #runtime: Runtime;
  readonly #ticker: Ticker;
  readonly #entries: Set<Entry> = new Set();
  readonly #roster: Roster;
  readonly #leaving: Leaving = new Leaving(() => this.#isEmpty);
  readonly #finished: PromiseWithResolvers<void> = Promise.withResolvers();
  #listener: Listener | undefined;
  #root: Root | undefined;
  #shutdown: Promise<void> | undefined;

  /**
   * @param site The site.
   * @param runtime The runtime at hand.
   * @param makeConnection Makes its connections, where they are of another kind.
   */
  constructor(
    site: ServerOwner,
    runtime: Runtime,
    makeConnection?: MakeConnection,
  ) {
    this.#site = site;
    this.#runtime = runtime;
    this.#ticker = tickerFor([site.openTimeoutMs], runtime);
    const left = (): void => this.#leaving.note();
    this.#roster = new Roster(site, runtime, left, makeConnection);
  }

  /** Listens. Rejects where the address cannot be had. */
  async listen(
    options: Omit<
      TransportListenOptions,
      "accept" | "acceptFailed" | "handshakeTimeoutMs"
    >,
  ): Promise<void> {
    this.#listener = await this.#runtime.listen({
      ...options,
      handshakeTimeoutMs: timerMs(this.openTimeoutMs),
      accept: (transport) => {
        transport.start(this.#enter(transport));
      },
      acceptFailed: (error) => this.reportError(error),
    });
    this.journal.listening(this.addr);
  }

  get addr(): Address {
    return this.#listener!.address;
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  get openTimeoutMs(): number {
    return this.#site.openTimeoutMs;
  }

  get journal(): Journal {
    return this.#site.journal;
  }

  get admission(): Admission {
    return this.#site.admission;
  }

  ref(): void {
    this.#listener!.ref();
  }

  unref(): void {
    this.#listener!.unref();
  }

  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const order = takeCloseOrder(options);
    const { drain = false } = options;
    if (!drain) this.#leaving.hurry(order);
    return this.#shutdown ??= this.#end(order, drain);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  // What entrances ask for.

  match(target: string): RouteMatch | "invalid" | undefined {
    return this.#site.match(target);
  }

  reportError(error: unknown, connection?: Connection): void {
    this.#site.reportError(error, connection);
  }

  /** Takes on a request that is under way. */
  enter(entry: Entry): void {
    this.#entries.add(entry);
    this.#ticker.add(entry);
  }

  leave(entry: Entry): void {
    this.#entries.delete(entry);
    this.#ticker.delete(entry);
    this.#leaving.note();
  }

  passToRoot(transport: Transport, bytes: Uint8Array): boolean {
    if (this.#site.root === undefined || this.isShuttingDown) return false;
    this.journal.passed++;
    this.#openRoot(this.#site.root).take(transport, bytes);
    return true;
  }

  open(accepted: Accepted, transport: Transport, early: Uint8Array): boolean {
    return this.#roster.open(accepted, transport, early);
  }

  #enter(transport: Transport): Entrance {
    const entrance = new Entrance(transport, this);
    this.enter(entrance);
    return entrance;
  }

  #openRoot(fetch: RootHandler): Root {
    return this.#root ??= this.#runtime.openRoot({
      fetch,
      claims: (request) => this.#claims(request),
      upgrade: (request, transport, leftover) =>
        this.#upgradeLate(request, transport, leftover),
      failed: (error) => this.reportError(error),
    });
  }

  /** Whether a request that the root has read is for a handler. */
  #claims(request: Request): boolean {
    if (!request.headers.has("upgrade")) return false;
    const url = new URL(request.url);
    const target = url.pathname + url.search;
    if (this.match(target) === undefined) return false;
    return isUpgrade(toHead(request.method, target, request.headers));
  }

  #upgradeLate(
    request: LateUpgrade,
    transport: Transport,
    leftover: Uint8Array,
  ): void {
    const entrance = this.#enter(transport);
    transport.sink = entrance;
    const { method, target, headers } = request;
    entrance.decide(toHead(method, target, headers), undefined, leftover);
  }

  async #end(order: CloseOrder, drain: boolean): Promise<void> {
    this.isShuttingDown = true;
    // Of a site in somebody else's server, which goes on, nothing is told.
    const address = this.#listener?.address;
    if (address) this.journal.shutdown(address, order, drain);
    const drained = drain ? this.#leaving.drain(order) : undefined;
    let deadlineMs = nowMs() + order.timeoutMs;
    await this.#listener?.close();
    for (const entry of this.#entries) entry.shutDown();
    if (drained !== undefined) {
      order = await drained;
      deadlineMs = nowMs() + order.timeoutMs;
    }
    const { code, reason, timeoutMs } = order;
    this.#roster.close(code, reason);
    await this.#leaving.wait(timeoutMs);
    for (const entry of this.#entries) entry.drop();
    this.#roster.drop();
    await this.#root?.close(Math.max(0, deadlineMs - nowMs()));
    this.#site.left(this);
    if (address) this.journal.finished(address);
    this.#finished.resolve();
  }

  /** Whether nobody is here any more. */
  get #isEmpty(): boolean {
    return this.#entries.size + this.#roster.size === 0;
  }
}

function toHead(
  method: string,
  target: string,
  headers: Iterable<readonly [string, string]>,
): RequestHead {
  const fields = HeaderList.from([...headers]);
  return { method, target, version: "HTTP/1.1", headers: fields };
}
