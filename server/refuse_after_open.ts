/**
 * Refusals that web pages can see.
 *
 * @module
 */

import { encodeClose } from "../codec.ts";

/** What {@linkcode refuseAfterOpen} makes. */
export class RefusalAfterOpen {
  /** Close code. */
  readonly code: number;
  /** Close reason. */
  readonly reason: string;

  /**
   * Keeps what to close with, checked already.
   *
   * @param code Close code.
   * @param reason Close reason.
   */
  constructor(code: number, reason: string) {
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Decides to refuse a request in a way that web pages can see: it is accepted, and
 * closed at once.
 *
 * A browser tells a page nothing of an HTTP status; all refusals look like close
 * code 1006. This decision is answered with 101 and a Close frame. No handler is
 * made, and the connection is never listed.
 *
 * Return it from `upgrade`, or throw it.
 *
 * @param code Close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999; those from
 * 4000 are for applications.
 * @param reason At most 123 bytes of UTF-8.
 * @throws {TypeError} If an argument is of the wrong type, or the reason has a lone
 * surrogate.
 * @throws {RangeError} If the code must not be sent, or the reason is too long.
 *
 * @example
 * ```ts
 * import { refuseAfterOpen, Site } from "@sockeye/sockeye";
 *
 * const site = new Site({
 *   upgrade: (_request, { cookies }) =>
 *     cookies.has("session")
 *       ? undefined
 *       : refuseAfterOpen(4401, "log in first"),
 * });
 * ```
 */
export function refuseAfterOpen(code: number, reason = ""): RefusalAfterOpen {
  if (code === undefined) {
    throw new TypeError("Cannot refuse after the opening: there is no code");
  }
  encodeClose(code, reason);
  return new RefusalAfterOpen(code, reason);
}
