/**
 * The root on Deno and Bun, whose HTTP servers accept for themselves: each
 * connection is joined to one of a private server's on the loopback interface.
 *
 * The private server knows the connections of the root by their port. It answers
 * any other with 403, and closes it.
 *
 * @module
 */

import { concat } from "./concat.ts";
import { NO_SINK } from "./sink.ts";
import { Splice } from "./splice.ts";
import { toError } from "./to_error.ts";
import type {
  Address,
  Root,
  RootOptions,
  Transport,
  TransportSink,
} from "./transport.ts";

/** Header of the response that marks where a splice is undone. */
const MARKER_HEADER = "sockeye-takeover";

/** An HTTP server of the runtime's. */
export interface PrivateServer {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Settles when the server has ended, by itself or by `stop`. */
  readonly finished: Promise<void>;
  /** Stops accepting; settles when the responses under way have been sent. */
  stop(): Promise<void>;
  /** Ends at once; not to be called after `stop`. For tests. */
  kill(): void;
}

/** What answers the requests to a {@linkcode PrivateServer}. */
export type PrivateHandler = (
  request: Request,
  clientPort: number,
) => Response | Promise<Response>;

/** What {@linkcode SpliceRoot} needs of the runtime. */
export interface SpliceRuntime {
  /** Starts an HTTP server on 127.0.0.1 and a free port. */
  serve(handler: PrivateHandler): PrivateServer;
  /** Connects to 127.0.0.1. */
  connect(port: number): Promise<Transport>;
}

/** How long to wait for the end of what has been dropped, in milliseconds. */
const DROP_TIMEOUT_MS = 500;

/** Waits for `done`, but no longer than `timeoutMs`. */
async function within(
  timeoutMs: number,
  done: Promise<unknown>,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, timeout]);
  clearTimeout(timer);
}

/** Keeps a client's transport still until its splice stands. */
class Waiting implements TransportSink {
  /** The head, and at most one chunk that was on its way when reading paused. */
  readonly #chunks: Uint8Array[];
  hasEnd = false;
  isGone = false;

  constructor(head: Uint8Array) {
    this.#chunks = [head.slice()];
  }

  get head(): Uint8Array {
    return concat(this.#chunks);
  }

  data(chunk: Uint8Array): void {
    this.#chunks.push(chunk.slice());
  }

  drain(): void {}

  end(): void {
    this.hasEnd = true;
  }

  close(): void {
    this.isGone = true;
  }
}

/** One connection of the root's. */
class SpliceEntry {
  readonly client: Transport;
  readonly remoteAddress: Address;
  splice: Splice | undefined;
  /** Whether its owner takes it back. */
  isHandedOver = false;

  constructor(client: Transport) {
    this.client = client;
    this.remoteAddress = client.remoteAddress;
  }

  destroy(): void {
    if (this.splice === undefined) this.client.destroy();
    else this.splice.destroy();
  }
}

/** A root on a private server. */
export class SpliceRoot implements Root {
  readonly #runtime: SpliceRuntime;
  readonly #options: RootOptions;
  /** Connections by the port from which they come to the private server. */
  readonly #entries: Map<number, SpliceEntry> = new Map();
  /** Connections whose way to the private server is not open yet. */
  readonly #waiting: Set<SpliceEntry> = new Set();
  #server: PrivateServer | undefined;
  #isClosed = false;
  #tellEmpty: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param runtime What there is to work with.
   * @param options Who answers.
   */
  constructor(runtime: SpliceRuntime, options: RootOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  take(transport: Transport, head: Uint8Array): void {
    if (this.#isClosed) return transport.destroy();
    transport.pause();
    const waiting = new Waiting(head);
    transport.sink = waiting;
    const entry = new SpliceEntry(transport);
    this.#waiting.add(entry);
    this.#connect().then(
      (inner) => this.#join(entry, inner, waiting),
      (error: unknown) => {
        this.#fail(error);
        transport.sink = NO_SINK;
        transport.destroy();
      },
    ).finally(() => {
      this.#waiting.delete(entry);
      this.#checkEmpty();
    });
  }

  close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    return this.#closing ??= this.#close(timeoutMs);
  }

  /** Port of the private server while it runs; for tests. */
  get privatePort(): number | undefined {
    return this.#server?.port;
  }

  /** Ends the private server, as a lack of descriptors does; for tests. */
  async killServer(): Promise<void> {
    const server = this.#server;
    server?.kill();
    await server?.finished;
  }

  async #close(timeoutMs: number): Promise<void> {
    const empty = new Promise<void>((resolve) => this.#tellEmpty = resolve);
    this.#checkEmpty();
    for (const { splice } of this.#entries.values()) splice?.close();
    const done = Promise.all([this.#server?.stop(), empty]).catch(
      (error: unknown) => this.#fail(error),
    );
    await within(timeoutMs, done);
    for (const entry of [...this.#waiting, ...this.#entries.values()]) {
      entry.destroy();
    }
    // The server waits for handlers too, and one may never answer.
    await within(DROP_TIMEOUT_MS, done);
  }

  #checkEmpty(): void {
    if (this.#entries.size + this.#waiting.size === 0) this.#tellEmpty?.();
  }

  #fail(error: unknown): void {
    this.#options.failed?.(toError(error));
  }

  /** Opens a connection to the private server, starting it where necessary. */
  async #connect(): Promise<Transport> {
    const isNew = this.#server === undefined;
    const server = this.#server ??= this.#serve();
    try {
      return await this.#runtime.connect(server.port);
    } catch (error) {
      if (isNew || this.#isClosed) throw error;
      // The server has died, and `finished` has not been heard yet.
      this.#forget(server);
      this.#server ??= this.#serve();
      return await this.#runtime.connect(this.#server.port);
    }
  }

  #serve(): PrivateServer {
    const server = this.#runtime.serve((request, clientPort) =>
      this.#answer(request, clientPort)
    );
    server.finished.catch((error: unknown) => this.#fail(error))
      .finally(() => this.#forget(server));
    return server;
  }

  #forget(server: PrivateServer): void {
    if (this.#server === server) this.#server = undefined;
  }

  #join(entry: SpliceEntry, inner: Transport, waiting: Waiting): void {
    if (waiting.isGone || this.#isClosed) {
      inner.destroy();
      entry.client.sink = NO_SINK;
      entry.client.destroy();
      return;
    }
    const { localAddress } = inner;
    const port = localAddress.transport === "tcp" ? localAddress.port : -1;
    // Before a byte is sent: the private server asks at the first request.
    this.#entries.set(port, entry);
    entry.splice = new Splice({
      client: entry.client,
      inner,
      gone: () => {
        this.#entries.delete(port);
        this.#checkEmpty();
      },
    });
    entry.splice.start(waiting.head, waiting.hasEnd);
  }

  #answer(
    request: Request,
    clientPort: number,
  ): Response | Promise<Response> {
    const entry = this.#entries.get(clientPort);
    // What a client pipelines behind an upgrade is no request, though the server
    // may have read it already.
    if (entry === undefined || entry.isHandedOver) {
      return new Response("Forbidden\n", {
        status: 403,
        headers: { connection: "close" },
      });
    }
    const { secure } = entry.client;
    // The server takes what it gets on the loopback interface for plain HTTP.
    const known = secure
      ? new Request(request.url.replace(/^http:/, "https:"), request)
      : request;
    try {
      if (request.headers.has("upgrade") && this.#options.claims(known)) {
        return this.#hand(entry, known);
      }
      const { remoteAddress } = entry;
      const response = this.#options.fetch(known, { remoteAddress, secure });
      // Bun closes a connection with pipelined requests at the first answer that
      // is a promise.
      if (response instanceof Response) return response;
      return response.catch((error: unknown) => this.#refuse(error));
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #refuse(error: unknown): Response {
    this.#fail(error);
    return new Response("Internal Server Error\n", { status: 500 });
  }

  /** Answers with the marker, and hands the client over when it comes by. */
  #hand(entry: SpliceEntry, request: Request): Response {
    entry.isHandedOver = true;
    const nonce = crypto.randomUUID();
    const url = new URL(request.url);
    const late = {
      method: request.method,
      target: url.pathname + url.search,
      headers: [...request.headers],
    };
    entry.splice?.takeOver(nonce, (leftover) => {
      try {
        this.#options.upgrade(late, entry.client, leftover);
      } catch (error) {
        this.#fail(error);
        entry.client.destroy();
      }
    });
    return new Response(null, {
      headers: { [MARKER_HEADER]: nonce, connection: "close" },
    });
  }
}
