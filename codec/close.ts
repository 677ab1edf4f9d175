/**
 * Close frames: which codes may travel, and what their payload says
 * (RFC 6455, sections 5.5.1 and 7.4).
 *
 * @module
 */

import type { ProtocolErrorReason } from "./error.ts";
import { Utf8Validator } from "./utf8.ts";

/** Code and reason of a Close frame. */
export interface CloseFrame {
  /** Close code; 1005 where the frame carried none. */
  readonly code: number;
  /** Reason, possibly empty. */
  readonly reason: string;
}

/** Reported where a Close frame carried no code; never sent (section 7.4.1). */
export const NO_STATUS = 1005;

/** Reported where no Close frame arrived; never sent (section 7.4.1). */
export const ABNORMAL_CLOSURE = 1006;

/** Longest reason, in bytes of UTF-8: a control frame less the code. */
export const MAX_REASON_BYTES = 123;

/**
 * Tells whether `code` may travel in a Close frame.
 *
 * RFC 6455, section 7.4.1, says that 1004, 1005, 1006 and 1015 MUST NOT be set;
 * section 7.4.2 leaves 1016 to 2999 to future versions of the protocol, so
 * they have no meaning yet. 1012 to 1014 have since been registered.
 *
 * @param code Any number.
 *
 * @example
 * ```ts
 * import { isSendableCode } from "@sockeye/sockeye/codec";
 * import { strictEqual } from "node:assert";
 *
 * strictEqual(isSendableCode(1000), true);
 * strictEqual(isSendableCode(1006), false);
 * ```
 */
export function isSendableCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 &&
    code !== 1004 && code !== NO_STATUS && code !== ABNORMAL_CLOSURE;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Makes the payload of a Close frame.
 *
 * @param code Close code; absent for an empty payload.
 * @param reason At most 123 bytes of UTF-8.
 * @returns A fresh array that belongs to the caller.
 * @throws {TypeError} If the reason is no string, is not well-formed, or stands
 * without a code.
 * @throws {RangeError} If the code must not be sent, or the reason is too long.
 */
export function encodeClose(code?: number, reason = ""): Uint8Array {
  if (typeof reason !== "string") {
    throw new TypeError("Cannot close: the reason is not a string");
  }
  if (code === undefined) {
    if (reason === "") return new Uint8Array(0);
    throw new TypeError("Cannot close: a reason needs a code");
  }
  if (typeof code !== "number") {
    throw new TypeError("Cannot close: the code is not a number");
  }
  if (!isSendableCode(code)) {
    throw new RangeError(`Cannot close: the code must not be sent: ${code}`);
  }
  if (!reason.isWellFormed()) {
    throw new TypeError("Cannot close: the reason has a lone surrogate");
  }
  const text = encoder.encode(reason);
  // Section 5.5: "All control frames MUST have a payload length of 125 bytes
  // or less".
  if (text.length > MAX_REASON_BYTES) {
    throw new RangeError(
      `Cannot close: the reason is longer than 123 bytes: ${text.length}`,
    );
  }
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  payload.set(text, 2);
  return payload;
}

/**
 * Reads the payload of a Close frame that a peer sent.
 *
 * @param payload Unmasked payload; only read.
 * @returns What it says, or the reason why it is not allowed.
 */
export function decodeClose(
  payload: Uint8Array,
): CloseFrame | ProtocolErrorReason {
  if (payload.length === 0) return { code: NO_STATUS, reason: "" };
  // Section 5.5.1: "the first two bytes of the body MUST be a 2-byte unsigned
  // integer".
  if (payload.length === 1) return "invalid-close-length";
  const code = payload[0]! << 8 | payload[1]!;
  if (!isSendableCode(code)) return "invalid-close-code";
  const validator = new Utf8Validator();
  if (!validator.push(payload, 2, payload.length) || !validator.complete) {
    return "invalid-utf8";
  }
  return { code, reason: decoder.decode(payload.subarray(2)) };
}
