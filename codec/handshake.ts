/**
 * What both sides of the opening handshake share: the key, its answer, and the
 * headers that are not the application's (RFC 6455, section 4).
 *
 * @module
 */
import type { HeaderFields } from "./header.ts";
import { sha1 } from "./sha1.ts";

/** Count of random bytes in a handshake key. */
const KEY_BYTES = 16;

/** Appended to the key before digesting (RFC 6455, section 1.3). */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * Makes the value of `Sec-WebSocket-Key` (RFC 6455, section 4.1, item 7).
 *
 * @param random 16 bytes from a cryptographic source. Not modified.
 * @throws {RangeError} If there are not 16 bytes.
 */
export function formatHandshakeKey(random: Uint8Array): string {
  if (random.length !== KEY_BYTES) {
    throw new RangeError(
      `Cannot make a handshake key: got ${random.length} bytes, not 16`,
    );
  }
  return toBase64(random);
}

/** Whether `text` is 16 bytes in canonical base64 (RFC 4648, section 3.5). */
export function isHandshakeKey(text: string): boolean {
  // Of the last character, 2 bits are data; the other 4 must be zero.
  return /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(text);
}

/**
 * Computes the value of `Sec-WebSocket-Accept` (RFC 6455, section 4.2.2, item
 * 5.4).
 *
 * @param handshakeKey Value of `Sec-WebSocket-Key`.
 */
export function acceptFor(handshakeKey: string): string {
  const text = handshakeKey + GUID;
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return toBase64(sha1(bytes));
}

/**
 * Checks that an application leaves alone the headers that the handshake itself
 * writes.
 *
 * @param headers Headers that the application adds.
 * @param managed More names that are not its own, in lower case.
 * @throws {TypeError} If one of them is not the application's to set.
 */
export function checkApplicationHeaders(
  headers: HeaderFields,
  managed: readonly string[] = [],
): void {
  for (const [name] of headers) {
    const lower = name.toLowerCase();
    if (
      lower.startsWith("sec-websocket-") || MANAGED_HEADERS.includes(lower) ||
      managed.includes(lower)
    ) {
      throw new TypeError(
        `Cannot set the header: "${name}" belongs to the handshake`,
      );
    }
  }
}

const MANAGED_HEADERS: readonly string[] = [
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
];

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
