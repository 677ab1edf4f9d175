/**
 * Where the pieces of messages go, one message after the other.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import { ClosedError, type CloseInfo } from "./close_info.ts";
import { Incoming, type IncomingSource } from "./incoming.ts";

/** Where pieces come from, and wait. */
export interface PieceSource extends IncomingSource {
  /** Whether so much waits that reading should pause, or stay so. */
  isFull(isPaused: boolean): boolean;
}

/** The message in pieces that is under way on one connection, if one is. */
export class Pieces {
  readonly #source: PieceSource;
  #incoming: Incoming | undefined;

  /** @param source Where the pieces come from. */
  constructor(source: PieceSource) {
    this.#source = source;
  }

  /** Whether a message has begun and not ended. */
  get isUnderWay(): boolean {
    return this.#incoming !== undefined;
  }

  /** Whether somebody waits for a piece. */
  get isAwaited(): boolean {
    return this.#incoming !== undefined && this.#incoming.isWanted;
  }

  /** Begins a message; once one was cut off nothing more is taken. */
  begin(binary: boolean): Incoming | undefined {
    if (this.#incoming !== undefined) return undefined;
    return this.#incoming = new Incoming(this.#source, binary);
  }

  /** Whether the next piece can be handed on, or dropped; else it has to wait. */
  get mayPass(): boolean {
    const incoming = this.#incoming!;
    if (incoming.isWanted || incoming.isDiscarded) return true;
    if (incoming.mayBeCutOff && this.#source.isFull(false)) incoming.cutOff();
    return incoming.isCutOff;
  }

  /** Hands a piece on, or drops it. */
  pass(piece: Message): void {
    if (this.isAwaited) this.#incoming!.give(piece);
  }

  /** Ends the message; tells whether all of it could be taken. */
  end(): boolean {
    const incoming = this.#incoming!;
    if (incoming.isCutOff) return false;
    this.#incoming = undefined;
    incoming.end();
    return true;
  }

  /** Ends a message that will not be finished. */
  breakOff(info: CloseInfo): void {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    incoming?.fail(new ClosedError(info));
  }

  /** Discards the message, unless somebody goes through it, or may. */
  release(): void {
    this.#incoming?.release();
  }
}
