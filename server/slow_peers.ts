/**
 * What becomes of messages for many where a peer does not keep up.
 *
 * A peer that keeps up costs one look at its settings. What is known of a slow one
 * is kept here, not in its connection.
 *
 * @module
 */

import type { PreparedMessage } from "../codec.ts";
import {
  type BroadcastOverflow,
  checkAmount,
  type ConnectionSettings,
  type SocketConnection,
} from "../connection.ts";
import { type Backlog, FullBacklog, LatestBacklog } from "./backlog.ts";

/** What to do about peers that do not keep up with what all are sent. */
export interface SlowPeerOptions {
  /**
   * What a broadcast, or a message of a topic, does where more than
   * `broadcastMaxBytes` wait for a peer already:
   *
   * - `"close"` closes the connection with 1013 and cause `backpressure`.
   * - `"drop-new"` skips the connection.
   * - `"drop-old"` keeps the message until there is room, and lets go of the
   *   oldest ones that wait when they exceed `broadcastMaxBytes` again.
   * - `"latest"` keeps only the latest message of each topic (broadcasts are a
   *   topic of their own), within the same bound.
   *
   * Messages that wait are overtaken by those that `send` sends. A peer that
   * takes nothing at all is given up by keepalive in any case.
   *
   * @default {"close"}
   */
  readonly broadcastOverflow?: BroadcastOverflow;
  /**
   * Bytes in the send buffer from which `broadcastOverflow` applies; at least 1,
   * and no more than `sendMaxBytes`, which then counts.
   *
   * @default {1_048_576} with `"close"` that of `sendMaxBytes`
   */
  readonly broadcastMaxBytes?: number;
}

/** Names of the options. */
export const SLOW_PEER_OPTION_NAMES: readonly string[] = [
  "broadcastOverflow",
  "broadcastMaxBytes",
];

const POLICIES: readonly BroadcastOverflow[] = [
  "close",
  "drop-new",
  "drop-old",
  "latest",
];

const DEFAULT_MAX_BYTES = 1_048_576;

/**
 * Makes settings of the options.
 *
 * @param what What the options are for, for messages.
 * @param options Options as given, possibly among others.
 * @param sendMaxBytes Cap of the send buffer.
 * @returns `undefined` where a message for many is treated as any other.
 * @throws {TypeError} If an option is of the wrong kind.
 * @throws {RangeError} If the mark is less than 1 or NaN.
 */
export function overflowSettings(
  what: string,
  options: SlowPeerOptions,
  sendMaxBytes: number,
): ConnectionSettings["overflow"] {
  const { broadcastOverflow: policy = "close", broadcastMaxBytes } = options;
  if (!POLICIES.includes(policy)) {
    throw new TypeError(`Cannot ${what}: unknown broadcastOverflow: ${policy}`);
  }
  if (broadcastMaxBytes !== undefined) {
    checkAmount(what, "broadcastMaxBytes", broadcastMaxBytes);
    if (broadcastMaxBytes < 1) {
      throw new RangeError(
        `Cannot ${what}: broadcastMaxBytes is less than 1: ${broadcastMaxBytes}`,
      );
    }
  } else if (policy === "close") {
    return undefined;
  }
  const maxBytes = broadcastMaxBytes ?? DEFAULT_MAX_BYTES;
  return { policy, maxBytes: Math.min(maxBytes, sendMaxBytes) };
}

/** A peer that was too slow at least once. */
interface SlowPeer {
  /** Messages that it did not get. */
  dropped: number;
  /** What waits for it. */
  backlog: Backlog | undefined;
  /** Whether what waits is being sent: each piece may lead back to `release`. */
  isReleasing: boolean;
}

/** The slow ones among the peers of a site. */
export class SlowPeers {
  readonly #peers: WeakMap<SocketConnection, SlowPeer> = new WeakMap();

  /**
   * Sends a message for many to one of them.
   *
   * @param connection Who gets it.
   * @param message The message.
   * @param topic Its topic; `undefined` for a broadcast.
   * @returns Whether it was accepted, if only to wait.
   */
  send(
    connection: SocketConnection,
    message: PreparedMessage,
    topic: string | undefined,
  ): boolean {
    const { link } = connection;
    const { overflow } = link.settings;
    if (overflow === undefined) return connection.sendPrepared(message);
    // Where something waits the buffer counts as over its mark: see `release`.
    const isBehind = link.isOver && this.isBehind(connection);
    if (!isBehind && connection.bufferedAmount < overflow.maxBytes) {
      return connection.sendPrepared(message);
    }
    if (!link.isOpen) return false;
    if (overflow.policy === "close") {
      link.ending.overflow();
      return false;
    }
    const peer = this.#note(connection);
    if (overflow.policy === "drop-new") {
      peer.dropped++;
      return false;
    }
    peer.backlog ??= overflow.policy === "latest"
      ? new LatestBacklog(overflow.maxBytes)
      : new FullBacklog(overflow.maxBytes);
    peer.dropped += peer.backlog.push(message, topic);
    link.isOver = true;
    return true;
  }

  /** Whether something waits for a connection. */
  isBehind(connection: SocketConnection): boolean {
    const backlog = this.#peers.get(connection)?.backlog;
    return backlog !== undefined && backlog.byteLength > 0;
  }

  /** Messages that a connection did not get. */
  droppedBy(connection: SocketConnection): number {
    return this.#peers.get(connection)?.dropped ?? 0;
  }

  /** Sends what waits for a connection, up to the mark of its send buffer. */
  release(connection: SocketConnection): void {
    const peer = this.#peers.get(connection);
    if (peer?.backlog === undefined || peer.isReleasing) return;
    const { sendHighWaterBytes, overflow } = connection.link.settings;
    const most = Math.min(sendHighWaterBytes, overflow!.maxBytes);
    peer.isReleasing = true;
    while (connection.bufferedAmount < most) {
      const message = peer.backlog.shift();
      if (message === undefined) break;
      connection.sendPrepared(message);
    }
    peer.isReleasing = false;
  }

  /** Lets go of what waits for a connection that is open no more. */
  leave(connection: SocketConnection): void {
    const peer = this.#peers.get(connection);
    if (peer?.backlog !== undefined) peer.dropped += peer.backlog.clear();
  }

  #note(connection: SocketConnection): SlowPeer {
    let peer = this.#peers.get(connection);
    if (peer === undefined) {
      peer = { dropped: 0, backlog: undefined, isReleasing: false };
      this.#peers.set(connection, peer);
    }
    return peer;
  }
}
