/**
 * The conversation with a proxy, without I/O.
 *
 * @module
 */

import { HandshakeError, type HandshakeErrorOptions } from "../codec.ts";

/** One side of a conversation that ends with a tunnel. It does no I/O. */
export interface Talk {
  /** What to send first. */
  readonly greeting: Uint8Array;
  /** Whether the tunnel stands. */
  readonly isDone: boolean;
  /**
   * Takes what the proxy says.
   *
   * @param chunk Lent.
   * @returns What to send next, if anything.
   * @throws {HandshakeError} If there will be no tunnel.
   */
  receive(chunk: Uint8Array): Uint8Array | undefined;
}

/**
 * Makes the error for whatever a proxy does.
 *
 * @param what What it did, without anything that it sent.
 * @param options Response, and cause.
 */
export function proxyError(
  what: string,
  options?: HandshakeErrorOptions,
): HandshakeError {
  return new HandshakeError("proxy-failed", `The proxy ${what}`, options);
}
