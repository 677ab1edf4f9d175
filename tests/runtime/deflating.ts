/** What the tests of compression share: terms, and messages to compress. */
import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import {
  type DeflateSettings,
  type DeflateTerms,
  makeDeflate,
  type MessageDeflate,
} from "../../runtime/message_deflate.ts";

/** Everything is compressed. */
export const SETTINGS: DeflateSettings = {
  thresholdBytes: 0,
  level: 6,
  memoryLevel: 5,
};

/** Largest message, in bytes. */
export const LIMIT = 1_048_576;

const encoder = new TextEncoder();

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes for a message of a failure. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Terms with one window and one choice for both sides. */
export function terms(bits = 12, isAlone = false): DeflateTerms {
  return {
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
    serverNoContextTakeover: isAlone,
    clientNoContextTakeover: isAlone,
  };
}

/** A server's side. */
export function make(
  agreed: DeflateTerms = terms(),
  settings: Partial<DeflateSettings> = {},
): MessageDeflate {
  return makeDeflate("server", agreed, { ...SETTINGS, ...settings });
}

/** Inflates, and takes nothing for an answer but bytes. */
export function inflated(
  deflate: MessageDeflate,
  payload: Uint8Array,
): Uint8Array {
  const result = deflate.decode(payload, LIMIT);
  if (typeof result !== "string") return result;
  throw new Error(`${result} of ${hex(payload)}`);
}

/** Messages of which each resembles the others. */
export function tick(index: number): Uint8Array {
  return bytesOf(JSON.stringify({
    type: "trade",
    id: 100_000 + index * 7,
    symbol: ["ACME", "GLOBEX", "INITECH"][index % 3],
    price: 100 + (index * 7919) % 1000 / 100,
    time: 1_700_000_000_000 + index * 137,
    side: index % 2 === 0 ? "buy" : "sell",
    note: "limit order, good till cancelled, routed by the usual way",
  }));
}

/** A long message. */
export const LONG: Uint8Array = bytesOf(
  Array.from({ length: 900 }, (_, index) => `line ${index * index};`).join(""),
);

/** 1 MiB of zeros, without an end: repeated it is a bomb of any size. */
export const MIB_OF_ZEROS: Uint8Array = deflateRawSync(new Uint8Array(LIMIT), {
  finishFlush: constants.Z_SYNC_FLUSH,
});
