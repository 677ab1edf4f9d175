/**
 * Text that a peer chose, in messages of our own.
 *
 * @module
 */

/** Most characters of it that a message takes. */
const MAX_LENGTH = 200;

/** What breaks a line, hides text or drives a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Makes text fit for a message that may end up in a log or on a terminal:
 * control characters are escaped, and its length is bounded.
 *
 * @param text Anything.
 * @param maxLength Most characters of it, and of what comes out, that are kept.
 * @returns At most one character more than `maxLength`, which is 200 by default.
 */
export function printable(
  text: string,
  maxLength: number = MAX_LENGTH,
): string {
  const shown = text.slice(0, maxLength).replace(
    UNPRINTABLE,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  const isWhole = text.length <= maxLength && shown.length <= maxLength;
  return isWhole ? shown : `${shown.slice(0, maxLength)}…`;
}
