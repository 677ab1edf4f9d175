/**
 * Counts what happens on a site, and tells those who watch it.
 *
 * Nothing is done for a message: what went over a connection is read off its own
 * counters, when it is gone or when somebody asks.
 *
 * @module
 */

import type { Refusal, RefusalResponse } from "../codec.ts";
import {
  type Address,
  type Connection,
  type ConnectionStats,
  nowMs,
  type SocketConnection,
  watchDelays,
} from "../connection.ts";
import type { Accepted } from "./acceptance.ts";
import type { SiteEvent, SiteListener, SiteStats } from "./events.ts";
import type { CloseOrder } from "./shutdown.ts";

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
type RefusedReason = (SiteEvent & { type: "refused" })["reason"];

const NO_TRAFFIC: ConnectionStats = {
  bytesReceived: 0,
  bytesSent: 0,
  payloadBytesReceived: 0,
  payloadBytesSent: 0,
  framesReceived: 0,
  framesSent: 0,
  messagesReceived: 0,
  messagesSent: 0,
  messagesDropped: 0,
};
const TRAFFIC_NAMES = Object.keys(NO_TRAFFIC) as (keyof ConnectionStats)[];

/** The journal of one site. */
export class Journal {
  /** How often the root was asked: see `SiteStats`. */
  passed = 0;

  // Replaced by each change: a listener may come or go while others are told.
  #listeners: readonly SiteListener[] = [];
  readonly #open: ReadonlySet<SocketConnection>;
  readonly #closing: Set<SocketConnection> = new Set();
  /** When connections were opened, while somebody watched. */
  readonly #openedMs: WeakMap<SocketConnection, number> = new WeakMap();
  #opened = 0;
  #closed = 0;
  /** Stops watching for delays, which shows only while there are connections. */
  #unwatchDelays: () => void = () => {};
  #errors = 0;
  readonly #closedFor: Map<string, number> = new Map();
  readonly #refusedFor: Map<string, number> = new Map();
  /** What went over the connections that are gone. */
  readonly #gone: Mutable<ConnectionStats> = { ...NO_TRAFFIC };

  /** @param open The site's open connections. */
  constructor(open: ReadonlySet<SocketConnection>) {
    this.#open = open;
  }

  /**
   * Tells a listener of all that happens from now on.
   *
   * @returns Stops telling it.
   */
  watch(listener: SiteListener): () => void {
    // One of its own: the same listener may be given twice.
    const told: SiteListener = (event) => listener(event);
    this.#listeners = [...this.#listeners, told];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== told);
    };
  }

  /** Counters so far. */
  get stats(): SiteStats {
    const traffic = { ...this.#gone };
    for (const connection of this.#open) add(traffic, connection.stats);
    for (const connection of this.#closing) add(traffic, connection.stats);
    let refused = 0;
    for (const count of this.#refusedFor.values()) refused += count;
    return {
      open: this.#open.size,
      closing: this.#closing.size,
      opened: this.#opened,
      closed: this.#closed,
      closedFor: Object.fromEntries(this.#closedFor),
      refused,
      refusedFor: Object.fromEntries(this.#refusedFor),
      passed: this.passed,
      errors: this.#errors,
      ...traffic,
    };
  }

  /** A server listens. */
  listening(address: Address): void {
    this.#tell(() => ({ type: "listening", address }));
  }

  /** A request was accepted. */
  accepted(accepted: Accepted): void {
    const { match, request, subprotocol, refusal } = accepted;
    const { remoteAddress } = accepted.client;
    if (refusal !== undefined) {
      const { pathname } = new URL(request.url);
      return this.refused(accepted.response, pathname, remoteAddress);
    }
    this.#tell(() => ({
      type: "accepted",
      request,
      path: pathOf(request.url),
      route: match.route.path,
      remoteAddress,
      subprotocol,
    }));
  }

  /**
   * A request was refused.
   *
   * @param answer What it was answered, or the bytes of that.
   * @param target Its target, where it had one.
   * @param remoteAddress Where it came from.
   */
  refused(
    answer: RefusalResponse | Uint8Array,
    target: string | undefined,
    remoteAddress: Address,
  ): void {
    const reason = reasonOf(answer);
    count(this.#refusedFor, reason);
    this.#tell(() => ({
      type: "refused",
      reason,
      status: statusOf(answer),
      ...(target !== undefined && { path: withoutQuery(target) }),
      remoteAddress,
    }));
  }

  /** A connection is open. */
  opened(connection: SocketConnection): void {
    if (this.#opened++ === this.#closed) {
      this.#unwatchDelays = watchDelays(this.#onDelay);
    }
    if (this.#listeners.length === 0) return;
    this.#openedMs.set(connection, nowMs());
    this.#tell(() => ({ type: "opened", ...describe(connection) }));
  }

  /** A connection is open no more. */
  closing(connection: SocketConnection): void {
    this.#closing.add(connection);
  }

  /** There was no connection after all. */
  discarded(connection: SocketConnection): void {
    this.#closing.delete(connection);
  }

  /** A connection is gone. */
  closed(connection: SocketConnection): void {
    this.#closing.delete(connection);
    const info = connection.link.info!;
    const { stats } = connection;
    add(this.#gone, stats);
    if (++this.#closed === this.#opened) this.#unwatchDelays();
    count(this.#closedFor, info.cause);
    this.#tell(() => {
      const openedMs = this.#openedMs.get(connection);
      return {
        type: "closed",
        ...describe(connection),
        info,
        stats,
        ...(openedMs !== undefined && { durationMs: nowMs() - openedMs }),
      };
    });
  }

  readonly #onDelay = (lateMs: number): void =>
    this.#tell(() => ({ type: "delayed", lateMs }));

  /** Something was thrown, or failed. */
  failed(error: Error, connection: Connection | undefined): void {
    this.#errors++;
    this.#tell(() => ({
      type: "error",
      error,
      ...(connection && { connection, id: connection.id }),
    }));
  }

  /** A server begins to shut down. */
  shutdown(address: Address, order: CloseOrder, drain: boolean): void {
    this.#tell(() => ({ type: "shutdown", address, ...order, drain }));
  }

  /** A server has shut down. */
  finished(address: Address): void {
    this.#tell(() => ({ type: "finished", address }));
  }

  /** Tells everybody; the event is made only where somebody listens. */
  #tell(makeEvent: () => SiteEvent): void {
    if (this.#listeners.length === 0) return;
    const event = makeEvent();
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // Not as an error of the site's: that would be told to the same listener.
        console.error(error);
      }
    }
  }
}

/** What events say of a connection. */
function describe(connection: SocketConnection): {
  connection: Connection;
  id: string;
  path: string;
  route: string;
  remoteAddress: Address;
} {
  const { id, request, link, remoteAddress } = connection;
  const path = pathOf(request.url);
  const route = link.settings.path ?? path;
  return { connection, id, path, route, remoteAddress };
}

function add(
  sum: Mutable<ConnectionStats>,
  summand: ConnectionStats,
): void {
  for (const name of TRAFFIC_NAMES) sum[name] += summand[name];
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function reasonOf(answer: RefusalResponse | Uint8Array): RefusedReason {
  if (answer instanceof Uint8Array || !("reason" in answer)) return "upgrade";
  return (answer as Refusal).reason;
}

function statusOf(answer: RefusalResponse | Uint8Array): number {
  if (!(answer instanceof Uint8Array)) return answer.status;
  // The bytes are a response of our own making: `HTTP/1.1 401 …`.
  return Number(String.fromCharCode(...answer.subarray(9, 12)));
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}

function withoutQuery(target: string): string {
  // In its absolute form a target may hold a password.
  if (!target.startsWith("/")) return URL.parse(target)?.pathname ?? "";
  const at = target.indexOf("?");
  return at < 0 ? target : target.slice(0, at);
}
