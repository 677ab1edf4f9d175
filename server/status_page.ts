/**
 * A page that shows what a site is doing, live.
 *
 * @module
 */

import {
  checkAmount,
  checkKeys,
  checkType,
  type Clock,
  type Connection,
  currentClock,
  Handler,
  timerMs,
} from "../connection.ts";
import type { SiteListener, SiteStats } from "./events.ts";
import type { OriginRules } from "./origin.ts";
import type { HandlerClass, HandlerOptions } from "./routes.ts";
import { statusMarkup } from "./status_markup.ts";

/** How to set a status page up. */
export interface StatusPageOptions {
  /**
   * Path of the page, and of the WebSocket that feeds it.
   *
   * @default {"/status"}
   */
  readonly path?: string;
  /**
   * How often the page is brought up to date, in milliseconds; connections that
   * come and go are shown a tenth of a second later at most.
   *
   * @default {1_000}
   */
  readonly intervalMs?: number;
  /**
   * Most connections that are listed, the oldest first.
   *
   * @default {500}
   */
  readonly maxConnections?: number;
  /**
   * Decides who may see the feed, as a handler's `upgrade` does. The page itself
   * holds no data: it is the feed that needs protection.
   */
  readonly upgrade?: NonNullable<HandlerClass["upgrade"]>;
  /** Origins whose pages may read the feed; the site's own host where absent. */
  readonly origins?: OriginRules;
}

/** As much of a site as the page needs. */
export interface StatusSite {
  /** Its counters. */
  readonly stats: SiteStats;
  /** Its open connections. */
  readonly connections: ReadonlySet<Connection>;
  /** Its paths. */
  readonly paths: readonly string[];
  /** Tells a listener what happens. */
  watch(listener: SiteListener): () => void;
  /** Registers a handler. */
  addHandler(
    path: string,
    handler: HandlerClass,
    options?: HandlerOptions,
  ): void;
}

const OPTION_NAMES = new Set([
  "path",
  "intervalMs",
  "maxConnections",
  "upgrade",
  "origins",
]);

/** How soon a connection that came or went is shown, in milliseconds. */
const SOON_MS = 100;

/** One connection, as the page shows it. */
interface Row {
  readonly id: string;
  readonly path: string;
  readonly address: string;
  /** How long it has been open, in milliseconds; `null` where that is not known. */
  readonly ageMs: number | null;
  readonly latencyMs: number | null;
  readonly bufferedBytes: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/**
 * Makes a page that shows a site's paths, connections and counters live, over a
 * WebSocket of its own on the same path.
 *
 * It shows the addresses of clients and the paths that they asked for: give it an
 * `upgrade`, or let the site's own decide, where not everybody may see that. The
 * page is one document that loads nothing, under a strict `Content-Security-Policy`.
 *
 * @param site The site. The feed is registered as a handler.
 * @param options Where, how often, and for whom.
 * @returns A handler for the site's root. It answers requests for its path with the
 * page, and all others with 404.
 * @throws {TypeError} If an option is unknown or of the wrong kind, or the path has
 * a handler already.
 * @throws {RangeError} If a number is negative or NaN.
 *
 * @example
 * ```ts
 * import { Site, statusPage } from "@sockeye/sockeye";
 *
 * const site = new Site({ root: (request) => status(request) });
 * const status = statusPage(site, { path: "/status" });
 * ```
 */
export function statusPage(
  site: StatusSite,
  options: StatusPageOptions = {},
): (request: Request) => Response {
  checkKeys("make the status page", options, OPTION_NAMES);
  const { path = "/status", upgrade, origins } = options;
  checkType("make the status page", "upgrade", upgrade, "function");
  const feed = new StatusFeed(site, options);
  class StatusHandler extends Handler {
    override open(): void {
      feed.join(this.connection);
    }
    override close(): void {
      feed.leave(this.connection);
    }
  }
  const handlerClass: HandlerClass = StatusHandler;
  if (upgrade !== undefined) handlerClass.upgrade = upgrade;
  site.addHandler(path, handlerClass, {
    // It has nothing to be told.
    maxMessageBytes: 0,
    ...(origins !== undefined && { origins }),
  });
  return (request) => respond(request, path);
}

function respond(request: Request, path: string): Response {
  const url = new URL(request.url);
  if (url.pathname !== path) {
    return new Response("Not found.\n", { status: 404 });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("The method must be GET.\n", {
      status: 405,
      headers: { allow: "GET, HEAD" },
    });
  }
  const random = crypto.getRandomValues(new Uint8Array(16));
  const nonce = btoa(String.fromCharCode(...random));
  const body = request.method === "HEAD" ? null : statusMarkup(nonce);
  return new Response(body, {
    headers: {
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      // Not every browser counts `ws:` as `'self'`.
      "content-security-policy": [
        "default-src 'none'",
        `style-src 'nonce-${nonce}'`,
        `script-src 'nonce-${nonce}'`,
        "img-src data:",
        `connect-src 'self' ws://${url.host} wss://${url.host}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join("; "),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

/** Sends pages what they show. */
class StatusFeed {
  readonly #site: StatusSite;
  readonly #intervalMs: number;
  readonly #maxConnections: number;
  readonly #viewers: Set<Connection> = new Set();
  readonly #openedMs: WeakMap<Connection, number> = new WeakMap();
  readonly #clock: Clock = currentClock();
  #timer: unknown;
  #dueMs = 0;

  constructor(site: StatusSite, options: StatusPageOptions) {
    const { intervalMs = 1_000, maxConnections = 500 } = options;
    checkAmount("make the status page", "intervalMs", intervalMs);
    checkAmount("make the status page", "maxConnections", maxConnections);
    this.#site = site;
    this.#intervalMs = timerMs(Math.max(intervalMs, SOON_MS));
    this.#maxConnections = maxConnections;
    site.watch((event) => {
      if (event.type === "opened") {
        this.#openedMs.set(event.connection, this.#clock.nowMs());
      }
      if (event.type === "opened" || event.type === "closed") {
        this.#schedule(SOON_MS);
      }
    });
  }

  join(connection: Connection): void {
    this.#viewers.add(connection);
    connection.send(this.#snapshot());
    this.#schedule(this.#intervalMs);
  }

  leave(connection: Connection): void {
    this.#viewers.delete(connection);
    if (this.#viewers.size > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Sends at that time, or at an earlier one that is set. */
  #schedule(delayMs: number): void {
    if (this.#viewers.size === 0) return;
    const dueMs = this.#clock.nowMs() + delayMs;
    if (this.#timer !== undefined) {
      if (this.#dueMs <= dueMs) return;
      this.#clock.clearTimeout(this.#timer);
    }
    this.#dueMs = dueMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#send();
      this.#schedule(this.#intervalMs);
    }, delayMs);
  }

  #send(): void {
    const snapshot = this.#snapshot();
    for (const viewer of this.#viewers) {
      // One that does not read is shown the next one it has room for.
      if (viewer.bufferedAmount === 0) viewer.send(snapshot);
    }
  }

  #snapshot(): string {
    const { stats, paths, connections } = this.#site;
    const rows: Row[] = [];
    for (const connection of connections) {
      if (rows.length >= this.#maxConnections) break;
      rows.push(this.#row(connection));
    }
    return JSON.stringify({ stats, paths, connections: rows });
  }

  #row(connection: Connection): Row {
    const { stats, remoteAddress } = connection;
    const openedMs = this.#openedMs.get(connection);
    return {
      id: connection.id,
      path: new URL(connection.request.url).pathname,
      address: remoteAddress.transport === "unix"
        ? "unix"
        : `${remoteAddress.hostname} ${remoteAddress.port}`,
      ageMs: openedMs === undefined
        ? null
        : Math.floor(this.#clock.nowMs() - openedMs),
      latencyMs: connection.latencyMs ?? null,
      bufferedBytes: connection.bufferedAmount,
      messagesReceived: stats.messagesReceived,
      messagesSent: stats.messagesSent,
      bytesReceived: stats.bytesReceived,
      bytesSent: stats.bytesSent,
    };
  }
}
