/**
 * A message that is received in pieces, on its way from the pump to whoever takes
 * it.
 *
 * @module
 */

import { type Message, ProtocolError } from "../codec.ts";
import { checkAmount } from "./check.ts";
import { ClosedError } from "./close_info.ts";
import type { Hooks } from "./handler.ts";
import type { Link } from "./link.ts";
import type { StreamedMessage } from "./streamed_message.ts";

/** Where the pieces of a message come from. */
export interface IncomingSource {
  /** The link that they arrive on. */
  readonly link: Link;
  /** A piece is wanted, or no piece is any more. */
  onWanted(): void;
}

/** Who waits for a piece. */
type Waiter = PromiseWithResolvers<IteratorResult<Message>>;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Implements {@linkcode StreamedMessage}. */
export class Incoming {
  readonly binary: boolean;

  readonly #source: IncomingSource;
  /** A message that had been put together before it was asked for in pieces. */
  #ready: Message | undefined;
  #waiters: Waiter[] = [];
  #readable: ReadableStream<Message> | undefined;
  /** Whether somebody goes through it. */
  #isTaken = false;
  #isDiscarded = false;
  #isCutOff = false;
  #isOver = false;
  #error: ClosedError | undefined;

  /**
   * @param source Where its pieces come from.
   * @param binary Whether it is binary.
   */
  constructor(source: IncomingSource, binary: boolean) {
    this.#source = source;
    this.binary = binary;
  }

  /** Makes one of a message that is whole. */
  static of(source: IncomingSource, message: Message): Incoming {
    const incoming = new Incoming(source, typeof message !== "string");
    incoming.#ready = message.length > 0 ? message : undefined;
    incoming.#isOver = true;
    return incoming;
  }

  /** Counts for nothing in a queue: what it holds waits elsewhere. */
  get length(): number {
    return 0;
  }

  // What the pump asks and does.

  /** Whether somebody waits for a piece. */
  get isWanted(): boolean {
    return this.#waiters.length > 0 && !this.#isCutOff;
  }

  /** Whether nobody wants what is left of it. */
  get isDiscarded(): boolean {
    return this.#isDiscarded || this.#isCutOff;
  }

  /** Whether it was given up, although somebody may still want it. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /**
   * Whether it can be given up. After our Close frame reading does not pause any
   * more, so that the peer's is found: what nobody takes must not pile up.
   */
  get mayBeCutOff(): boolean {
    const { isOpen, protocol } = this.#source.link;
    return !isOpen && protocol.received === undefined;
  }

  /** Hands it to a hook, for which it is no failure where it is not finished. */
  async handTo(hooks: Hooks): Promise<void> {
    try {
      await hooks.stream?.(streamOf(this));
    } catch (error) {
      const isTheirs = error instanceof ClosedError &&
        error.info === this.#source.link.info;
      if (!isTheirs) throw error;
    }
  }

  /** Hands a piece to the one who has waited longest. */
  give(piece: Message): void {
    this.#waiters.shift()!.resolve({ done: false, value: piece });
  }

  /** Ends it. */
  end(): void {
    this.#isOver = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE);
  }

  /** Ends it before its end. */
  fail(error: ClosedError): void {
    this.#error = error;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Takes no more pieces; whoever wants one waits for the error. */
  cutOff(): void {
    this.#isCutOff = true;
  }

  /** Discards it, unless somebody goes through it, or may. */
  release(): void {
    if (!this.#isTaken && this.#readable === undefined) this.discard();
  }

  /** Discards what is left of it. */
  discard(): void {
    this.#isTaken = true;
    this.#isDiscarded = true;
    this.#ready = undefined;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE);
  }

  // What its reader does.

  // It is looked at by whoever wants to know what a thing is, such as the `pipeline`
  // of Node: that takes nothing yet.
  get readable(): ReadableStream<Message> {
    return this.#readable ??= this.#makeReadable();
  }

  [Symbol.asyncIterator](): AsyncIterator<Message> {
    this.#take();
    return {
      next: () => this.#next(),
      return: () => {
        this.#leave();
        return Promise.resolve(DONE);
      },
    };
  }

  async whole(
    maxBytes: number = this.#source.link.settings.maxMessageBytes,
  ): Promise<Message> {
    checkAmount("put the message together", "maxBytes", maxBytes);
    this.#take();
    const pieces: Message[] = [];
    let length = 0;
    for (let next = await this.#next(); !next.done; next = await this.#next()) {
      length += next.value.length;
      if (length > maxBytes) {
        this.#leave();
        throw this.#refuse();
      }
      pieces.push(next.value);
    }
    return this.binary ? join(pieces as Uint8Array[], length) : pieces.join("");
  }

  #take(): void {
    if (this.#isTaken) {
      throw new TypeError("Cannot read the message: it is read, or discarded");
    }
    this.#isTaken = true;
  }

  #next(): Promise<IteratorResult<Message>> {
    const ready = this.#ready;
    if (ready !== undefined) {
      this.#ready = undefined;
      return Promise.resolve({ done: false, value: ready });
    }
    if (this.#isOver || this.#isDiscarded) return Promise.resolve(DONE);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const waiter: Waiter = Promise.withResolvers();
    this.#waiters.push(waiter);
    this.#source.onWanted();
    return waiter.promise;
  }

  /** Ends the connection, for the message is too large; tells what to throw. */
  #refuse(): ClosedError {
    const { ending } = this.#source.link;
    const error = new ProtocolError("message-too-big");
    ending.startClose(error.code, error.message, "too-big", error);
    ending.decide("too-big", error);
    return new ClosedError(ending.info!);
  }

  #leave(): void {
    this.discard();
    if (!this.#isOver && this.#error === undefined) this.#source.onWanted();
  }

  #makeReadable(): ReadableStream<Message> {
    let isMine = false;
    return new ReadableStream<Message>({
      pull: async (controller) => {
        if (!isMine) this.#take();
        isMine = true;
        const next = await this.#next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: () => {
        if (isMine || !this.#isTaken) this.#leave();
      },
    }, { highWaterMark: 0 });
  }
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The same, as its reader sees it. */
export function streamOf(incoming: Incoming): StreamedMessage {
  return incoming as unknown as StreamedMessage;
}
