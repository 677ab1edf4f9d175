/**
 * Messages compressed and inflated with zlib (RFC 7692, section 7.2), in one call
 * each: nothing of zlib's stays alive between two calls. What a message goes on from
 * is given to it, and taken from it.
 *
 * @module
 */

import {
  constants,
  deflateRawSync,
  inflateRawSync,
  type ZlibOptions,
} from "node:zlib";
import { concat } from "./concat.ts";
import type { History } from "./deflate_history.ts";

/** What is wrong with a message that cannot be inflated. */
export type InflateProblem = "invalid-deflate" | "message-too-big";

/** How zlib compresses. */
export interface DeflateLongOptions {
  /** How far back it may reach: 2 to that power, in bytes; 8 to 15. */
  readonly windowBits: number;
  /** How hard it tries, 1 to 9. */
  readonly level: number;
  /** How much memory finding matches takes: 1 to 9, twice as much each time. */
  readonly memoryLevel: number;
}

/**
 * zlib knows no window of 8 bits where there is no header, and takes 9 instead. It
 * never reaches back farther than 262 bytes less than its window, which is within
 * the 256 that were agreed on.
 */
export const MIN_WINDOW_BITS = 9;
/** RFC 7692, section 7.2.1: "remove 4 octets (that are 0x00 0x00 0xff 0xff)". */
const TRAILER_BYTES = 4;
/**
 * The trailer that section 7.2.2 appends, and an empty last block: only where the
 * message ends as it should can zlib read that, and tell that it has.
 */
const ENDING = Uint8Array.of(0x00, 0x00, 0xff, 0xff, 0x03, 0x00);
/** What a block without compression begins with, on a byte's border, in bytes. */
const STORED_HEADER_BYTES = 5;
/**
 * Most blocks with BFINAL in one message, for each is a call into zlib: 1 MiB of
 * the shortest would take seconds.
 */
const MAX_FINAL_BLOCKS = 1_000;
/** What zlib is given to write into at a time, in bytes. */
const MIN_CHUNK_BYTES = 1_024;
const MAX_CHUNK_BYTES = 65_536;

/**
 * Compresses a message.
 *
 * @param payload Message; only read.
 * @param options How.
 * @param history What was sent before it, where it may reach back to that; only read.
 * @returns What to send, or `undefined` where that gains nothing.
 */
export function deflateLong(
  payload: Uint8Array,
  options: DeflateLongOptions,
  history: History | undefined,
): Uint8Array | undefined {
  const { level, memoryLevel, windowBits } = options;
  const settings: ZlibOptions = {
    level,
    memLevel: memoryLevel,
    windowBits: Math.max(windowBits, MIN_WINDOW_BITS),
    chunkSize: chunkBytes(payload.length),
    finishFlush: constants.Z_SYNC_FLUSH,
  };
  // Deno 2.9.6 ignores it: there a long message is compressed by itself.
  if (history !== undefined && history.byteLength > 0) {
    settings.dictionary = history.bytes;
  }
  const bytes = deflateRawSync(payload, settings);
  const length = bytes.length - TRAILER_BYTES;
  return length < payload.length ? bytes.subarray(0, length) : undefined;
}

/**
 * Inflates a message.
 *
 * @param payload What arrived; only read.
 * @param history What came before it; the message is appended.
 * @param windowBits How far back it may reach: 2 to that power, in bytes; 9 to 15.
 * @param maxBytes Most bytes that the message may have. No more than that, and
 * 64 KiB, is ever inflated.
 * @returns The message, in memory of its own, or what is wrong with it.
 */
export function inflateLong(
  payload: Uint8Array,
  history: History,
  windowBits: number,
  maxBytes: number,
): Uint8Array | InflateProblem {
  // Before what is read there is room for the context, see `inflatePart`.
  const start = STORED_HEADER_BYTES + history.maxBytes;
  const input = new Uint8Array(start + payload.length + ENDING.length);
  const end = start + payload.length;
  input.set(payload, start);
  input.set(ENDING, end);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let at = start;
  for (let blocks = 0; blocks < MAX_FINAL_BLOCKS; blocks++) {
    const part = inflatePart(input, at, history, windowBits, maxBytes - bytes);
    if (typeof part === "string") return part;
    history.append(part.result);
    parts.push(part.result);
    bytes += part.result.length;
    at += part.takenBytes;
    // RFC 7692, section 7.2.3.4: after a block with BFINAL others may follow.
    if (at === end || at === input.length) {
      return parts.length === 1 ? parts[0]! : concat(parts);
    }
  }
  return "invalid-deflate";
}

/**
 * Inflates up to the end of a block with BFINAL. The context goes before it as a
 * block without compression: as a dictionary Deno 2.9.6 ignores it.
 *
 * @param input What comes before `at` is overwritten.
 */
function inflatePart(
  input: Uint8Array,
  at: number,
  history: History,
  windowBits: number,
  maxBytes: number,
): { result: Uint8Array; takenBytes: number } | InflateProblem {
  const context = history.byteLength;
  const start = at - context - STORED_HEADER_BYTES;
  // Section 3.2.4 of RFC 1951: LEN, and its complement.
  input[start] = 0;
  input[start + 1] = context;
  input[start + 2] = context >> 8;
  input[start + 3] = ~context;
  input[start + 4] = ~context >> 8;
  input.set(history.bytes, start + STORED_HEADER_BYTES);
  const most = maxBytes + context;
  const options: ZlibOptions = {
    windowBits,
    info: true,
    chunkSize: chunkBytes(context + (input.length - at) * 4),
    ...(most < Number.MAX_SAFE_INTEGER && { maxOutputLength: most + 1 }),
  };
  try {
    const { buffer, engine } = inflateRawSync(
      input.subarray(start),
      options,
    ) as unknown as {
      readonly buffer: Uint8Array;
      readonly engine: { readonly bytesWritten: number };
    };
    if (buffer.length > most) return "message-too-big";
    return {
      result: ownBytes(buffer, context),
      takenBytes: engine.bytesWritten + start - at,
    };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return code === "ERR_BUFFER_TOO_LARGE"
      ? "message-too-big"
      : "invalid-deflate";
  }
}

function chunkBytes(bytes: number): number {
  return Math.min(
    Math.max(bytes + (bytes >> 3), MIN_CHUNK_BYTES),
    MAX_CHUNK_BYTES,
  );
}

/** Takes what a `Buffer` holds from an index on, in memory that nobody shares. */
function ownBytes(buffer: Uint8Array, start: number): Uint8Array {
  const length = buffer.length - start;
  // What is short may lie in a pool, or in a chunk that was made too large.
  const isOwn = length >= MAX_CHUNK_BYTES &&
    buffer.buffer.byteLength <= length * 2;
  return isOwn
    ? new Uint8Array(buffer.buffer, buffer.byteOffset + start, length)
    : new Uint8Array(buffer.subarray(start));
}
