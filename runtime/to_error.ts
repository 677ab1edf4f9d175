/**
 * What was thrown, as an error.
 *
 * @module
 */

/** An error for whatever was thrown: anything can be. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
