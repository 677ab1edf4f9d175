/**
 * One listening socket of a site, and the connections that came through it.
 *
 * @module
 */

import {
  encodeClose,
  HeaderList,
  isUpgrade,
  type RequestHead,
} from "../codec.ts";
import {
  type Address,
  checkAmount,
  checkKeys,
  type Connection,
  currentClock,
  type FrameListener,
  nowMs,
  type Ticker,
  tickerFor,
  type Ticking,
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

/** Answers the requests that are not for a handler. */
export type RootHandler = (
  request: Request,
  info: RootRequestInfo,
) => Response | Promise<Response>;

/** How to end a server. */
export interface ShutdownOptions {
  /**
   * Close code that the clients are sent.
   *
   * @default {1001}
   */
  readonly code?: number;
  /** Reason that the clients are sent, at most 123 bytes of UTF-8. */
  readonly reason?: string;
  /**
   * How long clients, and requests to the root, may take to finish, in
   * milliseconds. Then they are dropped.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
  /**
   * Whether to wait first, for `timeoutMs` too, until connections end by
   * themselves. Those that are left are then closed. Calling `shutdown` again,
   * without `drain`, cuts that short.
   *
   * @default {false}
   */
  readonly drain?: boolean;
}

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

const SHUTDOWN_OPTION_NAMES = new Set(["code", "reason", "timeoutMs", "drain"]);
const DEFAULT_SHUTDOWN_TIMEOUT_MS = 10_000;
/** Longest delay that a timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Implements {@linkcode Server}. */
export class SiteServer implements Server, EntranceOwner {
  isShuttingDown = false;

  readonly #site: ServerOwner;
  readonly #runtime: Runtime;
  readonly #ticker: Ticker;
  readonly #entrances: Set<Entry> = new Set();
  readonly #roster: Roster;
  readonly #finished: PromiseWithResolvers<void> = Promise.withResolvers();
  #listener: Listener | undefined;
  #root: Root | undefined;
  #shutdown: Promise<void> | undefined;
  /** Ends a drain, with what the last phase is to be done with. */
  #hurry: ((ending: CloseOrder) => void) | undefined;
  #emptied: (() => void) | undefined;

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
    const left = (): void => this.#checkEmpty();
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
      handshakeTimeoutMs: Math.min(this.openTimeoutMs, MAX_TIMER_MS),
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
    // Arguments are refused before anything changes.
    checkKeys("shut down", options, SHUTDOWN_OPTION_NAMES);
    const { code = 1001, reason = "", drain = false } = options;
    const { timeoutMs = DEFAULT_SHUTDOWN_TIMEOUT_MS } = options;
    checkAmount("shut down", "timeoutMs", timeoutMs);
    if (typeof drain !== "boolean") {
      throw new TypeError("Cannot shut down: drain is not a boolean");
    }
    encodeClose(code, reason);
    const order = {
      code,
      reason,
      timeoutMs: Math.min(timeoutMs, MAX_TIMER_MS),
    };
    if (!drain) this.#hurry?.(order);
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
    this.#entrances.add(entry);
    this.#ticker.add(entry);
  }

  leave(entrance: Entry): void {
    this.#entrances.delete(entrance);
    this.#ticker.delete(entrance);
    this.#checkEmpty();
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
    const drained = drain ? this.#drain(order) : undefined;
    let deadlineMs = nowMs() + order.timeoutMs;
    await this.#listener?.close();
    for (const entrance of this.#entrances) entrance.shutDown();
    if (drained !== undefined) {
      order = await drained;
      deadlineMs = nowMs() + order.timeoutMs;
    }
    const { code, reason, timeoutMs } = order;
    this.#roster.close(code, reason);
    await this.#empty(timeoutMs);
    for (const entrance of this.#entrances) entrance.drop();
    this.#roster.drop();
    await this.#root?.close(Math.max(0, deadlineMs - nowMs()));
    this.#site.left(this);
    if (address) this.journal.finished(address);
    this.#finished.resolve();
  }

  /** Whether nobody is here any more. */
  get #isEmpty(): boolean {
    return this.#entrances.size + this.#roster.size === 0;
  }

  /**
   * Waits until all connections have ended, or the time is up, or somebody will
   * not wait any more.
   *
   * @returns How to close those that are left.
   */
  async #drain(order: CloseOrder): Promise<CloseOrder> {
    const hurried = new Promise<CloseOrder>((resolve) => {
      this.#hurry = resolve;
    });
    const emptied = this.#empty(order.timeoutMs).then(() => order);
    const decided = await Promise.race([hurried, emptied]);
    this.#hurry = undefined;
    this.#emptied?.();
    return decided;
  }

  /** Waits until all connections are gone, at most for a while. */
  async #empty(timeoutMs: number): Promise<void> {
    if (this.#isEmpty) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    const clock = currentClock();
    const timer = clock.setTimeout(resolve, timeoutMs);
    await promise;
    clock.clearTimeout(timer);
  }

  #checkEmpty(): void {
    if (this.#isEmpty) this.#emptied?.();
  }
}

/** How to close the connections. */
export interface CloseOrder {
  readonly code: number;
  readonly reason: string;
  readonly timeoutMs: number;
}

function toHead(
  method: string,
  target: string,
  headers: Iterable<readonly [string, string]>,
): RequestHead {
  const fields = HeaderList.from([...headers]);
  return { method, target, version: "HTTP/1.1", headers: fields };
}
