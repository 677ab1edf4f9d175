/**
 * Header fields: tokens, values, token lists, and a list of fields (RFC 9110,
 * section 5).
 *
 * Every scanner here visits each character once, whatever a peer sends.
 *
 * @module
 */

/** Header fields in order, as `[name, value]`. A web `Headers` is one, too. */
export type HeaderFields = Iterable<readonly [name: string, value: string]>;

const HTAB = 0x09;
const SPACE = 0x20;
const DEL = 0x7f;

/** 1 for each character of a token (RFC 9110, section 5.6.2). */
const TOKEN_CODES = new Uint8Array(256);
for (
  const character of "!#$%&'*+-.^_`|~0123456789" +
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
) TOKEN_CODES[character.charCodeAt(0)] = 1;

/**
 * Whether `code` may stand in a token (RFC 9110, section 5.6.2).
 *
 * @param code A byte or a UTF-16 code unit.
 */
export function isTokenCode(code: number): boolean {
  return TOKEN_CODES[code] === 1;
}

/** Whether `text` is a token: a method, a header name, a subprotocol. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (!isTokenCode(text.charCodeAt(at))) return false;
  }
  return text.length > 0;
}

/**
 * Whether `text` may be sent as a header value.
 *
 * It may not hold CR, LF, NUL or another control character except HTAB, nor
 * anything beyond Latin-1 (RFC 9110, section 5.5).
 */
export function isHeaderValue(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < SPACE ? code !== HTAB : code === DEL || code > 0xff) {
      return false;
    }
  }
  return true;
}

/**
 * Renders one header line, with its CRLF.
 *
 * @throws {TypeError} If the name or the value may not be sent.
 */
export function formatHeader(name: string, value: string): string {
  if (!isToken(name)) {
    throw new TypeError(
      `Cannot send the header: invalid name ${JSON.stringify(name)}`,
    );
  }
  if (!isHeaderValue(value)) {
    // The value may be a secret, so the message leaves it out.
    throw new TypeError(
      `Cannot send the header: the value of "${name}" has invalid characters`,
    );
  }
  return `${name}: ${value}\r\n`;
}

/** Cuts spaces and tabs from both ends (`OWS`, RFC 9110, section 5.6.3). */
export function trimOws(text: string): string {
  // Not trim(): that also takes U+00A0, which is content in Latin-1.
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Whether `code` is a space or a tab. */
export function isOws(code: number): boolean {
  return code === SPACE || code === HTAB;
}

/** Whether both texts are equal when ASCII letters are compared without case. */
export function equalsIgnoreCase(a: string, b: string): boolean {
  return a.length === b.length && matchesAt(a, 0, b);
}

function matchesAt(text: string, start: number, word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    const code = text.charCodeAt(start + at);
    const other = word.charCodeAt(at);
    if (code !== other && toLower(code) !== toLower(other)) return false;
  }
  return true;
}

function toLower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

/**
 * Whether a comma list such as that of `Connection` has the element `token`,
 * in any case (RFC 9110, section 5.6.1).
 *
 * @param values The header's lines.
 * @param token Element to look for.
 */
export function hasToken(values: readonly string[], token: string): boolean {
  for (const value of values) {
    // Most often it stands alone.
    if (equalsIgnoreCase(value, token)) return true;
    for (const element of value.split(",")) {
      if (equalsIgnoreCase(trimOws(element), token)) return true;
    }
  }
  return false;
}

/**
 * Parses a comma list of distinct tokens, such as that of
 * `Sec-WebSocket-Protocol`.
 *
 * Stricter than the list rule of RFC 9110, section 5.6.1: an empty element is
 * an error, since no client has a reason to send one.
 *
 * @param values The header's lines.
 * @returns The tokens in order, or `undefined` if an element is empty, is not
 * a token, or is there twice (case counts).
 */
export function parseDistinctTokens(
  values: readonly string[],
): string[] | undefined {
  if (values.length === 0) return [];
  const tokens = new Set<string>();
  for (const value of values) {
    for (const element of value.split(",")) {
      const token = trimOws(element);
      if (!isToken(token) || tokens.has(token)) return undefined;
      tokens.add(token);
    }
  }
  return [...tokens];
}

/**
 * Header fields as they arrived: in order, names in any case.
 *
 * It keeps the text of the fields and, for each, four offsets into it; no string
 * is made before it is asked for.
 *
 * It is iterable, so `new Headers(list)` makes the web's class of it.
 */
export class HeaderList {
  readonly #text: string;
  readonly #offsets: readonly number[];

  /**
   * Wraps a head that was parsed. To make a list of fields, use
   * {@linkcode HeaderList.from}.
   *
   * @param text Text that contains the fields.
   * @param offsets For each field in order: start and end of the name, start
   * and end of the value. Kept, not copied.
   */
  constructor(text: string, offsets: readonly number[]) {
    this.#text = text;
    this.#offsets = offsets;
  }

  /**
   * Makes a list of the text of another one.
   *
   * @param text What {@linkcode HeaderList.text} was; nothing is checked again.
   */
  static parse(text: string): HeaderList {
    return new HeaderList(text, indexOf(text));
  }

  /** The fields as they were sent, which is all that one needs to keep of them. */
  get text(): string {
    const offsets = this.#offsets;
    return this.#text.slice(offsets[0] ?? 0, offsets[offsets.length - 1] ?? 0);
  }

  /**
   * Makes a list of fields.
   *
   * @throws {TypeError} If a name or a value may not be sent.
   */
  static from(fields: HeaderFields): HeaderList {
    let text = "";
    const offsets: number[] = [];
    for (const [name, value] of fields) {
      const start = text.length;
      text += formatHeader(name, value);
      const valueEnd = text.length - 2;
      offsets.push(start, start + name.length);
      offsets.push(valueEnd - value.length, valueEnd);
    }
    return new HeaderList(text, offsets);
  }

  /** Count of fields. */
  get size(): number {
    return this.#offsets.length / 4;
  }

  /** Whether there is a field of this name, in any case. */
  has(name: string): boolean {
    return this.#find(name, 0) >= 0;
  }

  /** Count of fields of this name, in any case. */
  count(name: string): number {
    let count = 0;
    for (let at = -4; (at = this.#find(name, at + 4)) >= 0;) count++;
    return count;
  }

  /**
   * Returns the value of a header, its lines joined with `", "` (RFC 9110,
   * section 5.3), or `undefined` if it is absent.
   *
   * @param name Name in any case.
   */
  get(name: string): string | undefined {
    const first = this.#find(name, 0);
    if (first < 0) return undefined;
    let value = this.#value(first);
    for (let at = first; (at = this.#find(name, at + 4)) >= 0;) {
      value += `, ${this.#value(at)}`;
    }
    return value;
  }

  /**
   * Returns the value of each line of a header, in order.
   *
   * @param name Name in any case.
   */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let at = -4; (at = this.#find(name, at + 4)) >= 0;) {
      values.push(this.#value(at));
    }
    return values;
  }

  /** Yields each field in order, its name in lower case. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    const offsets = this.#offsets;
    for (let at = 0; at < offsets.length; at += 4) {
      const name = this.#text.slice(offsets[at], offsets[at + 1]);
      yield [name.toLowerCase(), this.#value(at)];
    }
  }

  #value(at: number): string {
    return this.#text.slice(this.#offsets[at + 2], this.#offsets[at + 3]);
  }

  /** Index of the first offset of the next field of this name, or -1. */
  #find(name: string, from: number): number {
    const offsets = this.#offsets;
    for (let at = from; at < offsets.length; at += 4) {
      const start = offsets[at]!;
      if (
        offsets[at + 1]! - start === name.length &&
        matchesAt(this.#text, start, name)
      ) return at;
    }
    return -1;
  }
}

/** Finds the fields in a text of well-formed lines, without the last line's end. */
function indexOf(text: string): number[] {
  const offsets: number[] = [];
  for (let start = 0; start < text.length;) {
    const found = text.indexOf("\r\n", start);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(":", start);
    let valueStart = colon + 1;
    while (valueStart < end && isOws(text.charCodeAt(valueStart))) valueStart++;
    let valueEnd = end;
    while (valueEnd > valueStart && isOws(text.charCodeAt(valueEnd - 1))) {
      valueEnd--;
    }
    offsets.push(start, colon, valueStart, valueEnd);
    start = end + 2;
  }
  return offsets;
}
