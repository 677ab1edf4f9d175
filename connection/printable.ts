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
 * @returns At most 201 characters.
 */
export function printable(text: string): string {
  const shown = text.slice(0, MAX_LENGTH).replace(
    UNPRINTABLE,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  const isWhole = text.length <= MAX_LENGTH && shown.length <= MAX_LENGTH;
  return isWhole ? shown : `${shown.slice(0, MAX_LENGTH)}…`;
}
