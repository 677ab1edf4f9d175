/**
 * What a connection and the site that it belongs to are to each other.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import type { Sendable } from "./sendable.ts";
import type { SocketConnection } from "./socket_connection.ts";

/** How many connections a message for many went to. */
export interface BroadcastCount {
  /** Connections that took the message, those included where it has to wait. */
  readonly sent: number;
  /** Connections that were meant, and did not: closing, or too slow. */
  readonly skipped: number;
}

/** Who gets what is published. */
export interface PublishOptions {
  /** Connections that do not get it: one, or several. */
  readonly except?: Connection | Iterable<Connection>;
  /**
   * Whether it may be compressed for those with whom that was agreed on; see
   * {@linkcode SendOptions.compress}.
   *
   * @default {true}
   */
  readonly compress?: boolean;
}

/** Who gets a broadcast, and how. */
export interface BroadcastOptions extends PublishOptions {
  /**
   * Tells whether a connection gets it. Asked about everybody before anything is
   * sent: when it throws, nobody has got the message.
   */
  readonly filter?: (connection: Connection) => boolean;
  /**
   * Only the connections of one handler: the path or pattern, as it was
   * registered.
   */
  readonly path?: string;
}

/** What a connection sees of its site; a `Site` is one. */
export interface ConnectionSite {
  /** The connections that are open now. */
  readonly connections: ReadonlySet<Connection>;
  /** The topics that somebody is subscribed to, and who. */
  readonly topics: ReadonlyMap<string, ReadonlySet<Connection>>;
  /**
   * Sends a message to every open connection.
   *
   * @param data Message, as for `send`. Bytes are copied.
   * @param options Who gets it; everybody where absent.
   */
  broadcast(data: Sendable, options?: BroadcastOptions): BroadcastCount;
  /**
   * Sends a message to everyone who is subscribed to a topic.
   *
   * @param topic Topic.
   * @param data Message, as for `send`. Bytes are copied.
   * @param options Who does not get it.
   */
  publish(
    topic: string,
    data: Sendable,
    options?: PublishOptions,
  ): BroadcastCount;
}

/** What a site does for its connections. */
export interface Home {
  /** The site. */
  readonly site: ConnectionSite;
  /** Subscribes; tells whether that is new. */
  subscribe(connection: SocketConnection, topic: string): boolean;
  /** Unsubscribes; tells whether it was subscribed. */
  unsubscribe(connection: SocketConnection, topic: string): boolean;
  /** A copy of the topics that a connection is subscribed to. */
  topicsOf(connection: SocketConnection): ReadonlySet<string>;
  /** Messages for many that a connection was too slow for. */
  droppedBy(connection: SocketConnection): number;
  /** Whether messages for many wait until a connection has room. */
  isBehind(connection: SocketConnection): boolean;
  /** Sends what has waited, as far as there is room. */
  release(connection: SocketConnection): void;
}
