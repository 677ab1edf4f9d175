/**
 * Frames: the header's bytes, read and written (RFC 6455, section 5.2).
 *
 * This file knows one frame at a time. Which frame may follow which is
 * `message_rules.ts`'s, and what is answered is `receiver.ts`'s.
 *
 * @module
 */

import type { ProtocolErrorReason } from "./error.ts";

/** Opcodes (section 5.2). */
export const OPCODES = {
  /** Goes on with a fragmented message. */
  continuation: 0x0,
  /** Starts a text message. */
  text: 0x1,
  /** Starts a binary message. */
  binary: 0x2,
  /** Closes. */
  close: 0x8,
  /** Asks for a Pong. */
  ping: 0x9,
  /** Answers a Ping. */
  pong: 0xa,
} as const;

/** Last frame of a message. */
export const FIN_BIT = 0x80;
/** First reserved bit; permessage-deflate's "compressed" (RFC 7692). */
export const RSV1_BIT = 0x40;
const RESERVED_BITS = 0x70;
const OPCODE_BITS = 0x0f;
const CONTROL_BIT = 0x08;
const MASK_BIT = 0x80;
const LENGTH_BITS = 0x7f;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Longest payload whose length fits the second byte of its frame. */
export const MAX_SHORT_BYTES = 125;
/** Longest payload of a control frame, in bytes (section 5.5). */
export const MAX_CONTROL_BYTES = 125;

/** Longest header: two bytes, a 64-bit length, a key. */
export const MAX_HEADER_BYTES = 14;

/** Which side of a connection this is. */
export type Role = "server" | "client";

/**
 * Tells whether an opcode is one of a control frame.
 *
 * @param opcode Opcode, 0 to 15.
 */
export function isControl(opcode: number): boolean {
  return (opcode & CONTROL_BIT) !== 0;
}

/**
 * Reads frame headers out of a stream of bytes.
 *
 * Feed it with {@linkcode FrameHeader.read} until `complete`; take the payload
 * from the stream yourself; call {@linkcode FrameHeader.next}. A `violation`
 * is final. The two first bytes are judged as soon as they are there.
 */
export class FrameHeader {
  /** Whether the whole header has been read. */
  complete = false;
  /** The rule that this header breaks. */
  violation: ProtocolErrorReason | undefined;
  /** Whether this frame ends its message. */
  fin = false;
  /** Whether the first reserved bit is set. */
  rsv1 = false;
  /** What kind of frame it is. */
  opcode = 0;
  /** Length of the payload, in bytes. */
  payloadBytes = 0;
  /** Masking key as a 32-bit integer in wire order, 0 where there is none. */
  maskKey = 0;

  readonly #role: Role;
  readonly #allowRsv1: boolean;
  /** What has been read of a header that two chunks share; rarely needed. */
  #scratch: Uint8Array | undefined;
  #scratchBytes = 0;

  /**
   * Makes ready for the first frame.
   *
   * @param role Our own side: a server expects masked frames, a client does not.
   * @param allowRsv1 Whether an extension gave RSV1 a meaning on data frames.
   */
  constructor(role: Role, allowRsv1: boolean) {
    this.#role = role;
    this.#allowRsv1 = allowRsv1;
  }

  /** Bytes that have been read of a header that is not whole. */
  get splitBytes(): number {
    return this.#scratchBytes;
  }

  /** Whether a part of a header has been read. */
  get isSplit(): boolean {
    return this.#scratchBytes > 0;
  }

  /** Makes ready for the header of the next frame. */
  next(): void {
    this.complete = false;
  }

  /**
   * Reads on.
   *
   * @param chunk Bytes of the stream; only read.
   * @param start Index of the first byte not yet read, less than `chunk.length`.
   * @returns Index after the last byte read.
   */
  read(chunk: Uint8Array, start: number): number {
    const available = chunk.length - start;
    if (this.#scratchBytes === 0 && available >= 2) {
      const size = headerBytes(chunk[start + 1]!);
      if (available >= size) {
        this.#parse(chunk, start);
        return start + size;
      }
    }
    return this.#readSplit(chunk, start);
  }

  /** Gathers a header that two or more chunks share. */
  #readSplit(chunk: Uint8Array, start: number): number {
    const scratch = this.#scratch ??= new Uint8Array(MAX_HEADER_BYTES);
    let index = start;
    while (index < chunk.length) {
      scratch[this.#scratchBytes++] = chunk[index++]!;
      if (this.#scratchBytes < 2) continue;
      if (this.#scratchBytes === headerBytes(scratch[1]!)) {
        this.#scratchBytes = 0;
        this.#parse(scratch, 0);
        break;
      }
      if (this.#scratchBytes === 2) {
        this.violation = this.#judge(scratch[0]!, scratch[1]!);
        if (this.violation !== undefined) break;
      }
    }
    return index;
  }

  #parse(bytes: Uint8Array, start: number): void {
    const first = bytes[start]!;
    const second = bytes[start + 1]!;
    this.violation = this.#judge(first, second);
    if (this.violation !== undefined) return;
    this.fin = (first & FIN_BIT) !== 0;
    this.rsv1 = (first & RSV1_BIT) !== 0;
    this.opcode = first & OPCODE_BITS;
    let index = start + 2;
    const length = second & LENGTH_BITS;
    if (length < LENGTH_16) {
      this.payloadBytes = length;
    } else if (length === LENGTH_16) {
      this.payloadBytes = bytes[index]! << 8 | bytes[index + 1]!;
      index += 2;
      // Section 5.2: "the minimal number of bytes MUST be used to encode the
      // length".
      if (this.payloadBytes < LENGTH_16) this.violation = "length-not-minimal";
    } else {
      this.#parseLength64(bytes, index);
      index += 8;
    }
    this.maskKey = (second & MASK_BIT) === 0 ? 0 : readKey(bytes, index);
    this.complete = true;
  }

  #parseLength64(bytes: Uint8Array, index: number): void {
    const high = (bytes[index]! << 24 | bytes[index + 1]! << 16 |
      bytes[index + 2]! << 8 | bytes[index + 3]!) >>> 0;
    const low = (bytes[index + 4]! << 24 | bytes[index + 5]! << 16 |
      bytes[index + 6]! << 8 | bytes[index + 7]!) >>> 0;
    // Section 5.2: "the most significant bit MUST be 0".
    if (high >= 0x80000000) {
      this.violation = "length-too-big";
    } else if (high === 0 && low <= 0xffff) {
      this.violation = "length-not-minimal";
    }
    // Inexact above 2 ** 53, which no limit on messages reaches.
    this.payloadBytes = high * 0x100000000 + low;
  }

  /** What the first two bytes of a frame break, whatever came before it. */
  #judge(first: number, second: number): ProtocolErrorReason | undefined {
    const reserved = first & RESERVED_BITS;
    const opcode = first & OPCODE_BITS;
    if (reserved !== 0) {
      // Section 5.2: "If a nonzero value is received and none of the negotiated
      // extensions defines the meaning of such a nonzero value, the receiving
      // endpoint MUST _Fail the WebSocket Connection_". RFC 7692, section 6,
      // sets RSV1 on the first frame of a message only, and never on control
      // frames.
      const compressed = reserved === RSV1_BIT && this.#allowRsv1 &&
        (opcode === OPCODES.text || opcode === OPCODES.binary);
      if (!compressed) return "reserved-bits";
    }
    // Section 5.2: "If an unknown opcode is received, the receiving endpoint
    // MUST _Fail the WebSocket Connection_".
    if ((opcode & 0x07) > 2) return "reserved-opcode";
    if ((opcode & CONTROL_BIT) !== 0) {
      // Section 5.5: "All control frames MUST have a payload length of 125 bytes
      // or less and MUST NOT be fragmented".
      if ((first & FIN_BIT) === 0) return "fragmented-control";
      if ((second & LENGTH_BITS) > MAX_CONTROL_BYTES) return "control-too-long";
    }
    // Section 5.1: "The server MUST close the connection upon receiving a frame
    // that is not masked"; "A client MUST close a connection if it detects a
    // masked frame".
    const masked = (second & MASK_BIT) !== 0;
    if (masked === (this.#role === "server")) return undefined;
    return masked ? "mask-forbidden" : "mask-required";
  }
}

/**
 * Reads a masking key as a 32-bit integer in wire order.
 *
 * @param bytes Array that holds it.
 * @param at Index of its first byte.
 */
export function readKey(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
    bytes[at + 3]! << 24;
}

/** Bytes of a header, told by its second byte. */
function headerBytes(second: number): number {
  const length = second & LENGTH_BITS;
  return 2 + ((second & MASK_BIT) >> 5) +
    (length < LENGTH_16 ? 0 : length === LENGTH_16 ? 2 : 8);
}

/**
 * Tells how long the header of a frame without a key is, in its minimal form.
 *
 * @param payloadBytes Length of the payload, in bytes.
 */
export function bareHeaderBytes(payloadBytes: number): number {
  return payloadBytes < LENGTH_16 ? 2 : payloadBytes <= 0xffff ? 4 : 10;
}

/**
 * Writes a frame header in its minimal form (section 5.2).
 *
 * @param target Array to write; it has room for {@linkcode MAX_HEADER_BYTES}.
 * @param at Index of the first byte.
 * @param first First byte of the frame: FIN, reserved bits, opcode.
 * @param payloadBytes Length of the payload, in bytes, below 2 ** 53.
 * @param maskKey Masking key, absent for a server's frame.
 * @returns Index after the header.
 */
export function writeHeader(
  target: Uint8Array,
  at: number,
  first: number,
  payloadBytes: number,
  maskKey: number | undefined,
): number {
  const maskBit = maskKey === undefined ? 0 : MASK_BIT;
  let index = at;
  target[index++] = first;
  if (payloadBytes < LENGTH_16) {
    target[index++] = maskBit | payloadBytes;
  } else if (payloadBytes <= 0xffff) {
    target[index++] = maskBit | LENGTH_16;
    target[index++] = payloadBytes >>> 8;
    target[index++] = payloadBytes & 0xff;
  } else {
    target[index++] = maskBit | LENGTH_64;
    index = writeUint32(target, index, Math.floor(payloadBytes / 0x100000000));
    index = writeUint32(target, index, payloadBytes >>> 0);
  }
  if (maskKey !== undefined) {
    target[index++] = maskKey;
    target[index++] = maskKey >>> 8;
    target[index++] = maskKey >>> 16;
    target[index++] = maskKey >>> 24;
  }
  return index;
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}
