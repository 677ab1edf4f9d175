/** The client's side of the opening handshake (RFC 6455, section 4.1), no more. */

/** The key of the example in RFC 6455, section 1.3. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The request head, in bytes, with or without an offer of extensions. */
export function buildRequest(
  host: string,
  path: string,
  offer?: string,
): Uint8Array {
  const extensions = offer === undefined
    ? ""
    : `Sec-WebSocket-Extensions: ${offer}\r\n`;
  return new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      `Sec-WebSocket-Version: 13\r\n${extensions}\r\n`,
  );
}

/** Collects a response head. */
export class ResponseHead {
  /** The extensions that were agreed on, once the head is complete. */
  extensions: string | undefined;

  readonly #hasOffer: boolean;
  #text = "";

  /** @param hasOffer Whether an extension was offered, and must be accepted. */
  constructor(hasOffer = false) {
    this.#hasOffer = hasOffer;
  }

  /**
   * Takes bytes of the response.
   *
   * @returns Whether the head is complete.
   * @throws {Error} If the server has not agreed, or has sent more than a head.
   */
  receive(chunk: Uint8Array): boolean {
    this.#text += new TextDecoder("latin1").decode(chunk);
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.extensions = /^sec-websocket-extensions:\s*(.*?)\s*$/im
      .exec(this.#text)?.[1];
    const agreed = this.#text.startsWith("HTTP/1.1 101 ") &&
      this.#text.includes(ACCEPT) &&
      (this.extensions !== undefined) === this.#hasOffer;
    if (!agreed || end + 4 !== this.#text.length) {
      throw new Error(`Unexpected response: ${this.#text.slice(0, 200)}`);
    }
    return true;
  }
}
