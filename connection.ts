/**
 * What a user holds: a {@linkcode Connection}, the same on both sides, and the
 * {@linkcode Handler} that a site, or `dial`, makes for each.
 *
 * This is the only place where the codec meets a runtime. The rooms behind it
 * are `connection/`: `link.ts` joins protocol and transport, `ending.ts` is how that
 * ends, `pump.ts` keeps the hooks in order, `taking.ts` hands messages to those who
 * ask, `socket_connection.ts` is what implements the interface below.
 *
 * @module
 */

import type { Extension, Message } from "./codec.ts";
import type { CloseInfo } from "./connection/close_info.ts";
import type {
  BroadcastCount,
  ConnectionSite,
} from "./connection/membership.ts";
import type {
  ConnectionRequest,
  ConnectionResponse,
} from "./connection/request.ts";
import type { Sendable, SendOptions } from "./connection/sendable.ts";
import type { ConnectionStats } from "./connection/stats.ts";
import type { StreamedMessage } from "./connection/streamed_message.ts";
import type { Address } from "./runtime/transport.ts";

export {
  type ByteStream,
  byteStream,
  type ByteStreamOptions,
} from "./connection/byte_stream.ts";
export {
  callbackHandler,
  type HandlerCallbacks,
} from "./connection/callbacks.ts";
export {
  checkAmount,
  checkKeys,
  checkSignal,
  checkType,
} from "./connection/check.ts";
export {
  type Clock,
  currentClock,
  nowMs,
  timerMs,
  useClock,
} from "./connection/clock.ts";
export {
  type CloseCause,
  ClosedError,
  isOrdinary,
} from "./connection/close_info.ts";
export type { CloseInfo };
export {
  compressionLoaded,
  type CompressionOptions,
  type CompressionSettings,
  isCompressionLoaded,
  loadCompression,
  messageTransform,
} from "./connection/compression.ts";
export { watchDelays } from "./connection/delays.ts";
export {
  describeFrame,
  frameLogger,
  type FrameLoggerOptions,
} from "./connection/frame_logger.ts";
export type { FrameTrace } from "./connection/frame_tracer.ts";
export {
  Handler,
  type HandlerConstructor,
  type HandlerFunction,
  type Hooks,
  isHandlerClass,
} from "./connection/handler.ts";
export type { ConnectionInit, ConnectionOwner } from "./connection/init.ts";
export type {
  BroadcastCount,
  BroadcastOptions,
  ConnectionSite,
  Home,
  PublishOptions,
} from "./connection/membership.ts";
export {
  type BroadcastOverflow,
  CONNECTION_OPTION_NAMES,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
} from "./connection/options.ts";
export { checkPem } from "./connection/pem.ts";
export { printable } from "./connection/printable.ts";
export type { DialledRequest, ForwardedRequest } from "./connection/request.ts";
export type { ConnectionRequest, ConnectionResponse };
export {
  isArrayBuffer,
  mayCompress,
  toBytes,
  toMessage,
} from "./connection/sendable.ts";
export type { Sendable, SendOptions };
export { SocketConnection } from "./connection/socket_connection.ts";
export type { ConnectionStats };
export type {
  MessageChunks,
  StreamedBinary,
  StreamedText,
} from "./connection/streamed_message.ts";
export type { StreamedMessage };
export {
  connectionTicker,
  type Ticker,
  tickerFor,
  type Ticking,
} from "./connection/ticker.ts";
export {
  connectionOf,
  type FrameListener,
  TracedTransport,
} from "./connection/traced_transport.ts";
export type { Address };

/**
 * An open WebSocket.
 *
 * As an async iterable it yields messages, and ends after a close with 1000, 1001
 * or no code; after any other it throws a {@linkcode ClosedError}. Leaving the
 * loop early leaves the connection open. Messages that arrived before the end can
 * still be taken after it.
 *
 * @typeParam Data Type of `data`.
 */
export interface Connection<Data = unknown>
  extends AsyncDisposable, AsyncIterable<Message> {
  /**
   * A name for logs, such as `x7k2p-1a`: short, unique in this process, and made
   * when it is first asked for.
   */
  readonly id: string;
  /** The request that opened it. */
  readonly request: ConnectionRequest;
  /** What the server answered; `undefined` on a site. */
  readonly response: ConnectionResponse | undefined;
  /** What the parts of the path pattern matched, such as `id` in `/rooms/:id`. */
  readonly params: Readonly<Record<string, string>>;
  /** Address of the peer; of the client, where a trusted proxy tells it. */
  readonly remoteAddress: Address;
  /** Address of this side. */
  readonly localAddress: Address;
  /** Subprotocol agreed on, empty for none. */
  readonly subprotocol: string;
  /** Extensions agreed on. */
  readonly extensions: readonly Extension[];
  /** State of your own for this connection. */
  data: Data;
  /** As of the WHATWG interface: 1 open, 2 closing, 3 closed. */
  readonly readyState: 1 | 2 | 3;
  /** Bytes accepted by `send` that have not left this process, with framing. */
  readonly bufferedAmount: number;
  /**
   * Settles when more may be sent: at once while the send buffer is below its
   * mark, else when it has fallen below it. Rejects with a
   * {@linkcode ClosedError} when the connection closes first.
   */
  readonly drained: Promise<void>;
  /**
   * Settles when the connection is gone. Never rejects. Asking for it also says
   * that the messages taken so far are done with; see {@linkcode receive}.
   */
  readonly closed: Promise<CloseInfo>;
  /** Latest measured round trip, in milliseconds; `undefined` before the first. */
  readonly latencyMs: number | undefined;
  /** Counters. */
  readonly stats: ConnectionStats;
  /**
   * The site that it belongs to.
   *
   * @throws {TypeError} If the connection was dialled.
   */
  readonly site: ConnectionSite;
  /**
   * The topics that it is subscribed to; a copy.
   *
   * @throws {TypeError} If the connection was dialled.
   */
  readonly topics: ReadonlySet<string>;
  /**
   * Messages as a stream. Reading it takes them, as `receive` does; what is not
   * read makes reading from the peer pause. Cancelling it closes the connection.
   */
  readonly readable: ReadableStream<Message>;
  /**
   * A stream that sends each chunk as a message, and is ready when more may be
   * sent. Closing it closes the connection with 1000, aborting it with 1011.
   */
  readonly writable: WritableStream<Sendable>;

  /**
   * Sends one message.
   *
   * A string goes as a text message, a lone surrogate in it as U+FFFD; bytes go
   * as a binary message (RFC 6455, section 5.6). Messages leave in call order and
   * are never interleaved.
   *
   * @param data Message. Bytes are not modified; leave them unchanged until
   * {@linkcode Connection.drained} settles.
   * @param options How to send it.
   * @returns `true` while more may be sent at once; `false` when the send buffer
   * is over its mark (the message is queued all the same), or when the connection
   * is no longer open (it is dropped). It says nothing about delivery.
   * @throws {TypeError} If `data` is neither a string nor bytes, or an option is
   * unknown or of the wrong kind.
   */
  send(data: Sendable, options?: SendOptions): boolean;

  /**
   * Subscribes to a topic, until {@linkcode Connection.unsubscribe} or the end of
   * the connection. Every connection that closes has left all its topics before
   * its `close` hook is called.
   *
   * @param topic Any text but the empty one. Topics cost nothing while nobody is
   * subscribed to them; still, bound those that a peer may choose.
   * @returns Whether that is new: `false` where it was subscribed already, or is
   * open no more.
   * @throws {TypeError} If the topic is not such a text, or the connection was
   * dialled.
   */
  subscribe(topic: string): boolean;

  /**
   * Unsubscribes from a topic.
   *
   * @param topic Topic.
   * @returns Whether it was subscribed.
   * @throws {TypeError} If the topic is not a text, or is empty, or the connection
   * was dialled.
   */
  unsubscribe(topic: string): boolean;

  /**
   * Sends a message to everyone else who is subscribed to a topic. It need not be
   * subscribed itself.
   *
   * @param topic Topic.
   * @param data Message, as for `send`. Bytes are copied.
   * @returns How many connections it went to, of those in this process.
   * @throws {TypeError} If an argument is of the wrong kind, or the connection was
   * dialled.
   */
  publish(topic: string, data: Sendable): BroadcastCount;

  /**
   * Sends one message in fragments, one for each chunk (RFC 6455, section 5.4).
   * Messages sent meanwhile leave after it; Ping and Pong may go in between.
   *
   * Where compression was negotiated, and the first chunk is worth it, each chunk is
   * compressed by itself.
   *
   * @param chunks Strings or bytes, not mixed. No chunk, no message.
   * @param options How to send it.
   * @returns A promise that settles when the last fragment has been accepted.
   * It waits between chunks while the send buffer is over its mark.
   * @throws {TypeError} If `chunks` is not iterable, or an option is unknown or of
   * the wrong kind, at once. If chunks are mixed or of the wrong type; the connection
   * is then closed with 1011, as it is when the iterable itself throws.
   * @throws {ClosedError} If the connection closes first.
   */
  sendStream(
    chunks: AsyncIterable<Sendable> | Iterable<Sendable>,
    options?: SendOptions,
  ): Promise<void>;

  /**
   * Takes the next message. Calls made meanwhile are served in order.
   *
   * Whoever has taken a message and not yet asked for the next may still be working
   * on an answer: a Close frame of the peer's is then answered when the next one, or
   * {@linkcode closed}, is asked for, or a loop over messages is left; at the latest
   * after a second, or after half of `closeTimeoutMs` where more messages wait. The
   * same goes for the end of a stream without a Close frame.
   *
   * @returns Text as a string, binary as bytes that are yours. Small ones that
   * arrived together may share one buffer: copy them before you transfer it.
   * @throws {TypeError} If the handler takes messages by a hook.
   * @throws {ClosedError} If there will be no more.
   */
  receive(): Promise<Message>;

  /**
   * Takes the next message in pieces, when it begins. The first call, or the option
   * `maxStreamBytes`, says that messages are to come so; what has come whole before
   * that is one piece. Messages may be taken one way and the other, as they come.
   *
   * The next message comes when this one has been gone through, or discarded.
   *
   * @returns The message, whose chunks come as they arrive.
   * @throws {TypeError} If the handler takes messages by a hook.
   * @throws {ClosedError} If there will be no more.
   */
  receiveStream(): Promise<StreamedMessage>;

  /**
   * Sends a Ping (RFC 6455, section 5.5.2).
   *
   * @param payload At most 125 bytes; four random ones where absent.
   * @returns The round trip in milliseconds. The promise may be ignored.
   * @throws {TypeError} If the payload is not bytes.
   * @throws {RangeError} If it is too long.
   * @throws {Error} If a Ping with the same payload is under way.
   * @throws {ClosedError} If the connection closes first.
   */
  ping(payload?: ArrayBuffer | ArrayBufferView): Promise<number>;

  /**
   * Starts the closing handshake. What was sent before leaves first, except a
   * `sendStream` that is not finished and what waits behind it. Idempotent.
   *
   * @param code Close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999.
   * @param reason At most 123 bytes of UTF-8.
   * @returns {@linkcode Connection.closed}.
   * @throws {TypeError} If an argument is of the wrong type, or the reason has a
   * lone surrogate.
   * @throws {RangeError} If the code must not be sent, or the reason is too long.
   * Nothing has changed then.
   */
  close(code?: number, reason?: string): Promise<CloseInfo>;

  /**
   * Drops the connection at once, without a Close frame. A `message` hook is not
   * called any more.
   */
  terminate(): void;

  /** Stops reading, so that the peer's messages wait in the network. */
  pause(): void;

  /** Reads again after `pause`. */
  resume(): void;

  /** Closes with 1000, and waits until the connection is gone. */
  [Symbol.asyncDispose](): Promise<void>;
}
