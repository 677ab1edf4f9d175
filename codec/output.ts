/**
 * Frames on their way out: small ones side by side in one block, so that they
 * leave in one write; large payloads by reference, so that they are not copied.
 *
 * @module
 */

import {
  borrow,
  giveBack,
  HUGE_BLOCK_BYTES,
  LARGE_BLOCK_BYTES,
  LARGE_FILL_BYTES,
  SMALL_BLOCK_BYTES,
  viewOf,
} from "./blocks.ts";
import { copy, copyAndMask } from "./copy.ts";
import {
  bareHeaderBytes,
  MAX_HEADER_BYTES,
  MAX_SHORT_BYTES,
  writeHeader,
} from "./frame.ts";
import { maskBlindly, randomMaskKey } from "./mask.ts";
import { OutputQueue } from "./output_queue.ts";
import { SharedFrames } from "./shared_frames.ts";
import { plainWriter, type TextWriter } from "./text_writer.ts";

/** From here on a payload is sent by reference: copying costs more than a write. */
const BY_REFERENCE_BYTES = 49_152;

const encoder = new TextEncoder();

/** Room beyond a text's length, so that a writer can tell that all has fitted. */
const SPARE_BYTES = 4;

/** The frames of one side of one connection that have not been taken yet. */
export class Output {
  /** Bytes that wait to be taken. */
  byteLength = 0;
  /** Bytes that have been taken, or dropped. */
  takenBytes = 0;
  /** What headers took beyond the shortest. */
  longHeaderBytes = 0;

  readonly #masked: boolean;
  readonly #writeUtf8: TextWriter;
  #block: Uint8Array | undefined;
  #blockBytes = 0;
  /** Frames that others send as well; then there is no block. */
  #shared: SharedFrames | undefined;
  /** What stands before the block, or the shared frames; mostly there is none. */
  #queue: OutputQueue | undefined;
  #lent: Uint8Array | undefined;

  /**
   * @param masked Whether frames are masked: a client's are, a server's are not
   * (RFC 6455, section 5.1).
   * @param writeUtf8 How to make bytes of texts.
   */
  constructor(masked: boolean, writeUtf8: TextWriter = plainWriter) {
    this.#masked = masked;
    this.#writeUtf8 = writeUtf8;
  }

  /**
   * Appends a frame.
   *
   * @param first First byte of the frame: FIN, reserved bits, opcode.
   * @param payload Payload. A long one is kept by reference, see `own`.
   * @param own Whether the payload may be kept, and overwritten by masking.
   */
  writeFrame(first: number, payload: Uint8Array, own: boolean): void {
    const length = payload.length;
    if (length > MAX_SHORT_BYTES) {
      this.longHeaderBytes += bareHeaderBytes(length) - 2;
    }
    const masked = this.#masked;
    const maskKey = masked ? randomMaskKey() : undefined;
    // Masking takes a copy in any case: in a block it leaves with its header.
    const isCopied = masked && !own &&
      length <= HUGE_BLOCK_BYTES - MAX_HEADER_BYTES;
    if (length >= BY_REFERENCE_BYTES && !isCopied && keepable(payload)) {
      let bytes = payload;
      if (maskKey !== undefined) {
        // Masking never changes the application's bytes. Not `slice`: that of
        // Node's `Buffer` returns a view on the same memory.
        if (!own) bytes = new Uint8Array(payload);
        maskBlindly(bytes, 0, length, maskKey);
      }
      this.#writeReference(first, bytes, maskKey);
      return;
    }
    const block = this.#reserve(MAX_HEADER_BYTES + length);
    const start = this.#blockBytes;
    const at = writeHeader(block, start, first, length, maskKey);
    if (maskKey === undefined) copy(payload, block, at);
    else copyAndMask(payload, block, at, maskKey);
    this.#advance(at + length - start);
  }

  /**
   * Appends a frame whose payload is a text, encoded as UTF-8. A lone surrogate
   * becomes U+FFFD.
   *
   * @param first First byte of the frame: FIN, reserved bits, opcode.
   * @param text Payload.
   */
  writeText(first: number, text: string): void {
    // Guess that the text is ASCII, which tells the lengths of payload and header.
    const room = MAX_HEADER_BYTES + text.length + SPARE_BYTES;
    if (room > HUGE_BLOCK_BYTES) return this.#writeEncoded(first, text);
    // A long one has the room that any text may need, where there is so much: to
    // encode in vain costs 61 µs for 16 KiB that are not ASCII, on Deno.
    const most = room + text.length * 2;
    const isRoomy = room > SMALL_BLOCK_BYTES && most <= HUGE_BLOCK_BYTES;
    const block = this.#reserve(room, isRoomy ? most : room);
    const start = this.#blockBytes;
    const maskBytes = this.#masked ? 4 : 0;
    const guessed = start + bareHeaderBytes(text.length) + maskBytes;
    const length = this.#writeUtf8(text, block, guessed);
    if (length < 0) return this.#writeEncoded(first, text);
    const headerBytes = bareHeaderBytes(length);
    if (headerBytes > 2) this.longHeaderBytes += headerBytes - 2;
    const at = start + headerBytes + maskBytes;
    if (at !== guessed) block.copyWithin(at, guessed, guessed + length);
    this.#finishText(first, at, length);
  }

  /** Appends a text that is too long for a block, or is not what was guessed. */
  #writeEncoded(first: number, text: string): void {
    this.writeFrame(first, encoder.encode(text), true);
  }

  /** Completes the frame whose payload stands in the block already. */
  #finishText(first: number, at: number, length: number): void {
    const block = this.#block!;
    const start = this.#blockBytes;
    const maskKey = this.#masked ? randomMaskKey() : undefined;
    writeHeader(block, start, first, length, maskKey);
    if (maskKey !== undefined) maskBlindly(block, at, at + length, maskKey);
    this.#advance(at + length - start);
  }

  /**
   * Appends bytes that are a frame already, the same for many connections.
   *
   * @param frame Whole frame. It may be kept by reference: it must not change
   * afterwards.
   */
  writeRaw(frame: Uint8Array): void {
    if (frame.length > MAX_SHORT_BYTES + 2) {
      // The shortest of a header of 4 or 10 bytes with its payload.
      this.longHeaderBytes += frame.length < 10 + 0x10000 ? 2 : 8;
    }
    if (frame.length >= BY_REFERENCE_BYTES) {
      this.#seal();
      this.#push(frame);
      this.byteLength += frame.length;
    } else if (this.#block !== undefined) {
      const block = this.#reserve(frame.length);
      copy(frame, block, this.#blockBytes);
      this.#advance(frame.length);
    } else {
      // A reference instead of a block and a copy: see `SharedFrames`.
      this.#share(frame);
      this.byteLength += frame.length;
    }
  }

  /**
   * Takes the next bytes to send.
   *
   * @returns As many small frames as there are, or a part of a large one;
   * `undefined` when there is nothing. The bytes stay as they are until the next
   * call.
   */
  take(): Uint8Array | undefined {
    if (this.#lent !== undefined) {
      giveBack(this.#lent);
      this.#lent = undefined;
    }
    if (this.byteLength === 0) return undefined;
    if (this.#queue !== undefined) return this.#takePart(this.#queue);
    this.takenBytes += this.byteLength;
    const shared = this.#shared;
    if (shared !== undefined) {
      this.#shared = undefined;
      this.byteLength = 0;
      return shared.take();
    }
    const bytes = viewOf(this.#block!, this.#blockBytes);
    this.#lent = this.#block;
    this.#block = undefined;
    this.#blockBytes = 0;
    this.byteLength = 0;
    return bytes;
  }

  /** Drops everything that has not been taken. */
  clear(): void {
    this.#queue = undefined;
    this.#shared = undefined;
    this.#blockBytes = 0;
    this.takenBytes += this.byteLength;
    this.byteLength = 0;
  }

  #takePart(queue: OutputQueue): Uint8Array {
    const { bytes, length, block } = queue.take();
    if (queue.isEmpty) this.#queue = undefined;
    this.#lent = block;
    this.byteLength -= length;
    this.takenBytes += length;
    return bytes;
  }

  #writeReference(
    first: number,
    bytes: Uint8Array,
    maskKey: number | undefined,
  ): void {
    const block = this.#reserve(MAX_HEADER_BYTES);
    const start = this.#blockBytes;
    const at = writeHeader(block, start, first, bytes.length, maskKey);
    this.#advance(at - start);
    this.#seal();
    this.#push(bytes);
    this.byteLength += bytes.length;
  }

  #push(bytes: Uint8Array, block?: Uint8Array): void {
    this.#queue ??= new OutputQueue();
    this.#queue.push(bytes, block);
  }

  /** Appends a frame to those that others send as well. */
  #share(frame: Uint8Array): void {
    const shared = this.#shared;
    if (shared === undefined) {
      this.#shared = SharedFrames.begin(frame);
    } else if (shared.byteLength + frame.length <= LARGE_FILL_BYTES) {
      this.#shared = shared.append(frame);
    } else {
      this.#push(shared.take());
      this.#shared = SharedFrames.begin(frame);
    }
  }

  /**
   * Makes room in one block, and returns the block.
   *
   * @param bytes What a frame is expected to take.
   * @param most What it may take.
   */
  #reserve(bytes: number, most = bytes): Uint8Array {
    if (this.#shared !== undefined) this.#unshare(this.#shared, bytes, most);
    const block = this.#block;
    if (block !== undefined) {
      const used = this.#blockBytes;
      const isFree = block.length !== LARGE_BLOCK_BYTES ||
        used + bytes <= LARGE_FILL_BYTES;
      if (isFree && used + most <= block.length) return block;
      if (
        block.length === SMALL_BLOCK_BYTES && used + bytes <= LARGE_FILL_BYTES
      ) {
        const larger = borrow(used + most);
        larger.set(block.subarray(0, used));
        giveBack(block);
        return this.#block = larger;
      }
      this.#seal();
    }
    return this.#block = borrow(most);
  }

  /** Goes on with a block, into which short frames move; more follow as in `#reserve`. */
  #unshare(shared: SharedFrames, bytes: number, most: number): void {
    this.#shared = undefined;
    const length = shared.byteLength;
    if (length + bytes > LARGE_FILL_BYTES) {
      return this.#push(shared.take());
    }
    this.#block = borrow(length + most);
    copy(shared.take(), this.#block, 0);
    this.#blockBytes = length;
  }

  #advance(bytes: number): void {
    this.#blockBytes += bytes;
    this.byteLength += bytes;
  }

  /** Closes the current block, so that what follows comes after it. */
  #seal(): void {
    const shared = this.#shared;
    if (shared !== undefined) {
      this.#push(shared.take());
      this.#shared = undefined;
    }
    const block = this.#block;
    if (block === undefined) return;
    if (this.#blockBytes === 0) giveBack(block);
    else this.#push(block.subarray(0, this.#blockBytes), block);
    this.#block = undefined;
    this.#blockBytes = 0;
  }
}

/** Whether a payload's memory cannot shrink or change hands under our feet. */
function keepable(payload: Uint8Array): boolean {
  const buffer = payload.buffer;
  return buffer instanceof ArrayBuffer && !buffer.resizable;
}
