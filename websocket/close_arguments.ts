/**
 * What a `WebSocket` and a `WebSocketStream` may say when they close.
 *
 * @module
 */

import { type Connection, SocketConnection } from "../connection.ts";

const MAX_REASON_BYTES = 123;

/** Checked arguments of a close; without a code the Close frame is empty. */
export interface CloseArguments {
  /** Close code: 1000, or 3000 to 4999. */
  readonly code: number | undefined;
  /** Reason, at most 123 bytes of UTF-8. */
  readonly reason: string;
}

/**
 * Checks a close code and a reason.
 *
 * @param code As given; clamped to 16 bits, as `[Clamp] unsigned short` says.
 * @param reason As given; a lone surrogate in it becomes U+FFFD.
 * @returns Both; a reason without a code gets 1000.
 * @throws {DOMException} `InvalidAccessError` for a code that a page must not send,
 * `SyntaxError` for a reason that is too long.
 */
export function closeArguments(code: unknown, reason: unknown): CloseArguments {
  const number = code === undefined ? undefined : clampToShort(code);
  const text = reason === undefined ? "" : `${reason}`.toWellFormed();
  if (number !== undefined && !mayBeSent(number)) {
    throw new DOMException(
      `Cannot close: the code is neither 1000 nor from 3000 to 4999: ${number}`,
      "InvalidAccessError",
    );
  }
  // RFC 6455, section 5.5: "All control frames MUST have a payload length of 125
  // bytes or less"; two of them are the code.
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_REASON_BYTES) {
    throw new DOMException(
      `Cannot close: the reason is over 123 bytes: ${bytes}`,
      "SyntaxError",
    );
  }
  if (number === undefined && text !== "") return { code: 1000, reason: text };
  return { code: number, reason: text };
}

/**
 * Starts the closing handshake.
 *
 * @param connection The connection, as `dial` made it.
 * @param how Code and reason. Without a code the Close frame has no body, which
 * `connection.close()` does not offer.
 */
export function startClose(connection: Connection, how: CloseArguments): void {
  if (connection instanceof SocketConnection) {
    connection.link.ending.startClose(how.code, how.reason, "local");
  } else {
    connection.close(how.code, how.reason);
  }
}

function mayBeSent(code: number): boolean {
  return code === 1000 || code >= 3000 && code <= 4999;
}

/** Converts as WebIDL does: rounds to the nearest, of two to the even one. */
function clampToShort(value: unknown): number {
  const number = Math.min(Math.max(+(value as number), 0), 65_535);
  if (Number.isNaN(number)) return 0;
  const floor = Math.floor(number);
  const rest = number - floor;
  if (rest !== 0.5) return Math.round(number);
  return floor % 2 === 0 ? floor : floor + 1;
}
