/**
 * How long a server wants to be left alone.
 *
 * @module
 */

import { HandshakeError } from "../codec.ts";

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
/** The three forms of RFC 9110, section 5.6.7. `Date.parse` takes many more. */
const FORMS: readonly RegExp[] = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
];
const YEARS_AHEAD = 50;

/**
 * Finds how long a server wants to be left alone (RFC 9110, section 10.2.3).
 *
 * @param error What `dial` rejected with.
 * @returns Milliseconds; 0 where it says nothing, or nothing that makes sense.
 */
export function retryAfterMs(error: unknown): number {
  if (!(error instanceof HandshakeError)) return 0;
  const value = error.headers?.get("retry-after") ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const untilMs = parseHttpDate(value);
  if (untilMs === undefined) return 0;
  // Two times of one clock: ours may be wrong.
  const fromMs = parseHttpDate(error.headers?.get("date") ?? "") ?? Date.now();
  return Math.max(0, untilMs - fromMs);
}

/**
 * Reads a date (RFC 9110, section 5.6.7): "A recipient that parses a timestamp
 * value in an HTTP field MUST accept all three HTTP-date formats."
 *
 * @param text Value of a header.
 * @param nowYear The year, which two digits are near to.
 * @returns Milliseconds since 1970; `undefined` for anything else.
 */
export function parseHttpDate(
  text: string,
  nowYear: number = new Date().getUTCFullYear(),
): number | undefined {
  for (const form of FORMS) {
    const { day, month = "", year = "", time } = form.exec(text)?.groups ?? {};
    const number = MONTHS.indexOf(month) / 3 + 1;
    if (time === undefined || !Number.isInteger(number) || number < 1) continue;
    const digits = String(number).padStart(2, "0");
    const date = `${fullYear(year, nowYear)}-${digits}-${
      day!.replace(" ", "0")
    }`;
    // The one form that every runtime reads alike, "as if the asctime-date is UTC".
    const ms = Date.parse(`${date}T${time}Z`);
    return Number.isNaN(ms) ? undefined : ms;
  }
  return undefined;
}

/**
 * RFC 9110, section 5.6.7: a year of two digits "that appears to be more than 50
 * years in the future" means "the most recent year in the past that had the same
 * last two digits".
 */
function fullYear(year: string, nowYear: number): string {
  if (year.length === 4) return year;
  const here = nowYear - nowYear % 100 + Number(year);
  const isAhead = here > nowYear + YEARS_AHEAD;
  return String(isAhead ? here - 100 : here);
}
