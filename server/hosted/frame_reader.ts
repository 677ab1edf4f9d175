/**
 * What a connection sends, taken apart into what a host's WebSocket can send:
 * whole messages, Pings, and a Close frame.
 *
 * @module
 */

import { decodeClose, FrameHeader, NO_STATUS, OPCODES } from "../../codec.ts";

/** Who is told what a connection sends. */
export interface FrameReceiver {
  /**
   * A message.
   *
   * @param data Text, or bytes that are lent.
   */
  onMessage(data: string | Uint8Array): void;
  /** A Ping. Its payload is lent. */
  onPing(payload: Uint8Array): void;
  /** The Close frame; code `undefined` where it has none. */
  onClose(code: number | undefined, reason: string): void;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads the frames of this side's own protocol, which makes no mistakes. */
export class FrameReader {
  readonly #receiver: FrameReceiver;
  readonly #header = new FrameHeader("client", false);
  #isInPayload = false;
  /** What is there of a payload that several chunks share. */
  #parts: Uint8Array[] = [];
  #missingBytes = 0;
  /** What kind of message is sent in fragments; 0 for none. */
  #opcode = 0;
  #fragments: Uint8Array[] = [];
  #fragmentBytes = 0;

  /** @param receiver Who is told. */
  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  /** Bytes of a message in fragments, as far as it has been read. */
  get unfinishedBytes(): number {
    return this.#fragmentBytes;
  }

  /**
   * Takes bytes.
   *
   * @param chunk Lent until the call returns; only read.
   */
  read(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length || this.#isInPayload) {
      if (!this.#isInPayload) {
        at = this.#header.read(chunk, at);
        if (!this.#header.complete) return;
        this.#isInPayload = true;
        this.#missingBytes = this.#header.payloadBytes;
      }
      const part = chunk.subarray(at, at + this.#missingBytes);
      at += part.length;
      this.#missingBytes -= part.length;
      if (this.#missingBytes > 0) {
        if (part.length > 0) this.#parts.push(part.slice());
        return;
      }
      this.#isInPayload = false;
      this.#header.next();
      this.#take(this.#parts.length === 0 ? part : this.#join(part));
    }
  }

  #join(last: Uint8Array): Uint8Array {
    const payload = concat([...this.#parts, last]);
    this.#parts = [];
    return payload;
  }

  #take(payload: Uint8Array): void {
    const { opcode, fin } = this.#header;
    switch (opcode) {
      case OPCODES.ping:
        return this.#receiver.onPing(payload);
      case OPCODES.pong:
        // The host has answered by itself.
        return;
      case OPCODES.close:
        return this.#takeClose(payload);
    }
    if (opcode !== OPCODES.continuation) this.#opcode = opcode;
    if (fin && this.#fragments.length === 0) return this.#tell(payload);
    this.#fragments.push(payload.slice());
    this.#fragmentBytes += payload.length;
    if (!fin) return;
    const message = concat(this.#fragments);
    this.#fragments = [];
    this.#fragmentBytes = 0;
    this.#tell(message);
  }

  #tell(payload: Uint8Array): void {
    const isText = this.#opcode === OPCODES.text;
    this.#receiver.onMessage(isText ? decoder.decode(payload) : payload);
  }

  #takeClose(payload: Uint8Array): void {
    const close = decodeClose(payload);
    if (typeof close === "string") throw new Error(`Invalid frame: ${close}`);
    const { code, reason } = close;
    this.#receiver.onClose(code === NO_STATUS ? undefined : code, reason);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
