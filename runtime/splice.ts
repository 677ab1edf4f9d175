/**
 * Joins two transports: what one receives the other sends.
 *
 * With backpressure and half-closes in both directions. The one between a client
 * and the private HTTP server can be undone on the way (see
 * {@linkcode Splice.takeOver}).
 *
 * @module
 */

import { concat } from "./concat.ts";
import { MarkerSearch } from "./marker_search.ts";
import { NO_SINK } from "./sink.ts";
import type { Transport, TransportSink } from "./transport.ts";

/** What one direction may hold before its source is paused, in bytes. */
const MAX_QUEUE_BYTES = 65_536;
/**
 * How long a client may keep its side open after the server has ended its own,
 * in milliseconds. The server has closed both ways by then, but only its FIN can
 * be seen from here.
 */
const LINGER_MS = 5_000;
/**
 * The same when the root closes and the kernel has all that the client is to get.
 * Browsers leave such a connection as it is until they need one again.
 */
const CLOSING_LINGER_MS = 250;

/** One direction: the sink of the transport that it reads from. */
class Direction implements TransportSink {
  readonly #splice: Splice;
  readonly #source: Transport;
  readonly #target: Transport;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isPaused = false;
  #hasEnd = false;
  #hasSentEnd = false;
  /** The other direction; set right after both are made. */
  back!: Direction;
  /** Takes the chunks instead of the target, while set. */
  divert: ((chunk: Uint8Array) => void) | undefined;

  constructor(
    splice: Splice,
    source: Transport,
    target: Transport,
  ) {
    this.#splice = splice;
    this.#source = source;
    this.#target = target;
  }

  get isEmpty(): boolean {
    return this.#queuedBytes === 0 && this.#target.bufferedBytes === 0;
  }

  get hasEnd(): boolean {
    return this.#hasEnd;
  }

  /** Sends a chunk that nobody else will change, or keeps it until it can. */
  send(chunk: Uint8Array): void {
    const target = this.#target;
    if (this.#queue.length === 0 && target.bufferedBytes === 0) {
      target.write(chunk);
    } else {
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    this.#balance();
  }

  data(chunk: Uint8Array): void {
    const owned = this.#source.givesChunks ? chunk : chunk.slice();
    if (this.divert !== undefined) return this.divert(owned);
    this.send(owned);
  }

  /** The source can be written to again, which is the other way's business. */
  drain(): void {
    this.back.flush();
  }

  end(): void {
    this.#hasEnd = true;
    // The private server might take FIN for a client that has gone.
    if (this.divert !== undefined) return this.#splice.endedMeanwhile(this);
    this.flush();
    this.#splice.directionEnded();
  }

  close(error?: Error): void {
    this.#splice.closed(this.#source, error);
  }

  flush(): void {
    const target = this.#target;
    while (target.bufferedBytes === 0) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      this.#queuedBytes -= chunk.length;
      target.write(chunk);
    }
    this.#balance();
    if (this.#hasEnd && !this.#hasSentEnd && this.#queue.length === 0) {
      this.#hasSentEnd = true;
      target.end();
    }
    this.#splice.flushed();
  }

  /** Pauses or resumes the source, by how much waits for the target. */
  #balance(): void {
    const waitingBytes = this.#queuedBytes + this.#target.bufferedBytes;
    const isFull = waitingBytes > MAX_QUEUE_BYTES;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#source.pause();
    else this.#source.resume();
  }
}

/** What {@linkcode Splice.takeOver} waits for. */
interface TakeOver {
  readonly search: MarkerSearch;
  readonly done: (leftover: Uint8Array) => void;
  /** What has come from the client since. */
  readonly leftover: Uint8Array[];
  /** Whether the marker has been seen. */
  isFound: boolean;
}

/** Two joined transports: a client's, and one to the private server. */
export class Splice {
  readonly #client: Transport;
  readonly #inner: Transport;
  readonly #up: Direction;
  readonly #down: Direction;
  readonly #gone: () => void;
  #takeOver: TakeOver | undefined;
  #openCount = 2;
  /** What had been written to the client when the timer was set. */
  #lingerBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosing = false;

  /**
   * Joins them.
   *
   * @param options.client A started transport, paused.
   * @param options.inner A transport that has not been started.
   * @param options.gone Called once when the splice is over, also by a takeover.
   */
  constructor(
    options: {
      readonly client: Transport;
      readonly inner: Transport;
      readonly gone: () => void;
    },
  ) {
    const { client, inner } = options;
    this.#client = client;
    this.#inner = inner;
    this.#gone = options.gone;
    this.#up = new Direction(this, client, inner);
    this.#down = new Direction(this, inner, client);
    this.#up.back = this.#down;
    this.#down.back = this.#up;
  }

  /**
   * Starts.
   *
   * @param head What the client has sent already; kept.
   * @param hasEnd Whether the client has sent FIN already.
   */
  start(head: Uint8Array, hasEnd: boolean): void {
    this.#client.sink = this.#up;
    this.#inner.start(this.#down);
    if (head.length > 0) this.#up.send(head);
    if (hasEnd) this.#up.end();
    else this.#client.resume();
  }

  /** Lets the client go soon after the server has ended its side. */
  close(): void {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.directionEnded();
  }

  /** Drops both transports. */
  destroy(): void {
    this.#client.destroy();
    this.#inner.destroy();
  }

  /**
   * Undoes the splice at the response that carries a nonce.
   *
   * From now on nothing the client sends goes to the server. What the server
   * sends goes to the client up to that response, which is swallowed; then the
   * connection to the server is dropped.
   *
   * @param nonce Text that occurs in the response's head, and nowhere else.
   * @param done Called when all earlier responses have been handed to the
   * client's transport, with what the client has sent since the call. It gives
   * the client's transport a new sink, before it returns.
   */
  takeOver(nonce: string, done: (leftover: Uint8Array) => void): void {
    const takeOver: TakeOver = {
      search: new MarkerSearch(nonce),
      done,
      leftover: [],
      isFound: false,
    };
    this.#takeOver = takeOver;
    this.#client.pause();
    this.#up.divert = (chunk) => takeOver.leftover.push(chunk);
    this.#down.divert = (chunk) => this.#search(takeOver, chunk);
  }

  /** Looks for the marker in what the server sends. */
  #search(takeOver: TakeOver, chunk: Uint8Array): void {
    if (takeOver.isFound) return;
    const before = takeOver.search.receive(chunk);
    if (before === undefined) return;
    takeOver.isFound = true;
    this.#inner.sink = NO_SINK;
    this.#inner.destroy();
    if (before.length > 0) this.#down.send(before);
    this.flushed();
  }

  /** A direction has written what it had. */
  flushed(): void {
    const takeOver = this.#takeOver;
    if (takeOver === undefined || !takeOver.isFound) return;
    if (!this.#down.isEmpty) return;
    this.#takeOver = undefined;
    this.#finish();
    this.#client.sink = NO_SINK;
    takeOver.done(concat(takeOver.leftover));
    if (this.#up.hasEnd) this.#client.sink.end();
    this.#client.resume();
  }

  /** A direction has seen FIN while the splice is being undone. */
  endedMeanwhile(direction: Direction): void {
    // A client's FIN is told to whoever takes over. Without the marker the
    // request is lost.
    if (direction === this.#down) this.destroy();
  }

  /** A direction has seen FIN. */
  directionEnded(): void {
    if (!this.#down.hasEnd || this.#timer !== undefined) return;
    this.#lingerBytes = this.#client.writtenBytes;
    const isSent = this.#isClosing && this.#down.isEmpty;
    this.#timer = setTimeout(
      () => this.#linger(),
      isSent ? CLOSING_LINGER_MS : LINGER_MS,
    );
  }

  /** One of the transports is gone. */
  closed(transport: Transport, error: Error | undefined): void {
    this.#openCount--;
    this.#takeOver = undefined;
    // Without an error both of its ends are done, and the other one follows
    // when it has been flushed.
    const other = transport === this.#client ? this.#inner : this.#client;
    const isOrderly = error === undefined && this.#up.hasEnd &&
      this.#down.hasEnd;
    if (!isOrderly && this.#openCount > 0) other.destroy();
    if (this.#openCount === 0) this.#finish();
  }

  /** Gives the client time as long as it takes what it is sent. */
  #linger(): void {
    this.#timer = undefined;
    if (this.#client.writtenBytes > this.#lingerBytes) this.directionEnded();
    else this.destroy();
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#gone();
  }
}
