/**
 * Reads the responses on one kept-alive connection and counts whole ones. The
 * first is parsed; all others must be as long as it, and begin like it.
 */

const START = "HTTP/1.1 200 ";

/** Responses to one request, asked again and again. */
export class Responses {
  readonly #body: string;
  #head = "";
  /** Bytes of each response; 0 before the first is there. */
  #totalBytes = 0;
  /** Bytes still to come of the one that has begun. */
  #left = 0;

  /** Expects a body. */
  constructor(body: string) {
    this.#body = body;
  }

  /**
   * Takes bytes from the server: `chunk[0, end)`.
   *
   * @returns How many responses ended in them.
   * @throws {Error} If they are anything else.
   */
  receive(chunk: Uint8Array, end: number): number {
    if (this.#totalBytes === 0) return this.#receiveFirst(chunk, end);
    let responses = 0;
    for (let at = 0; at < end;) {
      if (this.#left === 0) {
        checkStart(chunk, at, end);
        this.#left = this.#totalBytes;
      }
      const taken = Math.min(this.#left, end - at);
      at += taken;
      this.#left -= taken;
      if (this.#left === 0) responses++;
    }
    return responses;
  }

  #receiveFirst(chunk: Uint8Array, end: number): number {
    this.#head += new TextDecoder("latin1").decode(chunk.subarray(0, end));
    const bodyAt = this.#head.indexOf("\r\n\r\n") + 4;
    if (bodyAt < 4) return 0;
    const isChunked = /^transfer-encoding: *chunked\r$/im.test(this.#head);
    const length = /^content-length: *(\d+)\r$/im.exec(this.#head)?.[1];
    const body = isChunked ? encodeChunk(this.#body) : this.#body;
    const totalBytes = bodyAt + (isChunked ? body.length : Number(length));
    if (this.#head.length < totalBytes) return 0;
    const isRight = this.#head.startsWith(START) &&
      this.#head.slice(bodyAt) === body;
    if (!isRight) throw new Error(`Unexpected response: ${this.#head}`);
    this.#totalBytes = totalBytes;
    return 1;
  }
}

/** A body in one chunk (RFC 9112, section 7.1). */
function encodeChunk(body: string): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

function checkStart(chunk: Uint8Array, at: number, end: number): void {
  for (let index = 0; index < START.length && at + index < end; index++) {
    if (chunk[at + index] !== START.charCodeAt(index)) {
      throw new Error("A response of another length or status");
    }
  }
}
