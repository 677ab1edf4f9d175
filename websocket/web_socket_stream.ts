/**
 * The `WebSocketStream` of the web platform, on `dial`.
 *
 * @module
 */

import { dial } from "../client.ts";
import { formatExtensions, type Message } from "../codec.ts";
import { ClosedError, type Connection } from "../connection.ts";
import { bytesOf } from "./buffer_source.ts";
import { closeArguments, startClose } from "./close_arguments.ts";
import { finishInterface } from "./interface.ts";
import { dialOptions, parseTarget, type WebSocketOptions } from "./target.ts";
import {
  failureOf,
  type WebSocketCloseInfo,
  WebSocketError,
} from "./web_socket_error.ts";

/** How a {@linkcode WebSocketStream} connects: the options of `dial`. */
export interface WebSocketStreamOptions
  extends Omit<WebSocketOptions, "protocols"> {
  /** Subprotocols to offer, in order of preference. */
  readonly protocols?: Iterable<string>;
}

/** What a {@linkcode WebSocketStream} has once it is open. */
export interface WebSocketOpenInfo {
  /** Messages that arrive: text as strings, bytes as `Uint8Array`s. */
  readonly readable: ReadableStream<Message>;
  /** Messages to send: strings and bytes, which are copied. */
  readonly writable: WritableStream<string | ArrayBuffer | ArrayBufferView>;
  /** Extensions agreed on, as the header says it; empty for none. */
  readonly extensions: string;
  /** Subprotocol agreed on; empty for none. */
  readonly protocol: string;
}

/**
 * A WebSocket of two streams, with backpressure both ways, as browsers have begun
 * to offer it (`WebSocketStream`), with the options of `dial` added.
 *
 * @example
 * ```ts
 * import { Site } from "@sockeye/sockeye";
 * import { WebSocketStream } from "@sockeye/sockeye/websocket";
 * import { strictEqual } from "node:assert";
 *
 * const site = new Site();
 * site.addHandler("/", async (connection) => {
 *   for await (const message of connection) connection.send(message);
 * });
 * await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 *
 * const stream = new WebSocketStream(`ws://127.0.0.1:${server.addr.port}/`);
 * const { readable, writable } = await stream.opened;
 * await writable.getWriter().write("hello");
 * const { value } = await readable.getReader().read();
 * strictEqual(value, "hello");
 * stream.close({ closeCode: 1000 });
 * await stream.closed;
 * ```
 */
export class WebSocketStream {
  readonly #url: string;
  readonly #opened: Promise<WebSocketOpenInfo>;
  readonly #closed: Promise<Required<WebSocketCloseInfo>>;
  readonly #giveUp = new AbortController();
  #connection: Connection | undefined;
  #end: End | undefined;

  /**
   * Starts to connect.
   *
   * @param url Where to, as for `WebSocket`.
   * @param options How. `signal` gives up until it is open.
   * @throws {DOMException} `SyntaxError` if the URL or a subprotocol is wrong.
   * @throws {TypeError} If there is no URL, or an option is unknown or of the wrong
   * kind: `protocols` is a list. What `dial` finds later, such as a wrong header,
   * makes `opened` reject.
   */
  constructor(url: string | URL, options: WebSocketStreamOptions = {}) {
    if (arguments.length === 0) {
      throw new TypeError("Cannot connect: there is no URL");
    }
    checkDictionary(options);
    const target = parseTarget(url);
    const { signal, ...how } = dialOptions(options);
    this.#url = target.href;
    const own = this.#giveUp.signal;
    const connecting = dial(target, {
      ...how,
      signal: signal === undefined ? own : AbortSignal.any([signal, own]),
    }).catch((error) => {
      throw signal?.aborted && error === signal.reason
        ? error
        : notOpened(error);
    });
    this.#opened = connecting.then((connection) => this.#open(connection));
    this.#closed = this.#opened.then(() => this.#end!.outcome);
    // Whoever looks at one of them must not be punished for the other.
    this.#opened.catch(() => {});
    this.#closed.catch(() => {});
  }

  /** The URL, as it was understood. */
  get url(): string {
    return this.#url;
  }

  /**
   * Settles when the connection is open. Rejects with a {@linkcode WebSocketError}
   * if it cannot be opened, whose `cause` says why; with the reason of `signal`
   * when that aborts. The rejection may be ignored.
   */
  get opened(): Promise<WebSocketOpenInfo> {
    return this.#opened;
  }

  /**
   * Settles with code and reason of the peer's Close frame when the connection was
   * closed properly. Rejects like `opened` if it never opened, and with a
   * {@linkcode WebSocketError} if it broke. The rejection may be ignored.
   */
  get closed(): Promise<Required<WebSocketCloseInfo>> {
    return this.#closed;
  }

  /**
   * Closes the connection; gives up while it is connecting. Without code and reason
   * the Close frame is empty.
   *
   * @param info Code, 1000 or 3000 to 4999, and reason, at most 123 bytes of UTF-8;
   * a reason without a code gets 1000.
   * @throws {DOMException} `InvalidAccessError` for another code, `SyntaxError` for
   * a longer reason.
   * @throws {TypeError} If `info` is not an object.
   */
  close(info: WebSocketCloseInfo = {}): void {
    const connection = this.#connection;
    if (typeof info !== "object" && typeof info !== "function") {
      throw new TypeError("Cannot close: neither code nor reason");
    }
    const how = closeArguments(info?.closeCode, info?.reason);
    if (connection === undefined) {
      this.#giveUp.abort(new Error("close() was called before it was open"));
    } else {
      startClose(connection, how);
    }
  }

  #open(connection: Connection): WebSocketOpenInfo {
    const { aborted, reason } = this.#giveUp.signal;
    if (aborted) {
      // In the moment that it opened, which is too late for `dial`.
      connection.terminate();
      throw notOpened(reason);
    }
    this.#connection = connection;
    const end = new End(connection);
    this.#end = end;
    return {
      readable: readableOf(connection, end),
      writable: writableOf(connection, end),
      extensions: formatExtensions(connection.extensions),
      protocol: connection.subprotocol,
    };
  }
}

finishInterface(WebSocketStream, { name: "WebSocketStream" });

/** Web IDL: what is no object is no dictionary, and a string is no sequence. */
function checkDictionary(options: unknown): void {
  const isObject = typeof options === "object" && options !== null;
  if (!isObject) {
    throw new TypeError("Cannot connect: the options are no object");
  }
  const { protocols } = options as WebSocketOptions;
  if (protocols === undefined || typeof protocols === "object") return;
  throw new TypeError("Cannot connect: the subprotocols are no list");
}

/**
 * What a stream's end is: a proper one also where the code is not 1000, unless
 * something that was being written has been lost.
 */
class End {
  /** Whether a message waits to leave; what waits at the end is lost. */
  isWriting = false;
  /** Settles with what `closed` says, or rejects with what all of them reject with. */
  readonly outcome: Promise<Required<WebSocketCloseInfo>>;

  constructor(connection: Connection) {
    this.outcome = connection.closed.then((info) => {
      const { code: closeCode, reason } = info;
      if (info.wasClean && !this.isWriting) return { closeCode, reason };
      const cause = info.error ?? new ClosedError(info);
      throw failureOf("The connection broke", { closeCode, reason }, cause);
    });
    this.outcome.catch(() => {});
  }
}

/** Closes as the reason of a `cancel` or `abort` says. */
function closeFor(connection: Connection, reason: unknown): void {
  const isOurs = reason instanceof WebSocketError;
  startClose(connection, {
    code: isOurs ? reason.closeCode ?? undefined : undefined,
    reason: isOurs ? reason.reason : "",
  });
}

function readableOf(
  connection: Connection,
  end: End,
): ReadableStream<Message> {
  return new ReadableStream<Message>({
    async pull(controller) {
      try {
        controller.enqueue(await connection.receive());
      } catch {
        await end.outcome;
        controller.close();
      }
    },
    cancel(reason) {
      closeFor(connection, reason);
    },
  }, { highWaterMark: 0 });
}

function writableOf(
  connection: Connection,
  end: End,
): WritableStream<string | ArrayBuffer | ArrayBufferView> {
  return new WritableStream<string | ArrayBuffer | ArrayBufferView>({
    start(controller) {
      // A `close` that waits for the handshake goes through all the same.
      end.outcome.then(
        () => controller.error(isClosed()),
        (error) => controller.error(error),
      );
    },
    async write(chunk) {
      const message = bytesOf(chunk) ?? `${chunk}`;
      if (connection.readyState !== 1) throw isClosed();
      if (connection.send(message)) return;
      end.isWriting = true;
      try {
        await connection.drained;
        end.isWriting = false;
      } catch {
        await end.outcome;
      }
    },
    async close() {
      startClose(connection, { code: undefined, reason: "" });
      await end.outcome;
    },
    abort(reason) {
      closeFor(connection, reason);
    },
  });
}

function notOpened(cause: unknown): WebSocketError {
  return failureOf("The connection cannot be opened", {}, cause);
}

function isClosed(): DOMException {
  return new DOMException("The connection is closed", "InvalidStateError");
}
