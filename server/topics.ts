/**
 * Who is subscribed to what.
 *
 * A topic exists while somebody is subscribed to it, and a connection is known
 * here while it is subscribed to something: nothing has to be tidied up.
 *
 * @module
 */

import type { SocketConnection } from "../connection.ts";

/** Told when a topic gets its first subscriber, and when its last one leaves. */
export interface TopicWatcher {
  /** Somebody is subscribed now. */
  began(topic: string): void;
  /** Nobody is any more. */
  ended(topic: string): void;
}

/** The topics of a site. */
export class Topics {
  /** The connections that are subscribed, by topic. */
  readonly members: Map<string, Set<SocketConnection>> = new Map();
  readonly #topics: Map<SocketConnection, Set<string>> = new Map();
  readonly #watcher: TopicWatcher | undefined;

  /** @param watcher Told of topics that come and go. */
  constructor(watcher?: TopicWatcher) {
    this.#watcher = watcher;
  }

  /** Count of the connections that are subscribed to anything. */
  get subscribers(): number {
    return this.#topics.size;
  }

  /** Subscribes a connection; tells whether that is new. */
  add(connection: SocketConnection, topic: string): boolean {
    const topics = this.#topics.get(connection);
    if (topics === undefined) this.#topics.set(connection, new Set([topic]));
    else if (topics.has(topic)) return false;
    else topics.add(topic);
    const members = this.members.get(topic);
    if (members !== undefined) {
      members.add(connection);
    } else {
      this.members.set(topic, new Set([connection]));
      this.#watcher?.began(topic);
    }
    return true;
  }

  /** Unsubscribes a connection; tells whether it was subscribed. */
  delete(connection: SocketConnection, topic: string): boolean {
    const topics = this.#topics.get(connection);
    if (topics === undefined || !topics.delete(topic)) return false;
    if (topics.size === 0) this.#topics.delete(connection);
    this.#remove(connection, topic);
    return true;
  }

  /** Unsubscribes a connection from everything. */
  leave(connection: SocketConnection): void {
    const topics = this.#topics.get(connection);
    if (topics === undefined) return;
    this.#topics.delete(connection);
    for (const topic of topics) this.#remove(connection, topic);
  }

  /** A copy of the topics that a connection is subscribed to. */
  of(connection: SocketConnection): Set<string> {
    return new Set(this.#topics.get(connection));
  }

  #remove(connection: SocketConnection, topic: string): void {
    const members = this.members.get(topic)!;
    members.delete(connection);
    if (members.size > 0) return;
    this.members.delete(topic);
    this.#watcher?.ended(topic);
  }
}
