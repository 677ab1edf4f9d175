/**
 * Reads what a server sends back and counts whole messages, looking at frame
 * headers only. Every message's length is checked; its contents too where asked.
 */
import { Buffer } from "node:buffer";
import type { Pattern } from "./pattern.ts";

/** How to read replies. */
export interface ReplyOptions {
  /** What was sent, in the order in which it must come back. */
  readonly pattern: Pattern;
  /** Compare contents too. */
  readonly verify: boolean;
  /** Replies are the client's own masked frames: a bare byte echo. */
  readonly masked: boolean;
}

/** The replies on one connection. */
export class Replies {
  readonly #pattern: Pattern;
  readonly #verify: boolean;
  readonly #maskBytes: number;
  readonly #head = new Uint8Array(14);
  #headBytes = 0;
  #payloadLeft = 0;
  #final = false;
  #control = false;
  #messageBytes = 0;
  #index = 0;

  /** Starts at the ring's first frame. */
  constructor(options: ReplyOptions) {
    this.#pattern = options.pattern;
    this.#verify = options.verify;
    this.#maskBytes = options.masked ? 4 : 0;
  }

  /**
   * Takes bytes from the server: `chunk[0, end)`.
   *
   * @returns How many messages ended in them.
   * @throws {Error} If they are not what an echo of the pattern looks like.
   */
  receive(chunk: Uint8Array, end: number): number {
    let messages = 0;
    let at = 0;
    while (at < end) {
      if (this.#payloadLeft === 0) {
        at = this.#takeHead(chunk, at, end);
        if (at < 0) break;
      }
      const taken = Math.min(this.#payloadLeft, end - at);
      if (this.#control) {
        at += taken;
        this.#payloadLeft -= taken;
        continue;
      }
      if (this.#verify) this.#compare(chunk, at, taken);
      at += taken;
      this.#payloadLeft -= taken;
      this.#messageBytes += taken;
      if (this.#payloadLeft === 0 && this.#final) {
        this.#endMessage();
        messages++;
      }
    }
    return messages;
  }

  /** Reads one frame header; -1 when the chunk ends within it. */
  #takeHead(chunk: Uint8Array, start: number, end: number): number {
    if (this.#headBytes === 0 && end - start >= 14) {
      return start + this.#parseHead(chunk, start);
    }
    let at = start;
    while (at < end) {
      this.#head[this.#headBytes++] = chunk[at++] ?? 0;
      if (this.#headBytes === this.#headLength()) {
        this.#headBytes = 0;
        this.#parseHead(this.#head, 0);
        return at;
      }
    }
    return -1;
  }

  /** Bytes of the header that has begun to arrive. */
  #headLength(): number {
    if (this.#headBytes < 2) return 14;
    const code = (this.#head[1] ?? 0) & 0x7f;
    return (code < 126 ? 2 : code === 126 ? 4 : 10) + this.#maskBytes;
  }

  /** Reads the header at `at`; returns its length. */
  #parseHead(bytes: Uint8Array, at: number): number {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const opcode = first & 0x0f;
    const expected = this.#pattern.kind === "text" ? 1 : 2;
    // A server's keepalive is passed over, unanswered: the load shows life.
    this.#control = opcode === 0x9 || opcode === 0xa;
    if (opcode !== expected && opcode !== 0 && !this.#control) {
      throw new Error(`Unexpected opcode in a reply: ${opcode}`);
    }
    if ((second & 0x80) !== (this.#maskBytes === 0 ? 0 : 0x80)) {
      throw new Error("Unexpected mask bit in a reply");
    }
    this.#final = (first & 0x80) !== 0;
    const code = second & 0x7f;
    if (code < 126) {
      this.#payloadLeft = code;
      return 2 + this.#maskBytes;
    }
    const lengthBytes = code === 126 ? 2 : 8;
    let length = 0;
    for (let index = 0; index < lengthBytes; index++) {
      length = length * 256 + (bytes[at + 2 + index] ?? 0);
    }
    this.#payloadLeft = length;
    return 2 + lengthBytes + this.#maskBytes;
  }

  #endMessage(): void {
    const expected = this.#pattern.lengths[this.#index];
    if (this.#messageBytes !== expected) {
      throw new Error(
        `Wrong length of a reply: ${this.#messageBytes}, not ${expected}`,
      );
    }
    this.#messageBytes = 0;
    this.#index = this.#index + 1 === this.#pattern.count ? 0 : this.#index + 1;
  }

  /** Compares a piece of payload with what was sent. */
  #compare(chunk: Uint8Array, at: number, length: number): void {
    const { wire, offsets, payloads } = this.#pattern;
    const payload = payloads[this.#index] as Uint8Array;
    let source = payload;
    let from = this.#messageBytes;
    if (this.#maskBytes > 0) {
      source = wire;
      from += (offsets[this.#index + 1] ?? 0) - payload.length;
    }
    if (
      Buffer.compare(
        chunk.subarray(at, at + length),
        source.subarray(from, from + length),
      ) !== 0
    ) {
      throw new Error(`Wrong contents in a reply at byte ${from}`);
    }
  }
}
