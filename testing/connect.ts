/**
 * Two connections that are joined in memory.
 *
 * @module
 */

import type { Connection, Handler } from "../connection.ts";
import { dial, type DialOptions } from "../client.ts";
import type { HandlerFunction, RouteCallbacks, Site } from "../server.ts";
import { settle } from "./settle.ts";
import { Subject, type Target, type TargetOptions } from "./subject.ts";
import type { MemoryWire, Wire } from "./wire.ts";

/** How to connect: what `dial` takes, and what is between both ends. */
export interface ConnectOptions<Data = unknown>
  extends TargetOptions, Omit<DialOptions<Data>, "tls"> {}

/** A handler class whose instances are of a certain type. */
export interface TestedClass<Data, H extends Handler<Data>> {
  /** Makes the handler of one connection. */
  new (connection: Connection<Data>): H;
}

/** Two ends of one WebSocket. Dispose of it to close both. */
export interface ConnectedPair<Data = unknown> extends AsyncDisposable {
  /** The end that dialled. */
  readonly client: Connection;
  /**
   * The end that the site has made.
   *
   * @throws {Error} If it made none, but closed at once.
   */
  readonly server: Connection<Data>;
  /** What is between them. */
  readonly wire: Wire;
  /**
   * Takes the errors that the handler has thrown. Those that nobody takes make the
   * disposal throw. Where a site was connected to they go to its own `onError`.
   */
  takeErrors(): Error[];
}

/** Two ends of one WebSocket, and the handler of one of them. */
export interface HandledPair<Data, H extends Handler<Data>>
  extends ConnectedPair<Data> {
  /** The instance that was made for the connection. */
  readonly handler: H;
}

/** Turns after which nothing more is to be expected from one who closes. */
const CLOSING_TURNS = 10;

/** Implements {@linkcode HandledPair}. */
class MemoryPair implements HandledPair<unknown, Handler> {
  readonly client: Connection;
  readonly wire: MemoryWire;
  readonly #subject: Subject;
  #hasClosed = false;

  constructor(client: Connection, wire: MemoryWire, subject: Subject) {
    this.client = client;
    this.wire = wire;
    this.#subject = subject;
  }

  get server(): Connection {
    const connection = this.wire.serverConnection;
    if (connection !== undefined) return connection;
    throw new Error("The site has made no connection");
  }

  get handler(): Handler {
    return this.#subject.handler!;
  }

  takeErrors(): Error[] {
    return this.#subject.takeErrors();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [this.client, this.wire.serverConnection];
    const closed = Promise.all(ends.map((end) => end?.closed))
      .then(() => void (this.#hasClosed = true));
    void this.client.close();
    for (let turn = 0; turn < CLOSING_TURNS && !this.#hasClosed; turn++) {
      await settle();
    }
    // Whoever waits longer waits for a time that may never come: a clock stands
    // still, a wire is stalled, a hook does not end.
    this.wire.reset();
    await closed;
    await settle();
    this.#subject.complain();
  }
}

/**
 * Connects to a handler or a site, in memory.
 *
 * Everything but the socket is real: the request goes through the site's routes,
 * its checks and the handler's `upgrade`, both connections speak the protocol,
 * byte by byte. Bytes arrive without delay, so `await settle()` is enough to wait
 * for an answer that takes no time.
 *
 * A handler gets a site of its own, with the path that is connected to. Connect to
 * a site as often as you like: they are all its connections. After the site has
 * shut down it listens anew.
 *
 * @param target What to connect to.
 * @param options How. Requests name the host `localhost`.
 * @returns Both ends, open.
 * @throws {TypeError | RangeError} If an argument is of the wrong kind.
 * @throws {HandshakeError} If the site refuses: `status` and `body` say how.
 *
 * @example A handler
 * ```ts
 * import { Handler } from "@sockeye/sockeye";
 * import { connect } from "@sockeye/sockeye/testing";
 * import { strictEqual } from "node:assert";
 *
 * class Counter extends Handler {
 *   count = 0;
 *   override message() {
 *     this.connection.send(`${++this.count}`);
 *   }
 * }
 *
 * await using pair = await connect(Counter);
 * pair.client.send("one");
 * strictEqual(await pair.client.receive(), "1");
 * strictEqual(pair.handler.count, 1);
 * ```
 */
export function connect<Data = unknown>(
  target: HandlerFunction<Data>,
  options?: ConnectOptions,
): Promise<ConnectedPair<Data>>;
/** Connects to a handler class, in memory. */
export function connect<Data, H extends Handler<Data>>(
  target: TestedClass<Data, H>,
  options?: ConnectOptions,
): Promise<HandledPair<Data, H>>;
/** Connects to a site or to callbacks, in memory. */
export function connect<Data = unknown>(
  target: Site | RouteCallbacks<Data>,
  options?: ConnectOptions,
): Promise<ConnectedPair<Data>>;
export async function connect(
  target: object,
  options: ConnectOptions = {},
): Promise<MemoryPair> {
  const subject = new Subject("connect", target as Target, options);
  const {
    path: _path,
    secure: _secure,
    remoteAddress: hostname = "127.0.0.1",
    handlerOptions: _handlerOptions,
    chunkBytes: _chunkBytes,
    capacityBytes: _capacityBytes,
    ...dialOptions
  } = options;
  let wire: MemoryWire | undefined;
  const connected = (made: MemoryWire) => void (wire = made);
  try {
    const caller = { hostname, wire: options, connected };
    const client = await subject.dial(
      caller,
      () => dial(subject.url, dialOptions),
    );
    return new MemoryPair(client, wire!, subject);
  } catch (error) {
    // What the peer is not told, the test should be.
    for (const reported of subject.takeErrors()) console.error(reported);
    throw error;
  }
}
