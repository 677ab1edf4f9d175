/**
 * What the compression bench sends: JSON messages of about 200 bytes, of which
 * each resembles the others, as a feed or a chat has them.
 */
import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Pattern } from "../load/pattern.ts";

/** What a browser offers (RFC 7692, section 7.1). */
export const OFFER = "permessage-deflate; client_max_window_bits";

/** Messages in the ring, after which they come again. */
const COUNT = 512;
/** The largest window that is made use of: it is within what all servers accept. */
const MAX_WINDOW_BITS = 12;
/** What section 7.2.1 has a sender remove. */
const TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

const SYMBOLS = ["ACME", "GLOBEX", "INITECH", "UMBRELLA"];
/** A whole text message with RSV1, and one without (RFC 6455, section 5.2). */
const COMPRESSED = 0xc1;
const PLAIN = 0x81;

/** What a server has agreed to, as far as it matters to a client. */
export interface Terms {
  /** How far back the client may reach: 2 to that power, in bytes. */
  readonly windowBits: number;
  /** Whether the client compresses each message by itself. */
  readonly clientIsAlone: boolean;
  /** Whether the server compresses each message by itself. */
  readonly serverIsAlone: boolean;
}

/** Reads the value of `Sec-WebSocket-Extensions` of a response. */
export function readTerms(extensions: string): Terms {
  const bits = /client_max_window_bits=(\d+)/.exec(extensions)?.[1] ?? 15;
  return {
    windowBits: Math.min(Number(bits), MAX_WINDOW_BITS),
    clientIsAlone: extensions.includes("client_no_context_takeover"),
    serverIsAlone: extensions.includes("server_no_context_takeover"),
  };
}

/** One message; its price, times and names differ from the last one's. */
export function trade(index: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({
    type: "trade",
    id: 100_000 + index * 7,
    symbol: SYMBOLS[index % SYMBOLS.length],
    price: (100 + index * 7919 % 1000 / 100).toFixed(2),
    quantity: index * 31 % 500,
    side: index % 2 === 0 ? "buy" : "sell",
    time: new Date(1_700_000_000_000 + index * 137).toISOString(),
    venue: "XNAS",
    trader: `user-${index * 13 % 97}`,
    note: "limit order, day, hidden",
  }));
}

/**
 * Builds a ring of compressed frames. The first one is compressed by itself, so
 * that the ring can begin again wherever the context stands.
 */
export function buildTrades(terms: Terms): Pattern {
  const payloads = Array.from({ length: COUNT }, (_, index) => trade(index));
  let context = new Uint8Array(0);
  const frames = payloads.map((payload) => {
    const frame = buildFrame(
      COMPRESSED,
      deflate(payload, context, terms.windowBits),
    );
    if (!terms.clientIsAlone) {
      context = extend(context, payload, terms.windowBits);
    }
    return frame;
  });
  const wire = new Uint8Array(Buffer.concat([...frames, ...frames]));
  const offsets = new Uint32Array(COUNT * 2 + 1);
  for (let index = 0; index < COUNT * 2; index++) {
    offsets[index + 1] = (offsets[index] ?? 0) +
      (frames[index % COUNT]?.length ?? 0);
  }
  return {
    count: COUNT,
    wire,
    turnBytes: wire.length / 2,
    offsets,
    lengths: Uint32Array.from(payloads, ({ length }) => length),
    payloads,
    kind: "text",
  };
}

/** One message as a frame, compressed by itself or not at all. */
export function tradeFrame(isCompressed: boolean): Uint8Array {
  const payload = trade(0);
  return isCompressed
    ? buildFrame(
      COMPRESSED,
      deflate(payload, new Uint8Array(0), MAX_WINDOW_BITS),
    )
    : buildFrame(PLAIN, payload);
}

/** Inflates what a server sends, one connection's messages. */
export class Inflater {
  readonly #isAlone: boolean;
  #context: Uint8Array = new Uint8Array(0);

  /** @param isAlone Whether each message is compressed by itself. */
  constructor(isAlone: boolean) {
    this.#isAlone = isAlone;
  }

  /** Inflates a message. */
  inflate(payload: Uint8Array): Uint8Array {
    const message = inflateRawSync(Buffer.concat([payload, TRAILER]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(this.#context.length > 0 && { dictionary: this.#context }),
    });
    if (!this.#isAlone) this.#context = extend(this.#context, message, 15);
    return message;
  }
}

function deflate(
  payload: Uint8Array,
  context: Uint8Array,
  windowBits: number,
): Uint8Array {
  const bytes = deflateRawSync(payload, {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(context.length > 0 && { dictionary: context }),
  });
  return bytes.subarray(0, bytes.length - TRAILER.length);
}

function extend(
  context: Uint8Array,
  payload: Uint8Array,
  windowBits: number,
): Uint8Array<ArrayBuffer> {
  const whole = Buffer.concat([context, payload]);
  return new Uint8Array(whole.subarray(-(2 ** windowBits)));
}

/** A frame with a mask of zeros. */
function buildFrame(first: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const head = length < 126
    ? [first, 0x80 | length]
    : [first, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([...head, 0, 0, 0, 0]), payload]);
}
