/**
 * What header fields are made of: tokens, values, and lists of tokens (RFC 9110,
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
function trimOws(text: string): string {
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

/**
 * Whether a word stands in a text at an index, ASCII letters compared without case.
 *
 * @param text Text that reaches at least to where the word would end.
 * @param start Index of its first character.
 * @param word Word.
 */
export function matchesAt(text: string, start: number, word: string): boolean {
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
