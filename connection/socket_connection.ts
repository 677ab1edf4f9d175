/**
 * A connection on a socket of our own.
 *
 * @module
 */

import type {
  BroadcastCount,
  Connection,
  ConnectionSite,
} from "../connection.ts";
import type { Extension, Message, PreparedMessage } from "../codec.ts";
import type { Address } from "../runtime/transport.ts";
import { ClosedError, type CloseInfo } from "./close_info.ts";
import { Handler, type HandlerFunction } from "./handler.ts";
import {
  type ConnectionInit,
  type ConnectionOwner,
  protocolOptions,
} from "./init.ts";
import { nameOf } from "./identity.ts";
import { Link } from "./link.ts";
import type { LinkOwner } from "./link_owner.ts";
import type { Home } from "./membership.ts";
import { Pings } from "./pings.ts";
import { Pump } from "./pump.ts";
import type {
  ConnectionRequest,
  ConnectionResponse,
  DialledRequest,
  ForwardedRequest,
} from "./request.ts";
import { SendQueue } from "./send_queue.ts";
import {
  checkIterable,
  sendFragments,
  type StreamTarget,
} from "./send_stream.ts";
import {
  mayCompress,
  type Sendable,
  type SendOptions,
  toMessage,
} from "./sendable.ts";
import { type ConnectionStats, statsOf } from "./stats.ts";
import type { StreamedMessage } from "./streamed_message.ts";
import { MessageStreams } from "./streams.ts";
import { messagesOf, takeMessage, takeStream } from "./taking.ts";

/** Implements {@linkcode Connection}. */
export class SocketConnection<Data = unknown>
  implements Connection<Data>, LinkOwner, StreamTarget {
  readonly request: ConnectionRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly subprotocol: string;
  readonly extensions: readonly Extension[];
  data: Data = undefined as Data;
  /** The transport end of it; for the site and the dialer. */
  readonly link: Link;
  /** Delivers what the peer sends. */
  readonly pump: Pump;
  /** Who made it. */
  readonly owner: ConnectionOwner;

  #drained: PromiseWithResolvers<void> | undefined;
  #closed: PromiseWithResolvers<CloseInfo> | undefined;
  #streams: MessageStreams | undefined;
  #queue: SendQueue | undefined;

  /** @param init What it is made of. */
  constructor(init: ConnectionInit) {
    this.owner = init.owner;
    this.request = init.request;
    this.params = init.params;
    this.subprotocol = init.subprotocol;
    this.extensions = init.extensions;
    this.link = new Link(
      init.transport,
      protocolOptions(init),
      init.settings,
      init.ticker,
      this,
    );
    this.pump = new Pump(this.link);
  }

  get id(): string {
    return nameOf(this);
  }

  get response(): ConnectionResponse | undefined {
    // Kept by the request, too: those that a site accepts need no room for it.
    return (this.request as Partial<DialledRequest>).response;
  }

  get remoteAddress(): Address {
    // Kept by the request: connections that no proxy forwards need no room for it.
    const { clientAddress } = this.request as Partial<ForwardedRequest>;
    return clientAddress ?? this.link.transport.remoteAddress;
  }

  get localAddress(): Address {
    return this.link.transport.localAddress;
  }

  get readyState(): 1 | 2 | 3 {
    if (this.link.isClosed) return 3;
    return this.link.isOpen ? 1 : 2;
  }

  get bufferedAmount(): number {
    return this.link.bufferedBytes + (this.#queue?.waitingBytes ?? 0);
  }

  get queue(): SendQueue {
    return this.#queue ??= new SendQueue(this.link);
  }

  get drained(): Promise<void> {
    // Not at once while closing: a loop that sends and waits would never end, nor
    // let anything else happen.
    if (!this.link.isOpen) return this.#closedError();
    if (this.bufferedAmount < this.link.settings.sendHighWaterBytes) {
      return Promise.resolve();
    }
    this.link.isOver = true;
    this.#drained ??= Promise.withResolvers();
    // Whoever does not listen must not be punished for a connection that ends.
    this.#drained.promise.catch(() => {});
    return this.#drained.promise;
  }

  get closed(): Promise<CloseInfo> {
    // Who waits for the end has finished with the messages that he has taken.
    this.pump.release();
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      if (this.link.isClosed) this.#closed.resolve(this.link.info!);
    }
    return this.#closed.promise;
  }

  get latencyMs(): number | undefined {
    return this.link.latencyMs;
  }

  get stats(): ConnectionStats {
    return statsOf(
      this.link,
      this.#queue?.openFragments ?? 0,
      this.owner.home?.droppedBy(this) ?? 0,
    );
  }

  get site(): ConnectionSite {
    return this.#home("reach the site").site;
  }

  get topics(): ReadonlySet<string> {
    return this.#home("list the topics").topicsOf(this);
  }

  get readable(): ReadableStream<Message> {
    return (this.#streams ??= new MessageStreams(this)).readable;
  }

  get writable(): WritableStream<Sendable> {
    return (this.#streams ??= new MessageStreams(this)).writable;
  }

  send(data: Sendable, options?: SendOptions): boolean {
    const message = toMessage(data);
    const compress = mayCompress(options);
    if (this.#isStreaming) return this.#sendLater(message, compress);
    return this.link.send(message, compress);
  }

  subscribe(topic: string): boolean {
    return this.#home("subscribe").subscribe(this, topic);
  }

  unsubscribe(topic: string): boolean {
    return this.#home("unsubscribe").unsubscribe(this, topic);
  }

  publish(topic: string, data: Sendable): BroadcastCount {
    const { site } = this.#home("publish");
    return site.publish(topic, data, { except: this });
  }

  sendStream(
    chunks: AsyncIterable<Sendable> | Iterable<Sendable>,
    options?: SendOptions,
  ): Promise<void> {
    checkIterable(chunks);
    const compress = mayCompress(options);
    const sent = this.queue.add(() => sendFragments(this, chunks, compress));
    sent.catch(() => {});
    return sent;
  }

  receive(): Promise<Message> {
    return takeMessage(this.pump);
  }

  receiveStream(): Promise<StreamedMessage> {
    return takeStream(this.pump);
  }

  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return messagesOf(this.pump);
  }

  ping(payload?: ArrayBuffer | ArrayBufferView): Promise<number> {
    const bytes = Pings.payload(payload);
    if (!this.link.isOpen) return this.#closedError();
    return this.link.ping(bytes);
  }

  close(code = 1000, reason = ""): Promise<CloseInfo> {
    this.link.ending.startClose(code, reason, "local");
    return this.closed;
  }

  terminate(): void {
    this.pump.deafen();
    this.link.ending.drop("local");
  }

  pause(): void {
    this.link.pauseByUser(true);
  }

  resume(): void {
    this.link.pauseByUser(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // What the site and the dialer ask for.

  /** Sends a message that was framed before; tells whether it was accepted. */
  sendPrepared(message: PreparedMessage): boolean {
    if (!this.#isStreaming) return this.link.sendPrepared(message);
    this.#sendLater(message.data, message.compress);
    return this.link.isOpen;
  }

  /** Hands the connection to an instance of a handler class. */
  handle(handler: Handler<Data>): void {
    const streams = handler.stream !== undefined;
    // Where neither is overridden messages wait to be asked for.
    const pushes = streams || handler.message !== Handler.prototype.message;
    if (streams) this.link.streamMessages();
    else if (!pushes) this.offerPieces();
    this.link.cork();
    this.pump.start(handler, pushes);
    this.link.uncork();
  }

  /** Receives messages in pieces, where the options say so; no hook takes them. */
  offerPieces(): void {
    if (this.link.settings.maxStreamBytes !== undefined) {
      this.link.streamMessages();
    }
  }

  /** Runs the function form of a handler: its end is the connection's. */
  async run(body: HandlerFunction<Data>): Promise<void> {
    this.offerPieces();
    try {
      await body(this);
    } catch (error) {
      // That the peer went away is no failure of the handler's.
      const isOurs = error instanceof ClosedError &&
        error.info === this.link.info;
      if (!isOurs) return void this.onHookFailed(error);
    }
    this.link.ending.startClose(1000, "", "local");
  }

  /** Whether a fragmented message, or what waits for it, is under way. */
  get #isStreaming(): boolean {
    return this.#queue !== undefined && !this.#queue.isEmpty;
  }

  /** Apart, so that `send` is short: with this in it, echoes on Bun are 6 % slower. */
  #sendLater(message: Message, compress: boolean): boolean {
    return this.queue.send(message, compress);
  }

  // What the link says.

  onDrained(): void {
    const { home } = this.owner;
    // What is broadcast meanwhile, by the hook, comes after what waits already.
    const isBehind = home !== undefined && home.isBehind(this);
    if (isBehind) this.link.isOver = true;
    this.#drained?.resolve();
    this.#drained = undefined;
    this.pump.drained();
    if (isBehind) home.release(this);
  }

  onClosing(): void {
    this.owner.onClosing(this);
  }

  onClosed(info: CloseInfo): void {
    const interrupt = this.#queue?.interrupt;
    const isAwaited = this.link.hasPings || this.#drained !== undefined ||
      interrupt !== undefined;
    // An error costs as much as 20 calls, for it notes the stack.
    const error = isAwaited ? new ClosedError(info) : undefined;
    if (error !== undefined) {
      this.link.pings.end(error);
      this.#drained?.reject(error);
      this.#drained = undefined;
    }
    this.owner.onClosed(this);
    this.#closed?.resolve(info);
    if (error !== undefined) interrupt?.(error);
    this.pump.close(info);
  }

  onHookFailed(error: unknown): Error {
    this.owner.reportError(error, this);
    const failure = toError(error);
    this.link.ending.startClose(1011, "internal error", "local", failure);
    return failure;
  }

  /** The site's side of it. */
  #home(what: string): Home {
    const { home } = this.owner;
    if (home !== undefined) return home;
    throw new TypeError(`Cannot ${what}: the connection was dialled`);
  }

  #closedError(): Promise<never> {
    const rejected = this.closed.then((info) => {
      throw new ClosedError(info);
    });
    // Whoever does not listen must not be punished for a connection that ends.
    rejected.catch(() => {});
    return rejected;
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
