/**
 * The handshake of the bare rows: the load generator always sends the same key,
 * so the response is always the same, and nothing is parsed.
 */

/** The response to the key of the example in RFC 6455, section 1.3. */
export const CANNED_RESPONSE: Uint8Array = new TextEncoder().encode(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
    "Connection: Upgrade\r\n" +
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
);

/** Whether a request head ends with these bytes, which hold nothing after it. */
export function endsHead(chunk: Uint8Array): boolean {
  const end = chunk.length - 4;
  return end >= 0 && chunk[end] === 13 && chunk[end + 1] === 10 &&
    chunk[end + 2] === 13 && chunk[end + 3] === 10;
}
