/**
 * Messages compressed and inflated as permessage-deflate has them (RFC 7692,
 * section 7.2), with a context that goes on from message to message, or without.
 *
 * Everything happens before the call returns, so that messages and the Close frame
 * keep their order by themselves, and a burst of messages waits nowhere. Nothing of
 * zlib's stays alive between two calls: a connection that has been used holds the
 * context of each direction, at most 4 KiB at a window of 12 bits, and tables of
 * 10 KiB for the one that it compresses.
 *
 * Short messages do not go to zlib at all, see `deflater.ts` and `inflater.ts`.
 *
 * @module
 */

import { History, stage } from "./deflate_history.ts";
import { Deflater, type DeflaterOptions, MAX_SHORT_BYTES } from "./deflater.ts";
import {
  INFLATE_RESULTS,
  inflateShort,
  MAX_SHORT_INPUT_BYTES,
} from "./inflater.ts";
import { PieceInflater } from "./piece_inflater.ts";
import {
  deflateLong,
  type DeflateLongOptions,
  inflateLong,
  type InflateProblem,
  MIN_WINDOW_BITS,
} from "./zlib.ts";

/** What both sides agreed on (RFC 7692, section 7.1). */
export interface DeflateTerms {
  /** The server compresses with a window of 2 to that power, in bytes: 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** The client compresses with a window of 2 to that power, in bytes: 8 to 15. */
  readonly clientMaxWindowBits: number;
  /** Whether the server compresses each message by itself. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client compresses each message by itself. */
  readonly clientNoContextTakeover: boolean;
}

/** How to compress. */
export interface DeflateSettings {
  /** Shortest message that is compressed, in bytes. */
  readonly thresholdBytes: number;
  /** How hard zlib tries: 1 to 9. With 0 nothing is compressed. */
  readonly level: number;
  /** How much memory finding matches takes: 1 to 9, twice as much each time. */
  readonly memoryLevel: number;
}

/** Compresses messages that go to many, each once for all who share it. */
export interface SharedDeflate {
  /**
   * Compresses a message by itself, so that every peer can inflate it, whatever it
   * has been sent before.
   *
   * @param payload Message; only read.
   * @returns What to send, or `undefined` to send the message as it is.
   */
  encode(payload: Uint8Array): Uint8Array | undefined;
}

/** Compresses and inflates the messages of one connection. */
export interface MessageDeflate {
  /** The same object for all connections that agreed on the same. */
  readonly shared: SharedDeflate;
  /**
   * Compresses a message.
   *
   * @param payload Message; only read.
   * @returns What to send, or `undefined` to send the message as it is.
   */
  encode(payload: Uint8Array): Uint8Array | undefined;
  /**
   * Notes that the peer is sent what `shared` made of a message.
   *
   * @param payload The message; only read.
   */
  noteShared(payload: Uint8Array): void;
  /**
   * Inflates a message.
   *
   * @param payload What arrived; only read.
   * @param maxBytes Most bytes that the message may have. No more than that, and
   * 64 KiB, is ever inflated.
   * @param mayLend Whether the message need not last longer than until any other
   * is compressed or inflated: 200 bytes of their own cost half a microsecond.
   * @returns The message, in memory of its own or lent, or what is wrong with it.
   */
  decode(
    payload: Uint8Array,
    maxBytes: number,
    mayLend?: boolean,
  ): Uint8Array | InflateProblem;
  /** Makes what inflates the messages after those that were decoded, in pieces. */
  decodePieces(): PieceInflater;
  /** Lets go of the contexts; nothing comes after it. */
  release(): void;
}

/** What connections share that agreed on the same. */
class DeflatePlan
  implements SharedDeflate, DeflaterOptions, DeflateLongOptions {
  readonly #thresholdBytes: number;
  readonly level: number;
  readonly memoryLevel: number;
  readonly windowBits: number;
  readonly hashBits: number;
  readonly receiveBits: number;
  readonly keepsSent: boolean;
  readonly keepsReceived: boolean;
  /** The context of a message that has none. */
  readonly empty: History = new History(0);

  constructor(
    role: "server" | "client",
    terms: DeflateTerms,
    settings: DeflateSettings,
  ) {
    const isServer = role === "server";
    const { serverMaxWindowBits, clientMaxWindowBits } = terms;
    this.#thresholdBytes = settings.thresholdBytes;
    this.level = settings.level;
    this.memoryLevel = settings.memoryLevel;
    this.windowBits = isServer ? serverMaxWindowBits : clientMaxWindowBits;
    // A quarter as many hashes as there are bytes is as good as more.
    this.hashBits = Math.min(settings.memoryLevel + 5, this.windowBits - 2);
    // A peer whose zlib takes 9 for 8 may need as much to be inflated.
    this.receiveBits = Math.max(
      isServer ? clientMaxWindowBits : serverMaxWindowBits,
      MIN_WINDOW_BITS,
    );
    const { serverNoContextTakeover, clientNoContextTakeover } = terms;
    this.keepsSent =
      !(isServer ? serverNoContextTakeover : clientNoContextTakeover);
    this.keepsReceived =
      !(isServer ? clientNoContextTakeover : serverNoContextTakeover);
  }

  /** Whether a message is worth it. */
  takes(payload: Uint8Array): boolean {
    return payload.length >= this.#thresholdBytes && payload.length > 0 &&
      this.level > 0;
  }

  encode(payload: Uint8Array): Uint8Array | undefined {
    return this.takes(payload)
      ? deflateLong(payload, this, undefined)
      : undefined;
  }
}

/** Implements {@linkcode MessageDeflate}. */
class ConnectionDeflate implements MessageDeflate {
  readonly shared: DeflatePlan;
  #deflater: Deflater | undefined;
  #received: History | undefined;
  /** Messages in a row that would have become longer. */
  #misses = 0;

  constructor(shared: DeflatePlan) {
    this.shared = shared;
  }

  encode(payload: Uint8Array): Uint8Array | undefined {
    const plan = this.shared;
    if (!plan.takes(payload)) return undefined;
    if (!plan.keepsSent) return deflateLong(payload, plan, undefined);
    const deflater = this.#deflater ??= new Deflater(plan);
    if (payload.length > MAX_SHORT_BYTES) {
      const bytes = deflateLong(payload, plan, deflater.history);
      if (bytes !== undefined) deflater.append(payload);
      return bytes;
    }
    // Where there is nothing yet that resembles it a message gains nothing, and
    // still the next ones gain by it. So one in ever more is sent nevertheless.
    const misses = this.#misses;
    const mostBytes = (misses & (misses - 1)) === 0
      ? payload.length * 2
      : payload.length - 1;
    const bytes = deflater.deflate(payload, mostBytes);
    const isMiss = bytes === undefined || bytes.length >= payload.length;
    this.#misses = isMiss ? misses + 1 : 0;
    return bytes;
  }

  noteShared(payload: Uint8Array): void {
    // Without a context of its own it never reaches back.
    this.#deflater?.append(payload);
  }

  decode(
    payload: Uint8Array,
    maxBytes: number,
    mayLend = false,
  ): Uint8Array | InflateProblem {
    // It should be one byte, 00 (section 7.2.3.6).
    if (payload.length === 0) return new Uint8Array(0);
    const plan = this.shared;
    const history = plan.keepsReceived
      ? this.#received ??= new History(plan.receiveBits)
      : undefined;
    if (payload.length <= MAX_SHORT_INPUT_BYTES) {
      const context = history ?? plan.empty;
      const start = context.byteLength;
      const end = inflateShort(payload, context);
      if (end === INFLATE_RESULTS.invalid) return "invalid-deflate";
      if (end !== INFLATE_RESULTS.other) {
        if (end - start > maxBytes) return "message-too-big";
        history?.keep(end);
        return mayLend
          ? stage().subarray(start, end)
          : stage().slice(start, end);
      }
    }
    return inflateLong(
      payload,
      history ?? new History(plan.receiveBits),
      plan.receiveBits,
      maxBytes,
    );
  }

  decodePieces(): PieceInflater {
    const { keepsReceived, receiveBits } = this.shared;
    const history = keepsReceived
      ? this.#received ??= new History(receiveBits)
      : new History(receiveBits);
    return new PieceInflater(history, keepsReceived);
  }

  release(): void {
    this.#deflater = undefined;
    this.#received = undefined;
  }
}

const plans = new WeakMap<DeflateSettings, Map<string, DeflatePlan>>();

/**
 * Makes what compresses and inflates the messages of one connection. It takes next
 * to no memory until the first message that is compressed.
 *
 * @param role Our own side.
 * @param terms What both sides agreed on.
 * @param settings How to compress; an object that many connections share.
 */
export function makeDeflate(
  role: "server" | "client",
  terms: DeflateTerms,
  settings: DeflateSettings,
): MessageDeflate {
  let known = plans.get(settings);
  if (known === undefined) plans.set(settings, known = new Map());
  const key = [
    role,
    terms.serverMaxWindowBits,
    terms.clientMaxWindowBits,
    terms.serverNoContextTakeover,
    terms.clientNoContextTakeover,
  ].join();
  let plan = known.get(key);
  if (plan === undefined) {
    known.set(key, plan = new DeflatePlan(role, terms, settings));
  }
  return new ConnectionDeflate(plan);
}
