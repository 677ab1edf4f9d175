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

/** Count of characters in a handshake key. */
const KEY_LENGTH = 24;

/** Appended to the key before digesting (RFC 6455, section 1.3). */
const GUID = new TextEncoder().encode("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");

/** Count of characters in the answer to a key. */
export const ACCEPT_LENGTH = 28;

/** Headers that are the handshake's alone, beside `Sec-WebSocket-*`. */
const MANAGED_HEADERS: readonly string[] = [
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
];

const EQUALS = 0x3d;
const BASE64 = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);

// Shared: the answer to a key is computed in one go.
/** A key of the usual length, and the GUID. */
const keyed = new Uint8Array(KEY_LENGTH + GUID.length);
/** A digest of 20 bytes, and a zero, which makes a whole number of base64 groups. */
const digest = new Uint8Array(21);

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
  return btoa(String.fromCharCode(...random));
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
  const bytes = new Uint8Array(ACCEPT_LENGTH);
  writeAccept(handshakeKey, bytes, 0);
  return String.fromCharCode(...bytes);
}

/**
 * Writes the value of `Sec-WebSocket-Accept` into a response.
 *
 * By hand: with a fresh array for each step, `btoa` and strings it took twice as
 * long as SHA-1 itself.
 *
 * @param handshakeKey Value of `Sec-WebSocket-Key`.
 * @param target Where to write {@linkcode ACCEPT_LENGTH} bytes.
 * @param start Index of the first of them.
 */
export function writeAccept(
  handshakeKey: string,
  target: Uint8Array,
  start: number,
): void {
  const { length } = handshakeKey;
  const bytes = length === KEY_LENGTH
    ? keyed
    : new Uint8Array(length + GUID.length);
  for (let index = 0; index < length; index++) {
    bytes[index] = handshakeKey.charCodeAt(index);
  }
  bytes.set(GUID, length);
  sha1(bytes, digest);
  let at = start;
  for (let from = 0; from < digest.length; from += 3) {
    const group = digest[from]! << 16 | digest[from + 1]! << 8 |
      digest[from + 2]!;
    target[at++] = BASE64[group >> 18]!;
    target[at++] = BASE64[group >> 12 & 0x3f]!;
    target[at++] = BASE64[group >> 6 & 0x3f]!;
    target[at++] = BASE64[group & 0x3f]!;
  }
  target[at - 1] = EQUALS;
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
