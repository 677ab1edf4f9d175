/**
 * The connections of one server: opens them, counts them, and ends them.
 *
 * @module
 */

import type { Extension } from "../codec.ts";
import {
  type Connection,
  type ConnectionInit,
  type ConnectionOwner,
  connectionTicker,
  type FrameListener,
  messageTransform,
  SocketConnection,
  TracedTransport,
} from "../connection.ts";
import type { Runtime, Transport } from "../runtime/transport.ts";
import type { Accepted } from "./acceptance.ts";
import type { Crowd } from "./crowd.ts";
import type { Journal } from "./journal.ts";
import type { Admission } from "./admission.ts";

/** The site that a roster belongs to. */
export interface RosterSite {
  /** Its open connections, on whichever server. */
  readonly crowd: Crowd;
  /** Told what happens. */
  readonly journal: Journal;
  /** Told of each frame. */
  readonly onFrame: FrameListener | undefined;
  /** Where connections give their places back. */
  readonly admission: Admission;
  /** Told of what a handler threw. */
  reportError(error: unknown, connection?: Connection): void;
}

/**
 * Makes a connection.
 *
 * @param init What it is made of.
 * @param transport Its transport, which in `init` may have been wrapped.
 */
export type MakeConnection = (
  init: ConnectionInit,
  transport: Transport,
) => SocketConnection;

const NO_EXTENSIONS: readonly Extension[] = [];
const makeSocketConnection: MakeConnection = (init) =>
  new SocketConnection(init);

/** The connections of one server. */
export class Roster implements ConnectionOwner {
  readonly home: Crowd;
  readonly #site: RosterSite;
  readonly #runtime: Runtime;
  readonly #left: () => void;
  readonly #make: MakeConnection;
  /** Connections that close. The open ones are the site's to keep. */
  readonly #closing: Set<SocketConnection> = new Set();
  /** Those that are refused by a Close frame: to others they were never there. */
  readonly #refused: Set<SocketConnection> = new Set();
  #size = 0;

  /**
   * @param site The site.
   * @param runtime The runtime at hand.
   * @param left Told when a connection is gone.
   * @param make Makes the connections.
   */
  constructor(
    site: RosterSite,
    runtime: Runtime,
    left: () => void,
    make: MakeConnection = makeSocketConnection,
  ) {
    this.#site = site;
    this.home = site.crowd;
    this.#runtime = runtime;
    this.#left = left;
    this.#make = make;
  }

  /** Count of the connections that are not gone. */
  get size(): number {
    return this.#size;
  }

  /**
   * Opens a connection that has been accepted.
   *
   * @param accepted The request.
   * @param transport Where the answer goes; the connection's from now on.
   * @param early What arrived after the request.
   * @returns `false` when its handler could not be made; nothing was sent then.
   */
  open(accepted: Accepted, transport: Transport, early: Uint8Array): boolean {
    const { route, params } = accepted.match;
    const { settings } = route;
    const { deflate } = accepted;
    const { admission, journal, onFrame } = this.#site;
    journal.accepted(accepted);
    const traced = onFrame && new TracedTransport(transport, onFrame, this);
    const connection = this.#make({
      role: "server",
      transport: traced ?? transport,
      settings,
      ticker: connectionTicker(settings, this.#runtime),
      request: accepted.request,
      params,
      subprotocol: accepted.subprotocol,
      extensions: deflate ? [deflate.answer] : NO_EXTENSIONS,
      transform: messageTransform(
        "server",
        deflate?.agreement,
        settings.compression,
      ),
      owner: this,
    }, transport);
    connection.data = accepted.data;
    // What the handler's constructor sends comes after the answer.
    connection.link.isHeld = true;
    const start = this.#prepare(accepted, connection);
    if (start === undefined) {
      this.#closing.delete(connection);
      journal.discarded(connection);
      return false;
    }
    const sink = traced?.attach(connection) ?? connection.link;
    transport.sink = sink;
    admission.move(transport, connection);
    this.#size++;
    // The constructor may have closed it.
    if (connection.readyState === 1) this.home.connections.add(connection);
    transport.write(accepted.response);
    connection.link.isHeld = false;
    if (accepted.refusal === undefined) journal.opened(connection);
    start();
    // What shared a segment with the request comes after `open`.
    if (early.length > 0) sink.data(early);
    return true;
  }

  /** Starts the closing handshake with everybody. */
  close(code: number, reason: string): void {
    for (const connection of this.#list()) {
      connection.link.ending.startClose(code, reason, "shutdown");
    }
  }

  /** Drops everybody. */
  drop(): void {
    for (const connection of this.#list()) {
      connection.link.ending.drop("close-timeout");
    }
  }

  // What connections say.

  reportError(error: unknown, connection?: Connection): void {
    this.#site.reportError(error, connection);
  }

  onClosing(connection: SocketConnection): void {
    this.home.leave(connection);
    this.#closing.add(connection);
    if (!this.#refused.has(connection)) this.#site.journal.closing(connection);
  }

  onClosed(connection: SocketConnection): void {
    this.#closing.delete(connection);
    this.#site.admission.release(connection);
    if (!this.#refused.delete(connection)) {
      this.#site.journal.closed(connection);
    }
    this.#size--;
    this.#left();
  }

  /** Makes the handler of a connection; it is not started yet. */
  #prepare(
    accepted: Accepted,
    connection: SocketConnection,
  ): (() => void) | undefined {
    const { refusal } = accepted;
    if (refusal !== undefined) {
      this.#refused.add(connection);
      connection.link.ending.startClose(refusal.code, refusal.reason, "local");
      // What the client sends before it has heard waits within the usual bounds.
      return () => {};
    }
    const { handlerClass, handlerFunction } = accepted.match.route;
    if (handlerClass === undefined) {
      return () => void connection.run(handlerFunction!);
    }
    try {
      const handler = new handlerClass(connection);
      return () => connection.handle(handler);
    } catch (error) {
      connection.link.discard();
      this.home.leave(connection);
      this.reportError(error, connection);
      return undefined;
    }
  }

  /** The connections that came through here and are not gone. */
  #list(): SocketConnection[] {
    const open = [...this.home.connections];
    return [...open.filter(({ owner }) => owner === this), ...this.#closing];
  }
}
