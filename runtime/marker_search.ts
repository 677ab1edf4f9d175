/**
 * Finds the response at which a splice is undone.
 *
 * @module
 */

import { concat } from "./concat.ts";

const STATUS_LINE = new TextEncoder().encode("HTTP/1.1 ");
const HEAD_END = new TextEncoder().encode("\r\n\r\n");

/** Looks through what a server sends for the head of one response. */
export class MarkerSearch {
  readonly #nonce: Uint8Array;
  /** What has come since it began. */
  #held: Uint8Array = new Uint8Array(0);

  /** @param nonce Text that occurs in that head, and nowhere else. */
  constructor(nonce: string) {
    this.#nonce = new TextEncoder().encode(nonce);
  }

  /**
   * Looks on.
   *
   * @param chunk What came next.
   * @returns All that came before that response, maybe nothing, as soon as its head
   * is there; `undefined` while it is not.
   */
  receive(chunk: Uint8Array): Uint8Array | undefined {
    const held = this.#held = concat([this.#held, chunk]);
    const nonceAt = indexOf(held, this.#nonce);
    // The whole head, lest a reset cut off what the client is still to get.
    if (nonceAt < 0 || indexOf(held, HEAD_END, nonceAt) < 0) return undefined;
    let start = 0;
    for (let at = 0; at >= 0 && at < nonceAt;) {
      start = at;
      at = indexOf(held, STATUS_LINE, at + 1);
    }
    return held.subarray(0, start);
  }
}

/** Index of `pattern` in `bytes` at or after `from`, or -1. */
function indexOf(bytes: Uint8Array, pattern: Uint8Array, from = 0): number {
  const first = pattern[0]!;
  for (
    let index = bytes.indexOf(first, from);
    index >= 0;
    index = bytes.indexOf(first, index + 1)
  ) {
    if (pattern.every((byte, at) => bytes[index + at] === byte)) return index;
  }
  return -1;
}
