/**
 * The sending half of a connection: messages, fragments and control frames in,
 * bytes out, in the order that RFC 6455 allows.
 *
 * @module
 */

import { type CloseFrame, encodeClose, NO_STATUS } from "./close.ts";
import { encodeFragment } from "./deflate_fragment.ts";
import {
  FIN_BIT,
  MAX_CONTROL_BYTES,
  OPCODES,
  type Role,
  RSV1_BIT,
} from "./frame.ts";
import type { Message } from "./message.ts";
import { Output } from "./output.ts";
import {
  type PreparedMessage,
  preparedPayload,
  sharedFrame,
} from "./prepared.ts";
import type { TextWriter } from "./text_writer.ts";
import type { MessageTransform } from "./transform.ts";

const encoder = new TextEncoder();

/** Frames what one side sends, and knows what it may still send. */
export class Sender {
  /** The Close frame that was sent. */
  sent: CloseFrame | undefined;
  /** Whether the transport is gone, so that nothing can be sent. */
  ended = false;
  /** Control frames sent so far. */
  controlFrames = 0;
  /** The frames that wait to be taken. */
  readonly output: Output;

  readonly #masked: boolean;
  readonly #transform: MessageTransform | undefined;
  /** Whether the peer has said its last, so that no Ping needs an answer. */
  #answered = false;
  /** Opcode, and RSV1, of the fragmented message under way; 0 for none. */
  #fragmenting = 0;
  #latestPing: Uint8Array | undefined;

  /**
   * @param role Our own side: a client masks what it sends (section 5.1).
   * @param transform What an extension does to messages.
   * @param writeUtf8 How to make bytes of texts.
   */
  constructor(
    role: Role,
    transform: MessageTransform | undefined,
    writeUtf8?: TextWriter,
  ) {
    this.#masked = role === "client";
    this.#transform = transform;
    this.output = new Output(this.#masked, writeUtf8);
  }

  /** Sends a text message, see `Protocol.sendText`. */
  text(text: string, compress: boolean): boolean {
    if (typeof text !== "string") {
      throw new TypeError("Cannot send: the text is not a string");
    }
    if (!this.#maySend()) return false;
    if (this.#transform !== undefined && compress) {
      this.#transformed(OPCODES.text, encoder.encode(text), true);
    } else {
      this.output.writeText(FIN_BIT | OPCODES.text, text);
    }
    return true;
  }

  /** Sends a binary message, see `Protocol.sendBinary`. */
  binary(bytes: Uint8Array, compress: boolean): boolean {
    checkBytes(bytes);
    if (!this.#maySend()) return false;
    if (this.#transform !== undefined && compress) {
      this.#transformed(OPCODES.binary, bytes, false);
    } else {
      this.output.writeFrame(FIN_BIT | OPCODES.binary, bytes, false);
    }
    return true;
  }

  /** Sends a message framed before, see `Protocol.sendPrepared`. */
  prepared(message: PreparedMessage): boolean {
    const transform = this.#transform;
    const { compress } = message;
    const shared = compress ? transform?.shared : undefined;
    // A client masks each frame with a key of its own (section 5.3), and a
    // transform may have a state of its own: both start from the message.
    const isOwn = compress && transform !== undefined && shared === undefined;
    if (this.#masked || isOwn) {
      const { data } = message;
      return typeof data === "string"
        ? this.text(data, compress)
        : this.binary(data, compress);
    }
    if (!this.#maySend()) return false;
    let { frame } = message;
    if (shared !== undefined) {
      frame = sharedFrame(message, shared);
      if (frame !== message.frame) {
        transform!.noteShared?.(preparedPayload(message));
      }
    }
    this.output.writeRaw(frame);
    return true;
  }

  /** Sends a fragment, see `Protocol.sendFragment`. */
  fragment(data: Message, fin: boolean, compress = true): boolean {
    if (typeof data !== "string") checkBytes(data);
    if (this.sent !== undefined || this.ended) return false;
    const opcode = typeof data === "string" ? OPCODES.text : OPCODES.binary;
    const isFirst = this.#fragmenting === 0;
    if (!isFirst && (this.#fragmenting & ~RSV1_BIT) !== opcode) {
      throw new TypeError("Cannot send a fragment: text and binary are mixed");
    }
    const first = (fin ? FIN_BIT : 0) |
      (isFirst ? opcode : OPCODES.continuation);
    const isChanged =
      (isFirst ? compress : (this.#fragmenting & RSV1_BIT) !== 0) &&
      this.#transformedFragment(first, data, isFirst);
    this.#fragmenting = fin ? 0 : isChanged ? opcode | RSV1_BIT : opcode;
    if (isChanged) return true;
    if (typeof data === "string") this.output.writeText(first, data);
    else this.output.writeFrame(first, data, false);
    return true;
  }

  /** Sends a Ping, see `Protocol.ping`. */
  ping(payload: Uint8Array): boolean {
    checkControl(payload);
    // After our Close frame it would ask for an answer that may never come.
    if (this.sent !== undefined || this.ended) return false;
    this.controlFrames++;
    this.output.writeFrame(FIN_BIT | OPCODES.ping, payload, false);
    return true;
  }

  /** Sends a Pong, see `Protocol.pong`; also while we wait for the peer's Close. */
  pong(payload: Uint8Array): boolean {
    checkControl(payload);
    if (this.#answered || this.ended) return false;
    this.controlFrames++;
    this.output.writeFrame(FIN_BIT | OPCODES.pong, payload, false);
    return true;
  }

  /**
   * Tells how many payload bytes were sent.
   *
   * @param dataFrames How many of the frames were no control frames.
   */
  payloadBytes(dataFrames: number): number {
    const { byteLength, takenBytes, longHeaderBytes } = this.output;
    const headerBytes = this.#masked ? 6 : 2;
    return takenBytes + byteLength - longHeaderBytes -
      (dataFrames + this.controlFrames) * headerBytes;
  }

  /** Whether a Pong waits for the output to be taken. */
  get owesPong(): boolean {
    return this.#latestPing !== undefined;
  }

  /** Answers a Ping when the output is next taken, unless a later one comes. */
  pongLater(payload: Uint8Array): void {
    this.#latestPing = payload;
  }

  /** Sends a Close frame, unless one has been sent, see `Protocol.close`. */
  close(code: number | undefined, reason: string): void {
    const payload = encodeClose(code, reason);
    if (this.sent !== undefined || this.ended) return;
    this.controlFrames++;
    this.output.writeFrame(FIN_BIT | OPCODES.close, payload, true);
    this.sent = { code: code ?? NO_STATUS, reason };
    this.#fragmenting = 0;
  }

  /**
   * Answers the last that the peer has said.
   *
   * @param frame Close frame to send, unless one has been sent; one without a code
   * where the code is 1005.
   */
  closeLast(frame: CloseFrame): void {
    this.#answered = true;
    this.close(frame.code === NO_STATUS ? undefined : frame.code, frame.reason);
  }

  /** Takes bytes to send, see `Protocol.takeOutput`. */
  take(): Uint8Array | undefined {
    const ping = this.#latestPing;
    if (ping !== undefined) {
      this.#latestPing = undefined;
      this.pong(ping);
    }
    return this.output.take();
  }

  /** Drops what has not been taken, and what comes. */
  abandon(): void {
    this.ended = true;
    this.#latestPing = undefined;
    this.output.clear();
  }

  /** Whether a message may be sent now. */
  #maySend(): boolean {
    // Section 5.5.1: "The application MUST NOT send any more data frames after
    // sending a Close frame."
    if (this.sent !== undefined || this.ended) return false;
    if (this.#fragmenting === 0) return true;
    // Section 5.4: fragments of messages "MUST NOT be interleaved".
    throw new Error("Cannot send: a fragmented message is under way");
  }

  #transformed(opcode: number, payload: Uint8Array, own: boolean): void {
    const changed = this.#transform!.encode(payload);
    if (changed === undefined) {
      this.output.writeFrame(FIN_BIT | opcode, payload, own);
    } else {
      this.output.writeFrame(FIN_BIT | RSV1_BIT | opcode, changed, true);
    }
  }

  /** Sends a fragment changed; tells whether it could be. */
  #transformedFragment(
    first: number,
    data: Message,
    isFirst: boolean,
  ): boolean {
    const transform = this.#transform;
    if (transform === undefined) return false;
    const payload = typeof data === "string" ? encoder.encode(data) : data;
    const fin = (first & FIN_BIT) !== 0;
    const changed = encodeFragment(transform, payload, isFirst, fin);
    if (changed === undefined) return false;
    // RFC 7692, section 6: "An endpoint MUST NOT set the 'Per-Message Compressed' bit
    // of control frames and non-first fragments of a data message."
    this.output.writeFrame(isFirst ? first | RSV1_BIT : first, changed, true);
    return true;
  }
}

/** Refuses what would be sent as other bytes than were meant. */
function checkBytes(bytes: unknown): void {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("Cannot send: the payload is not a Uint8Array");
  }
}

/** Section 5.5: control frames "MUST have a payload length of 125 bytes or less". */
function checkControl(payload: Uint8Array): void {
  checkBytes(payload);
  if (payload.length > MAX_CONTROL_BYTES) {
    throw new RangeError(
      `Cannot send: a control frame takes 125 bytes: ${payload.length}`,
    );
  }
}
