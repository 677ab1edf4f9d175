/** The client's side of the opening handshake (RFC 6455, section 4.1), no more. */

/** The key of the example in RFC 6455, section 1.3. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The request head, in bytes. */
export function buildRequest(host: string, path: string): Uint8Array {
  return new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      "Sec-WebSocket-Version: 13\r\n\r\n",
  );
}

/** Collects a response head. */
export class ResponseHead {
  #text = "";

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
    const agreed = this.#text.startsWith("HTTP/1.1 101 ") &&
      this.#text.includes(ACCEPT) &&
      !/^sec-websocket-extensions:/im.test(this.#text);
    if (!agreed || end + 4 !== this.#text.length) {
      throw new Error(`Unexpected response: ${this.#text.slice(0, 200)}`);
    }
    return true;
  }
}
