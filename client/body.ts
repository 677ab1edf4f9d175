/**
 * The start of a response's body, for an error that says why there is no
 * WebSocket.
 *
 * @module
 */

import type { HeaderList } from "../codec.ts";

/** Most bytes of a body that are kept. */
export const MAX_BODY_BYTES = 65_536;

/** Most bytes of a chunk's size line: 8 digits, extensions, CR LF. */
const MAX_SIZE_LINE_BYTES = 128;

/**
 * Takes the body of one response, to its end or its first 64 KiB.
 *
 * Nothing after the body matters, for the connection is closed then; so what is
 * malformed just ends it.
 */
export class BodyReader {
  /** Whether there is nothing more to read. */
  isDone = false;

  readonly #isChunked: boolean;
  readonly #parts: Uint8Array[] = [];
  #keptBytes = 0;
  /** Bytes that the body, or the chunk under way, still has. */
  #missingBytes: number;
  /** A chunk's size line, as far as it has arrived. */
  #line = "";

  /**
   * @param status Status of the response; some have no body.
   * @param headers Its headers, which tell how its body ends.
   */
  constructor(status: number, headers: HeaderList) {
    const coding = headers.get("transfer-encoding");
    this.#isChunked = coding?.toLowerCase() === "chunked";
    const length = headers.get("content-length");
    // Without a length the body ends with the connection.
    this.#missingBytes = this.#isChunked
      ? 0
      : length !== undefined && /^\d{1,15}$/.test(length)
      ? Number(length)
      : Infinity;
    // RFC 9112, section 6.3: a response with one of these "is always terminated by
    // the first empty line after the header fields, regardless of the header fields
    // present in the message".
    const isBodiless = status === 204 || status === 304;
    const isEmpty = !this.#isChunked && this.#missingBytes === 0;
    this.isDone = isBodiless || isEmpty;
  }

  /** What has been read. */
  get bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#keptBytes);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /**
   * Reads on.
   *
   * @param chunk Bytes that arrived; copied as far as they are kept.
   */
  receive(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0 && !this.isDone) {
      rest = this.#missingBytes > 0 ? this.#keep(rest) : this.#readSize(rest);
    }
  }

  #keep(bytes: Uint8Array): Uint8Array {
    const room = MAX_BODY_BYTES - this.#keptBytes;
    const count = Math.min(bytes.length, this.#missingBytes, room);
    this.#parts.push(bytes.slice(0, count));
    this.#keptBytes += count;
    this.#missingBytes -= count;
    const isComplete = this.#missingBytes === 0 && !this.#isChunked;
    if (isComplete || this.#keptBytes === MAX_BODY_BYTES) this.isDone = true;
    return bytes.subarray(count);
  }

  /** Reads the line before a chunk (RFC 9112, section 7.1). */
  #readSize(bytes: Uint8Array): Uint8Array {
    for (let index = 0; index < bytes.length; index++) {
      this.#line += String.fromCharCode(bytes[index]!);
      if (this.#line === "\r\n") {
        this.#line = ""; // the end of the chunk before
      } else if (this.#line.endsWith("\n")) {
        const digits = /^[0-9a-f]{1,8}/i.exec(this.#line);
        this.#line = "";
        this.#missingBytes = digits === null ? 0 : parseInt(digits[0], 16);
        if (this.#missingBytes === 0) this.isDone = true;
        return bytes.subarray(index + 1);
      } else if (this.#line.length > MAX_SIZE_LINE_BYTES) {
        this.isDone = true;
        break;
      }
    }
    return new Uint8Array(0);
  }
}
