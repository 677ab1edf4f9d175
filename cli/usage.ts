/**
 * Numbers on the command line, and what is wrong with them.
 *
 * @module
 */

import { printable } from "../connection.ts";

/** The arguments make no sense. */
export class UsageError extends Error {
  /** Class name. */
  override readonly name = "UsageError";
}

/**
 * Reads seconds.
 *
 * @param absent Seconds where the option is not there.
 * @returns Milliseconds.
 */
export function seconds(
  option: string,
  value: string | undefined,
  absent: number,
): number {
  if (value === undefined) return absent * 1_000;
  if (!/^\d{1,6}(\.\d+)?$/.test(value)) {
    throw new UsageError(
      `${option} is no number of seconds: ${printable(value)}`,
    );
  }
  return Number(value) * 1_000;
}

/**
 * Reads a whole number.
 *
 * @param absent The number where the option is not there.
 * @param least The smallest that makes sense.
 */
export function count(
  option: string,
  value: string | undefined,
  absent: number,
  least: number,
): number {
  if (value === undefined) return absent;
  if (!/^\d{1,9}$/.test(value) || Number(value) < least) {
    throw new UsageError(
      `${option} is no whole number from ${least} on: ${printable(value)}`,
    );
  }
  return Number(value);
}
