/**
 * Reads frames out of the bytes that pass, for people to look at.
 *
 * It judges nothing: what breaks the protocol is shown as well, since that is what
 * one looks for.
 *
 * @module
 */

import {
  applyMask,
  isControl,
  MAX_CONTROL_BYTES,
  MAX_HEADER_BYTES,
  OPCODES,
} from "../codec.ts";
import { printable } from "./printable.ts";

/** One frame, as it went over the wire. */
export interface FrameTrace {
  /** Which way it went. */
  readonly direction: "received" | "sent";
  /** What kind it is; `"reserved"` for an opcode that has no meaning. */
  readonly opcode: keyof typeof OPCODES | "reserved";
  /** Whether it ends its message. */
  readonly fin: boolean;
  /** Whether the first reserved bit is set: a compressed message begins. */
  readonly rsv1: boolean;
  /** Whether it is masked, as a client's must be. */
  readonly isMasked: boolean;
  /** Length of its payload, in bytes, as its header says. */
  readonly payloadBytes: number;
  /**
   * Beginning of its payload, at most 75 bytes of it, unmasked. Text has its control
   * characters escaped; of other payloads the first 25 bytes are there in
   * hexadecimal. It ends with `…` where there is more.
   */
  readonly preview: string;
  /** Code of a Close frame that has one. */
  readonly code?: number;
  /** Reason of a Close frame that has a code, control characters escaped. */
  readonly reason?: string;
}

/** Most bytes of text that are shown, as in Python's `websockets`. */
const PREVIEW_BYTES = 75;
/** Each takes three characters in hexadecimal. */
const HEX_BYTES = 25;

const OPCODE_NAMES: ReadonlyMap<number, keyof typeof OPCODES> = new Map(
  Object.entries(OPCODES).map((
    [name, opcode],
  ) => [opcode, name as keyof typeof OPCODES]),
);

/** Reads the frames of one direction. */
export class FrameTracer {
  readonly #direction: FrameTrace["direction"];
  readonly #tell: (frame: FrameTrace) => void;
  /** Header, and then as much of the payload as is shown. */
  readonly #head: Uint8Array = new Uint8Array(
    MAX_HEADER_BYTES + MAX_CONTROL_BYTES,
  );
  #headBytes = 0;
  /** Bytes of the frame that were told already and are still to pass. */
  #restBytes = 0;
  /** Whether the message under way is text that can be read. */
  #isText = false;
  #isOver = false;

  /**
   * @param direction Which way the bytes go.
   * @param tell Told of each frame, once what is shown of it has passed.
   */
  constructor(
    direction: FrameTrace["direction"],
    tell: (frame: FrameTrace) => void,
  ) {
    this.#direction = direction;
    this.#tell = tell;
  }

  /**
   * Reads on.
   *
   * @param chunk Bytes in order; only read.
   */
  read(chunk: Uint8Array): void {
    let index = 0;
    // Nothing counts after a Close frame (RFC 6455, section 5.5.1).
    while (index < chunk.length && !this.#isOver) {
      if (this.#restBytes > 0) {
        const step = Math.min(this.#restBytes, chunk.length - index);
        this.#restBytes -= step;
        index += step;
      } else {
        this.#head[this.#headBytes++] = chunk[index++]!;
      }
      // A frame without a rest may end with this byte.
      if (this.#restBytes === 0) this.#tellWhole();
    }
  }

  /** Tells of the frame under way, if enough of it has been gathered. */
  #tellWhole(): void {
    const head = this.#head;
    if (this.#headBytes < 2) return;
    const length = head[1]! & 0x7f;
    const maskAt = 2 + (length < 126 ? 0 : length === 126 ? 2 : 8);
    const isMasked = (head[1]! & 0x80) !== 0;
    const headerBytes = maskAt + (isMasked ? 4 : 0);
    if (this.#headBytes < headerBytes) return;
    const payloadBytes = lengthOf(head.subarray(1, maskAt));
    const opcode = head[0]! & 0x0f;
    const shown = Math.min(
      payloadBytes,
      isControl(opcode) ? MAX_CONTROL_BYTES : PREVIEW_BYTES,
    );
    if (this.#headBytes < headerBytes + shown) return;
    const payload = head.slice(headerBytes, headerBytes + shown);
    if (isMasked) applyMask(payload, head.slice(maskAt, headerBytes));
    this.#headBytes = 0;
    this.#restBytes = payloadBytes - shown;
    this.#isOver = opcode === OPCODES.close;
    this.#tell({
      direction: this.#direction,
      opcode: OPCODE_NAMES.get(opcode) ?? "reserved",
      fin: (head[0]! & 0x80) !== 0,
      rsv1: (head[0]! & 0x40) !== 0,
      isMasked,
      payloadBytes,
      preview: this.#preview(head[0]!, payload, payloadBytes),
      ...(opcode === OPCODES.close && shown >= 2 && {
        code: payload[0]! << 8 | payload[1]!,
        reason: printable(decode(payload.subarray(2))),
      }),
    });
  }

  #preview(first: number, payload: Uint8Array, payloadBytes: number): string {
    const opcode = first & 0x0f;
    if (opcode === OPCODES.text || opcode === OPCODES.binary) {
      // What is compressed cannot be read.
      this.#isText = opcode === OPCODES.text && (first & 0x40) === 0;
    }
    const isText = this.#isText &&
      (opcode === OPCODES.text || opcode === OPCODES.continuation);
    const shown = payload.subarray(0, isText ? PREVIEW_BYTES : HEX_BYTES);
    const text = isText ? printable(decode(shown)) : toHex(shown);
    return shown.length < payloadBytes ? `${text}…` : text;
  }
}

/** The length that the second byte of a frame and those after it say. */
function lengthOf(bytes: Uint8Array): number {
  if (bytes.length === 1) return bytes[0]! & 0x7f;
  let length = 0;
  for (const byte of bytes.subarray(1)) length = length * 256 + byte;
  return length;
}

/** Decodes text whose last character may be cut. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true })
    .decode(bytes, { stream: true });
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join(" ");
}
