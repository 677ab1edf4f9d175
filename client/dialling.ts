/**
 * One call of `dial`: the requests that it takes, and the connection that comes of
 * them.
 *
 * @module
 */

import {
  encodeUpgradeRequest,
  formatHandshakeKey,
  offerDeflate,
  type ResponseHead,
  type UpgradeAgreement,
} from "../codec.ts";
import {
  callbackHandler,
  type Connection,
  type ConnectionOwner,
  type ConnectionSettings,
  connectionSettings,
  connectionTicker,
  type DialledRequest,
  type HandlerCallbacks,
  type HandlerConstructor,
  isHandlerClass,
  messageTransform,
  SocketConnection,
  TracedTransport,
} from "../connection.ts";
import type { Runtime, Transport } from "../runtime/transport.ts";
import { unlessAborted } from "./abort.ts";
import { type Ask, askFor, type Target } from "./ask.ts";
import { Answers } from "./authenticate.ts";
import { connect, open } from "./hop.ts";
import type { OpeningRequest } from "./opening.ts";
import { checkRevision, type DialOptions } from "./options.ts";
import { redirected } from "./redirect.ts";

/** A dialled connection has no owner that would have to know. */
const NOBODY: ConnectionOwner = {
  reportError: (error) => console.error(error),
  onClosing: () => {},
  onClosed: () => {},
};

/** Asks until a connection is open, or cannot be. */
export class Dialling<Data> {
  readonly #target: Target;
  readonly #options: DialOptions<Data>;
  readonly #handler: HandlerConstructor<Data> | undefined;
  readonly #settings: ConnectionSettings;
  readonly #answers: Answers | undefined;
  #ask: Ask;
  #request: OpeningRequest;

  /**
   * Prepares the first request, so that what is wrong with it is found before
   * anything is connected.
   *
   * @param target Where to.
   * @param options How; checked, and not changed by anybody.
   * @throws {TypeError} If something of it may not be sent.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(target: Target, options: DialOptions<Data>) {
    const { authenticate } = options;
    this.#target = target;
    this.#options = options;
    this.#handler = handlerOf(options.handler);
    this.#settings = connectionSettings("dial", options, "client");
    this.#answers = authenticate && new Answers(authenticate);
    this.#ask = askFor(target, options, options.tls);
    this.#request = this.#requestFor(this.#ask);
  }

  /** Whether compression is offered, whose code has to be loaded then. */
  get compresses(): boolean {
    return this.#settings.compression !== undefined;
  }

  /**
   * Connects, follows redirects and answers challenges.
   *
   * @param runtime Whose sockets.
   * @param signal Gives up when it aborts.
   * @throws As `dial`.
   */
  async run(runtime: Runtime, signal: AbortSignal): Promise<Connection<Data>> {
    await this.#revise(signal);
    for (let redirects = 0;;) {
      try {
        return await this.#hop(runtime, signal);
      } catch (error) {
        const { connectTo } = this.#options;
        const answers = this.#answers;
        if (!await answers?.take(this.#ask, error, connectTo, signal)) {
          this.#ask = redirected(this.#ask, error, this.#options, redirects++);
          answers?.forget();
        }
        const next = answers?.addTo(this.#ask) ?? this.#ask;
        this.#request = this.#requestFor(next);
      }
    }
  }

  /** Has the caller say what is new this time. */
  async #revise(signal: AbortSignal): Promise<void> {
    const { beforeConnect, tls } = this.#options;
    if (beforeConnect === undefined) return;
    const attempt = { url: this.#target.url.href, signal };
    const revision = await unlessAborted(beforeConnect(attempt), signal);
    if (revision === undefined) return;
    checkRevision(revision);
    const options = { ...this.#options, ...revision };
    this.#ask = askFor(this.#target, options, tls);
    this.#request = this.#requestFor(this.#ask);
  }

  /** Connects, and sends the request. */
  async #hop(
    runtime: Runtime,
    signal: AbortSignal,
  ): Promise<Connection<Data>> {
    const request = this.#request;
    const { ask } = request;
    const { onFrame } = this.#options;
    const transport = await connect(runtime, ask, this.#options, signal);
    return await open(transport, request, signal, (agreement, head) => {
      const traced = onFrame && new TracedTransport(transport, onFrame, NOBODY);
      const connection = this.#connectionOn(
        traced ?? transport,
        runtime,
        requestOf(ask, head),
        agreement,
      );
      const sink = traced?.attach(connection as SocketConnection);
      transport.sink = sink ?? connection.link;
      if (this.#handler !== undefined) start(connection, this.#handler);
      else connection.offerPieces();
      return connection;
    });
  }

  #connectionOn(
    transport: Transport,
    runtime: Runtime,
    request: DialledRequest,
    { subprotocol = "", extensions, deflate }: UpgradeAgreement,
  ): SocketConnection<Data> {
    const settings = this.#settings;
    return new SocketConnection<Data>({
      role: "client",
      transport,
      settings,
      ticker: connectionTicker(settings, runtime),
      request,
      params: {},
      subprotocol,
      extensions,
      transform: messageTransform("client", deflate, settings.compression),
      owner: NOBODY,
    });
  }

  /** What to send for it, and what to hold the response against. */
  #requestFor(ask: Ask): OpeningRequest {
    const { url, headers, subprotocols } = ask;
    const { requireSubprotocol = false, maxRedirects = 0 } = this.#options;
    const { compression } = this.#settings;
    const extensions = compression ? [offerDeflate(compression)] : [];
    const key = formatHandshakeKey(crypto.getRandomValues(new Uint8Array(16)));
    const bytes = encodeUpgradeRequest({
      url,
      key,
      subprotocols,
      extensions,
      headers,
    });
    return {
      ask,
      bytes,
      key,
      subprotocols,
      extensions,
      requireSubprotocol,
      followsRedirects: maxRedirects > 0,
    };
  }
}

/** The request as a connection tells it, with the answer to it. */
function requestOf(ask: Ask, response: ResponseHead): DialledRequest {
  const { status, headers } = response;
  return {
    method: "GET",
    url: ask.url.href,
    headers: new Headers(ask.headers.map(([name, value]) => [name, value])),
    response: { status, headers },
  };
}

/** The class that handles the connection, where one does. */
function handlerOf<Data>(
  handler: DialOptions<Data>["handler"],
): HandlerConstructor<Data> | undefined {
  if (handler === undefined || isHandlerClass(handler)) {
    return handler as HandlerConstructor<Data> | undefined;
  }
  return callbackHandler("dial", handler as HandlerCallbacks<Data>);
}

/** Makes the handler of a connection, and starts with its `open`. */
function start<Data>(
  connection: SocketConnection<Data>,
  handler: HandlerConstructor<Data>,
): void {
  try {
    connection.handle(new handler(connection));
  } catch (error) {
    // Only the constructor: what hooks throw is theirs to be told.
    connection.terminate();
    throw error;
  }
}
