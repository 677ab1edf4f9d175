/**
 * Compression as a peer has it, made of the runtime's own zlib: a stream that stays
 * alive compresses, with its context or without.
 */
import { Buffer } from "node:buffer";
import {
  constants,
  createDeflateRaw,
  type DeflateRaw,
  deflateRawSync,
  inflateRawSync,
} from "node:zlib";
import { concat } from "../harness/bytes.ts";

/** RFC 7692, section 7.2.1: what a message ends with, and is not sent. */
export const TRAILER: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** Window where nothing is agreed on, in bits. */
const MAX_BITS = 15;

/** Compresses a message by itself. */
export function deflated(
  data: string | Uint8Array,
  windowBits: number = MAX_BITS,
): Uint8Array<ArrayBuffer> {
  const bytes = deflateRawSync(data, {
    windowBits: Math.max(windowBits, 9),
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return new Uint8Array(bytes.subarray(0, bytes.length - TRAILER.length));
}

/**
 * Inflates a message.
 *
 * @param history What was sent before, at most 65,535 bytes. It goes in as a block
 * without compression, for Deno 2.9.6 knows no `dictionary` here.
 * @param windowBits How far the message may reach back.
 */
export function inflated(
  payload: Uint8Array,
  history: Uint8Array = new Uint8Array(0),
  windowBits: number = MAX_BITS,
): Uint8Array<ArrayBuffer> {
  const { length } = history;
  const header = Uint8Array.of(0, length, length >> 8, ~length, ~length >> 8);
  const input = concat(header, history, payload, TRAILER);
  const bytes = inflateRawSync(input, {
    finishFlush: constants.Z_SYNC_FLUSH,
    windowBits: Math.max(windowBits, 9),
    // zlib looks back into what it has just written, too: that is to be little.
    ...(windowBits < MAX_BITS && { chunkSize: 64 }),
  });
  return new Uint8Array(bytes.subarray(length));
}

/** How one direction is compressed. */
export interface Direction {
  /** Window, in bits. */
  readonly bits: number;
  /** Whether each message is compressed by itself. */
  readonly alone: boolean;
}

/** One peer. Dispose of it. */
export class ZlibPeer implements AsyncDisposable {
  readonly #sends: Direction;
  readonly #receives: Direction;
  readonly #stream: DeflateRaw | undefined;
  #chunks: Uint8Array[] = [];
  #history: Uint8Array = new Uint8Array(0);

  constructor(sends: Direction, receives: Direction, level = 6) {
    this.#sends = sends;
    this.#receives = receives;
    if (sends.alone) return;
    this.#stream = createDeflateRaw({
      windowBits: Math.max(sends.bits, 9),
      level,
    });
    this.#stream.on("data", (chunk: Uint8Array) => this.#chunks.push(chunk));
  }

  /** Compresses the next message. */
  async compress(message: Uint8Array): Promise<Uint8Array> {
    const stream = this.#stream;
    if (stream === undefined) return deflated(message, this.#sends.bits);
    stream.write(message);
    await new Promise<void>((resolve) =>
      stream.flush(constants.Z_SYNC_FLUSH, () => resolve())
    );
    const all = Buffer.concat(this.#chunks.splice(0));
    return new Uint8Array(all.subarray(0, all.length - TRAILER.length));
  }

  /** Inflates the next message; it may reach back as far as was agreed. */
  inflate(payload: Uint8Array): Uint8Array {
    const { bits, alone } = this.#receives;
    const message = inflated(payload, this.#history, bits);
    if (!alone) {
      const all = concat(this.#history, message);
      this.#history = all.slice(-(2 ** bits));
    }
    return message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    await new Promise<void>((resolve) => {
      stream.on("close", () => resolve());
      stream.destroy();
    });
  }
}
