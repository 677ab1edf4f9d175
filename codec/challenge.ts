/**
 * The challenges in `WWW-Authenticate` and `Proxy-Authenticate` (RFC 9110,
 * section 11).
 *
 * Every character is visited at most twice, whatever a peer sends.
 *
 * @module
 */

import { isOws } from "./header.ts";
import { ValueScanner } from "./value_scanner.ts";

/** What a server or a proxy wants to see before it goes on. */
export interface Challenge {
  /** Scheme in lower case, such as `basic`, `digest` or `bearer`. */
  readonly scheme: string;
  /** What follows the scheme of those that have no parameters, such as `negotiate`. */
  readonly token68: string | undefined;
  /**
   * Parameters by their name in lower case, quotes and backslashes taken off.
   * One character stands for each byte.
   */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Parses the lines of `WWW-Authenticate` or `Proxy-Authenticate`.
 *
 * A line that is malformed counts as absent, whole: half a challenge could be
 * taken for another one.
 *
 * @param values The header's lines.
 * @returns The challenges in order, maybe none.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap((value) => parseLine(value) ?? []);
}

/**
 * Renders a quoted string (RFC 9110, section 5.6.4).
 *
 * @param text What it stands for; nothing is checked.
 */
export function formatQuoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

const COMMA = 0x2c;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HTAB = 0x09;
const SPACE = 0x20;
const DEL = 0x7f;

/** A challenge that is being read. */
interface Draft extends Challenge {
  token68: string | undefined;
  readonly parameters: Map<string, string>;
}

/**
 * Parses one line. The comma stands between challenges as well as between the
 * parameters of one: what follows the next name tells which it was.
 */
function parseLine(line: string): Challenge[] | undefined {
  const scanner = new Scanner(line);
  const challenges: Draft[] = [];
  while (!scanner.atEnd()) {
    // RFC 9110, section 5.6.1: "A recipient MUST parse and ignore a reasonable
    // number of empty list elements".
    if (scanner.take(COMMA)) continue;
    const name = scanner.takeToken();
    if (name === undefined) return undefined;
    const isRight = scanner.take(EQUALS)
      ? takeParameter(scanner, challenges.at(-1), name)
      : takeFirst(scanner, begin(challenges, name));
    if (!isRight || !scanner.atElementEnd()) return undefined;
  }
  return challenges;
}

function begin(challenges: Draft[], scheme: string): Draft {
  const draft: Draft = {
    scheme: scheme.toLowerCase(),
    token68: undefined,
    parameters: new Map(),
  };
  challenges.push(draft);
  return draft;
}

/** Takes what follows a scheme: nothing, a token68, or the first parameter. */
function takeFirst(scanner: Scanner, draft: Draft): boolean {
  if (scanner.atElementEnd()) return true;
  // Section 11.3: challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
  if (!scanner.isBehindOws()) return false;
  draft.token68 = scanner.takeToken68();
  if (draft.token68 !== undefined) return true;
  const name = scanner.takeToken();
  return name !== undefined && scanner.take(EQUALS) &&
    takeParameter(scanner, draft, name);
}

/** Takes the value of a parameter, whose name and `=` are taken. */
function takeParameter(
  scanner: Scanner,
  draft: Draft | undefined,
  name: string,
): boolean {
  const value = scanner.takeValue();
  if (value === undefined || draft === undefined) return false;
  if (draft.token68 !== undefined) return false;
  // Section 11.2: "each parameter name MUST only occur once per challenge".
  const key = name.toLowerCase();
  if (draft.parameters.has(key)) return false;
  draft.parameters.set(key, value);
  return true;
}

/** Reads a list of challenges. */
class Scanner extends ValueScanner {
  /** Whether the list's next element, or its end, comes next. */
  atElementEnd(): boolean {
    return this.atEnd() || this.code() === COMMA;
  }

  isBehindOws(): boolean {
    return isOws(this.text.charCodeAt(this.at - 1));
  }

  /**
   * Takes a token68 (section 11.2), where it is the whole element; else nothing,
   * since it is the name of a parameter then.
   */
  takeToken68(): string | undefined {
    const start = this.at;
    while (isToken68Code(this.code())) this.at++;
    const isEmpty = this.at === start;
    while (this.code() === EQUALS) this.at++;
    const end = this.at;
    if (!isEmpty && this.atElementEnd()) return this.text.slice(start, end);
    this.at = start;
    return undefined;
  }

  /** Takes a token or a quoted string; the latter may be empty. */
  takeValue(): string | undefined {
    return this.take(QUOTE) ? this.#takeQuoted() : this.takeToken();
  }

  /** Takes the rest of a quoted string (section 5.6.4). */
  #takeQuoted(): string | undefined {
    let value = "";
    for (;;) {
      const start = this.at;
      while (isQuotedText(this.code())) this.at++;
      value += this.text.slice(start, this.at);
      const code = this.code();
      this.at++;
      if (code === QUOTE) return value;
      if (code !== BACKSLASH) return undefined;
      const quoted = this.code();
      if (!isText(quoted)) return undefined;
      value += this.text[this.at++];
    }
  }
}

/** Whether it may stand in a token68, before the `=` that end it. */
function isToken68Code(code: number): boolean {
  return /[\w.~+/-]/.test(String.fromCharCode(code));
}

/** Whether it may stand in a quoted string as it is. */
function isQuotedText(code: number): boolean {
  return isText(code) && code !== QUOTE && code !== BACKSLASH;
}

/** Whether it may stand in a quoted string behind a backslash. */
function isText(code: number): boolean {
  return code === HTAB || (code >= SPACE && code !== DEL && code <= 0xff);
}
