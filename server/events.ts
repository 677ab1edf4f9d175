/**
 * What happens on a site, as loggers and metrics are told.
 *
 * @module
 */

import type { RefusalReason } from "../codec.ts";
import type {
  Address,
  CloseInfo,
  Connection,
  ConnectionRequest,
  ConnectionStats,
} from "../connection.ts";

/**
 * Something that happened on a site.
 *
 * Nothing of a request is in an event but its path: no query, no header, no cookie.
 * A listener that wants them takes them from `request` or `connection`.
 */
export type SiteEvent =
  | {
    /** A server listens. */
    readonly type: "listening";
    /** Where. */
    readonly address: Address;
  }
  | {
    /** A request was accepted; the handler is made next. */
    readonly type: "accepted";
    /** The request. */
    readonly request: ConnectionRequest;
    /** Its path, without the query. */
    readonly path: string;
    /** The path or pattern of its handler, as it was registered. */
    readonly route: string;
    /** Address of the client. */
    readonly remoteAddress: Address;
    /** Subprotocol agreed on, empty for none. */
    readonly subprotocol: string;
  }
  | {
    /** A request was refused, or what should have been one. */
    readonly type: "refused";
    /** Which rule; `"upgrade"` where the application refused. */
    readonly reason: RefusalReason | "upgrade";
    /** HTTP status of the answer; 101 where it was refused after the opening. */
    readonly status: number;
    /** Path of the request without the query, where it came to one. */
    readonly path?: string;
    /** Address of the client. */
    readonly remoteAddress: Address;
  }
  | {
    /** A connection is open; its handler's `open` is called next. */
    readonly type: "opened";
    /** The connection. */
    readonly connection: Connection;
    /** Its name. */
    readonly id: string;
    /** Path of its request, without the query. */
    readonly path: string;
    /** The path or pattern of its handler. */
    readonly route: string;
    /** Address of the client. */
    readonly remoteAddress: Address;
  }
  | {
    /** A connection is gone; its handler's `close` may still be to come. */
    readonly type: "closed";
    /** The connection. */
    readonly connection: Connection;
    /** Its name. */
    readonly id: string;
    /** Path of its request, without the query. */
    readonly path: string;
    /** The path or pattern of its handler. */
    readonly route: string;
    /** Address of the client. */
    readonly remoteAddress: Address;
    /** How it ended. */
    readonly info: CloseInfo;
    /** What went over it; messages that wait for its handler are not received. */
    readonly stats: ConnectionStats;
    /**
     * How long it was open, in milliseconds; absent where nobody watched the site
     * when it was opened.
     */
    readonly durationMs?: number;
  }
  | {
    /** A handler or the root threw, or something underneath failed. */
    readonly type: "error";
    /** What was thrown. */
    readonly error: Error;
    /** The connection, where it is one's. */
    readonly connection?: Connection;
    /** Its name. */
    readonly id?: string;
  }
  | {
    /**
     * Something blocked the event loop, most often a handler: timers of connections
     * came a quarter of a second late, or more.
     */
    readonly type: "delayed";
    /**
     * How late, in milliseconds. The loop was blocked for that long, or up to a
     * second longer. Nobody is given up for what could not be read meanwhile.
     */
    readonly lateMs: number;
  }
  | {
    /** A server begins to shut down. */
    readonly type: "shutdown";
    /** Where it listened. */
    readonly address: Address;
    /** Close code that clients are sent. */
    readonly code: number;
    /** Reason that clients are sent. */
    readonly reason: string;
    /** How long they have, in milliseconds. */
    readonly timeoutMs: number;
    /** Whether it waits first until they end by themselves. */
    readonly drain: boolean;
  }
  | {
    /** A server has shut down. */
    readonly type: "finished";
    /** Where it listened. */
    readonly address: Address;
  };

/**
 * Told what happens on a site, when it happens. What it throws is written to the
 * console, and harms nothing. It may close or use connections.
 */
export type SiteListener = (event: SiteEvent) => void;

/** Causes of an ending that say nothing is wrong. */
const ORDINARY_CAUSES: readonly string[] = ["peer", "local", "shutdown"];

/** Tells whether something went wrong with a connection. */
export function isFailure(info: CloseInfo): boolean {
  return info.error !== undefined || !ORDINARY_CAUSES.includes(info.cause);
}

/** Counters of a site, from its beginning. */
export interface SiteStats extends ConnectionStats {
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that are closing now. */
  readonly closing: number;
  /** Connections that were opened. */
  readonly opened: number;
  /** Connections that are gone. */
  readonly closed: number;
  /** How many of those ended for which cause. */
  readonly closedFor: Readonly<Record<string, number>>;
  /** Requests that were refused. */
  readonly refused: number;
  /** How many of those for which reason, as in the event `refused`. */
  readonly refusedFor: Readonly<Record<string, number>>;
  /**
   * Client connections whose first request went to the root; where the site is
   * hosted, requests that did.
   */
  readonly passed: number;
  /** Errors of handlers, of the root, and of what is underneath. */
  readonly errors: number;
}
