/**
 * Which failures may pass by themselves.
 *
 * @module
 */

import { HandshakeError } from "../codec.ts";

/** What makes another attempt worth while: the server may be back by then. */
const RETRYABLE_REASONS: ReadonlySet<string> = new Set([
  "connect-failed",
  "tls-failed",
  "proxy-failed",
  "open-timeout",
  "closed-early",
]);
/** 429 is what a full server answers, with the time to wait. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([
  429,
  500,
  502,
  503,
  504,
]);

/**
 * Tells whether a failure to connect may pass by itself: no route, no listener, no
 * answer in time, TLS that failed, a stream that ended too early, and the statuses
 * 429, 500, 502, 503 and 504. All else is taken for a mistake that stays.
 *
 * @param error What `dial` rejected with.
 */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof HandshakeError)) return false;
  // A proxy that cannot be reached, too, has answered nothing.
  const isAnswer = error.reason === "bad-status" ||
    error.reason === "proxy-failed" && error.status !== undefined;
  if (!isAnswer) return RETRYABLE_REASONS.has(error.reason);
  return RETRYABLE_STATUSES.has(error.status ?? 0);
}
