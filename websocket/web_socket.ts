/**
 * The `WebSocket` of the web platform, on `dial`.
 *
 * @module
 */

import { formatExtensions } from "../codec.ts";
import { bytesOf } from "./buffer_source.ts";
import {
  type BinaryType,
  Channel,
  CLOSED,
  CLOSING,
  CONNECTING,
  OPEN,
} from "./channel.ts";
import { closeArguments } from "./close_arguments.ts";
import {
  type EventHandler,
  EventHandlers,
  type FailureEvent,
} from "./events.ts";
import { finishInterface } from "./interface.ts";
import {
  dialOptions,
  parseOptions,
  parseTarget,
  type WebSocketOptions,
} from "./target.ts";

/** Events of a {@linkcode WebSocket}, by their type. */
export interface WebSocketEventMap {
  /** The connection is open. */
  open: Event;
  /** A message: text as a string, bytes as `binaryType` says. */
  message: MessageEvent;
  /** Something went wrong; a `close` event follows. */
  error: FailureEvent;
  /** The connection is gone, or never came to be. */
  close: CloseEvent;
}

/**
 * The `WebSocket` of the web platform (WHATWG WebSockets Standard), the same on
 * every runtime, with the options of `dial` added.
 *
 * Each event is dispatched in a task of its own, and reading from the peer pauses
 * while events wait. What is sent is copied. A message over `maxMessageBytes` fails
 * the connection, as does more than `sendMaxBytes` that a peer does not read.
 *
 * @example
 * ```ts
 * import { Site } from "@sockeye/sockeye";
 * import { WebSocket } from "@sockeye/sockeye/websocket";
 * import { strictEqual } from "node:assert";
 *
 * const site = new Site();
 * site.addHandler("/", async (connection) => {
 *   for await (const message of connection) connection.send(message);
 * });
 * await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 *
 * const socket = new WebSocket(`ws://127.0.0.1:${server.addr.port}/`, {
 *   headers: { authorization: "Bearer 1234" },
 * });
 * socket.onopen = () => socket.send("hello");
 * const answer = await new Promise((resolve) => {
 *   socket.onmessage = (event) => resolve(event.data);
 * });
 * strictEqual(answer, "hello");
 * socket.close(1000);
 * ```
 */
export class WebSocket extends EventTarget {
  /** The connection is not open yet. */
  declare static readonly CONNECTING: 0;
  /** The connection is open. */
  declare static readonly OPEN: 1;
  /** The connection is being closed. */
  declare static readonly CLOSING: 2;
  /** The connection is gone. */
  declare static readonly CLOSED: 3;
  /** The connection is not open yet. */
  declare readonly CONNECTING: 0;
  /** The connection is open. */
  declare readonly OPEN: 1;
  /** The connection is being closed. */
  declare readonly CLOSING: 2;
  /** The connection is gone. */
  declare readonly CLOSED: 3;

  readonly #handlers: EventHandlers = new EventHandlers(this);
  readonly #channel: Channel;

  /**
   * Starts to connect.
   *
   * @param url Where to: `ws:` or `wss:`; `http:` and `https:` stand for them. It
   * must be absolute: there is no page that it could be relative to.
   * @param protocolsOrOptions Subprotocols to offer, or options. Where subprotocols
   * are offered, a server that chooses none makes the connection fail.
   * @throws {DOMException} `SyntaxError` if the URL or a subprotocol is wrong.
   * @throws {TypeError} If an option is unknown or of the wrong kind. What `dial`
   * finds later, such as a wrong header, is told by the `error` event.
   */
  constructor(
    url: string | URL,
    protocolsOrOptions?: string | Iterable<string> | WebSocketOptions,
  ) {
    super();
    if (arguments.length === 0) {
      throw new TypeError("Cannot connect: there is no URL");
    }
    const options = parseOptions(protocolsOrOptions);
    const target = parseTarget(url);
    this.#channel = new Channel(target, dialOptions(options), this);
  }

  /** The URL, as it was understood. */
  get url(): string {
    return this.#channel.url.href;
  }

  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#channel.readyState;
  }

  /**
   * Bytes of payload given to `send` that have not left this process, without
   * framing. It falls between tasks only; what had not left at the end, or was given
   * after it, stays.
   */
  get bufferedAmount(): number {
    return this.#channel.bufferedAmount;
  }

  /** Extensions agreed on, as the header says it; empty for none. */
  get extensions(): string {
    return formatExtensions(this.#channel.connection?.extensions ?? []);
  }

  /** Subprotocol agreed on; empty for none. */
  get protocol(): string {
    return this.#channel.connection?.subprotocol ?? "";
  }

  /**
   * What the `data` of a message of bytes is. Setting it to anything else changes
   * nothing.
   *
   * @default {"blob"}
   */
  get binaryType(): BinaryType {
    return this.#channel.binaryType;
  }

  set binaryType(type: BinaryType) {
    // Before the text is made of it: a `this` that is none of ours is a TypeError.
    const channel = this.#channel;
    const text = `${type}`;
    if (text === "blob" || text === "arraybuffer") channel.binaryType = text;
  }

  /** Called when the connection is open. */
  get onopen(): EventHandler<WebSocketEventMap["open"]> {
    return this.#handlers.get("open");
  }

  set onopen(handler: EventHandler<WebSocketEventMap["open"]>) {
    this.#handlers.set("open", handler);
  }

  /** Called with each message. */
  get onmessage(): EventHandler<WebSocketEventMap["message"]> {
    return this.#handlers.get("message");
  }

  set onmessage(
    handler: EventHandler<WebSocketEventMap["message"]>,
  ) {
    this.#handlers.set("message", handler);
  }

  /**
   * Called when something went wrong, before `onclose`. The event is a
   * {@linkcode FailureEvent}, as is known to what is set; what is read has the type
   * of the platform's, so that this class can stand in for it.
   */
  get onerror(): EventHandler {
    return this.#handlers.get("error");
  }

  set onerror(handler: EventHandler<WebSocketEventMap["error"]>) {
    this.#handlers.set("error", handler);
  }

  /** Called once, at the end. */
  get onclose(): EventHandler<WebSocketEventMap["close"]> {
    return this.#handlers.get("close");
  }

  set onclose(handler: EventHandler<WebSocketEventMap["close"]>) {
    this.#handlers.set("close", handler);
  }

  /**
   * Sends a message.
   *
   * @param data Text, bytes or a blob; anything else is sent as its text. Bytes are
   * copied.
   * @throws {DOMException} `InvalidStateError` while it is connecting.
   * @throws {TypeError} If bytes are in a buffer that is shared or can be resized.
   */
  send(data: string | ArrayBuffer | Blob | ArrayBufferView): void {
    if (arguments.length === 0) {
      throw new TypeError("Cannot send: there is no message");
    }
    const channel = this.#channel;
    const message = toSendable(data);
    if (channel.readyState === CONNECTING) {
      throw new DOMException(
        "Cannot send: the connection is not open yet",
        "InvalidStateError",
      );
    }
    channel.send(message);
  }

  /**
   * Closes the connection; what was sent before leaves first. While it is
   * connecting it gives up. Without a code the Close frame has none, and the `close`
   * event has 1005.
   *
   * @param code Close code: 1000, or 3000 to 4999.
   * @param reason At most 123 bytes of UTF-8.
   * @throws {DOMException} `InvalidAccessError` for another code, `SyntaxError` for
   * a longer reason. Nothing has changed then.
   */
  close(code?: number, reason?: string): void {
    const channel = this.#channel;
    channel.close(closeArguments(code, reason));
  }

  /**
   * Adds a listener.
   *
   * @param type Type of events.
   * @param listener What is called with each.
   * @param options As of every event target.
   */
  override addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (event: WebSocketEventMap[Type]) => unknown,
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void;
  /** Adds a listener of any type of events. */
  override addEventListener(
    type: string,
    listener: Parameters<EventTarget["addEventListener"]>[1],
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void;
  override addEventListener(
    type: string,
    // deno-lint-ignore no-explicit-any
    listener: any,
    options?: Parameters<EventTarget["addEventListener"]>[2],
  ): void {
    super.addEventListener(type, listener, options);
  }

  /**
   * Removes a listener.
   *
   * @param type Type of events.
   * @param listener What was added.
   * @param options As of every event target.
   */
  override removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (event: WebSocketEventMap[Type]) => unknown,
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void;
  /** Removes a listener of any type of events. */
  override removeEventListener(
    type: string,
    listener: Parameters<EventTarget["removeEventListener"]>[1],
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void;
  override removeEventListener(
    type: string,
    // deno-lint-ignore no-explicit-any
    listener: any,
    options?: Parameters<EventTarget["removeEventListener"]>[2],
  ): void {
    super.removeEventListener(type, listener, options);
  }
}

finishInterface(WebSocket, {
  name: "WebSocket",
  constants: { CONNECTING, OPEN, CLOSING, CLOSED },
  lengths: { constructor: 1, close: 0 },
  inherited: ["addEventListener", "removeEventListener"],
});

/** Takes what `send` was given, as it is at this moment. */
function toSendable(data: unknown): string | Uint8Array | Blob {
  if (typeof data === "string" || data instanceof Blob) return data;
  return bytesOf(data) ?? `${data}`;
}
