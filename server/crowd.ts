/**
 * The open connections of a site, and how one message reaches many of them.
 *
 * @module
 */

import { type PreparedMessage, prepareMessage } from "../codec.ts";
import {
  type BroadcastCount,
  type BroadcastOptions,
  checkKeys,
  type Connection,
  type ConnectionSite,
  type Home,
  type PublishOptions,
  type Sendable,
  SocketConnection,
  toMessage,
} from "../connection.ts";
import { type Broker, BrokerLink } from "./broker.ts";
import { SlowPeers } from "./slow_peers.ts";
import { Topics } from "./topics.ts";

/** What a crowd is made of. */
export interface CrowdInit {
  /** The site. */
  readonly site: ConnectionSite;
  /** What joins it to other processes. */
  readonly broker: Broker | undefined;
  /** Told of what went wrong. */
  reportError(error: unknown): void;
}

const PUBLISH_OPTION_NAMES = new Set(["except", "compress"]);
const BROADCAST_OPTION_NAMES = new Set([
  ...PUBLISH_OPTION_NAMES,
  "filter",
  "path",
]);

/** Those who are there. */
export class Crowd implements Home {
  readonly site: ConnectionSite;
  /** The open connections, on whichever server. */
  readonly connections: Set<SocketConnection> = new Set();
  /** Who is subscribed to what. */
  readonly topics: Topics;
  readonly #slowPeers: SlowPeers = new SlowPeers();
  readonly #broker: BrokerLink | undefined;

  /** @param init What it is made of. */
  constructor(init: CrowdInit) {
    this.site = init.site;
    const { broker } = init;
    this.#broker = broker && new BrokerLink(broker, {
      deliver: (topic, message, compress) =>
        void this.#deliver(topic, prepareMessage(message, compress)),
      reportError: (error) => init.reportError(error),
    });
    this.topics = new Topics(this.#broker);
  }

  /** Forgets a connection that is open no more. */
  leave(connection: SocketConnection): void {
    this.connections.delete(connection);
    this.topics.leave(connection);
    this.#slowPeers.leave(connection);
  }

  /** See `Site.broadcast`. */
  broadcast(data: Sendable, options: BroadcastOptions = {}): BroadcastCount {
    checkKeys("broadcast", options, BROADCAST_OPTION_NAMES);
    const message = prepare("broadcast", data, options);
    const { filter, path } = options;
    if (filter !== undefined && typeof filter !== "function") {
      throw new TypeError("Cannot broadcast: filter is not a function");
    }
    if (path !== undefined && typeof path !== "string") {
      throw new TypeError("Cannot broadcast: path is not a string");
    }
    let recipients = without("broadcast", this.connections, options.except);
    if (path !== undefined) {
      recipients = recipients.filter(({ link }) => link.settings.path === path);
    }
    if (filter !== undefined) {
      recipients = recipients.filter((connection) => filter(connection));
    }
    return this.#send(recipients, message, undefined);
  }

  /** See `Site.publish`. */
  publish(
    topic: string,
    data: Sendable,
    options: PublishOptions = {},
  ): BroadcastCount {
    checkTopic("publish", topic);
    checkKeys("publish", options, PUBLISH_OPTION_NAMES);
    const message = prepare("publish", data, options);
    const count = this.#deliver(topic, message, options.except);
    this.#broker?.publish(topic, message);
    return count;
  }

  // What connections ask for.

  subscribe(connection: SocketConnection, topic: string): boolean {
    checkTopic("subscribe", topic);
    // Who is closing has left already, and would never leave again.
    return connection.readyState === 1 && this.topics.add(connection, topic);
  }

  unsubscribe(connection: SocketConnection, topic: string): boolean {
    checkTopic("unsubscribe", topic);
    return this.topics.delete(connection, topic);
  }

  topicsOf(connection: SocketConnection): ReadonlySet<string> {
    return this.topics.of(connection);
  }

  droppedBy(connection: SocketConnection): number {
    return this.#slowPeers.droppedBy(connection);
  }

  isBehind(connection: SocketConnection): boolean {
    return this.#slowPeers.isBehind(connection);
  }

  release(connection: SocketConnection): void {
    this.#slowPeers.release(connection);
  }

  /** Sends to those who are subscribed in this process. */
  #deliver(
    topic: string,
    message: PreparedMessage,
    except?: PublishOptions["except"],
  ): BroadcastCount {
    const members = this.topics.members.get(topic) ?? [];
    return this.#send(without("publish", members, except), message, topic);
  }

  /**
   * Sends to a list that was made beforehand: a hook that is called on the way may
   * let others come and go, and come again.
   */
  #send(
    recipients: readonly SocketConnection[],
    message: PreparedMessage,
    topic: string | undefined,
  ): BroadcastCount {
    let sent = 0;
    for (const connection of recipients) {
      if (this.#slowPeers.send(connection, message, topic)) sent++;
    }
    return { sent, skipped: recipients.length - sent };
  }
}

/** Frames a message for many. */
function prepare(
  what: string,
  data: Sendable,
  { compress = true }: PublishOptions,
): PreparedMessage {
  if (typeof compress !== "boolean") {
    throw new TypeError(`Cannot ${what}: compress is not a boolean`);
  }
  return prepareMessage(toMessage(data), compress);
}

/** Lists connections without those that are not meant. */
function without(
  what: string,
  connections: Iterable<SocketConnection>,
  except: PublishOptions["except"],
): SocketConnection[] {
  const all = [...connections];
  if (except === undefined) return all;
  if (except instanceof SocketConnection) {
    return all.filter((connection) => connection !== except);
  }
  if (typeof except !== "object" || !(Symbol.iterator in except)) {
    throw new TypeError(
      `Cannot ${what}: except is neither a connection nor an iterable of them`,
    );
  }
  const others = new Set<Connection>(except);
  return all.filter((connection) => !others.has(connection));
}

function checkTopic(what: string, topic: unknown): void {
  if (typeof topic !== "string" || topic === "") {
    throw new TypeError(
      `Cannot ${what}: the topic is not a text, or is empty`,
    );
  }
}
