/**
 * The list in `Sec-WebSocket-Extensions` (RFC 6455, section 9.1).
 *
 * Parameters are pairs in an array, never keys of an object: an extension named
 * `__proto__` is a name like any other.
 *
 * @module
 */

import { isToken, isTokenCode } from "./header.ts";
import { ValueScanner } from "./value_scanner.ts";

/** A parameter of an extension; the value is `undefined` where none was given. */
export type ExtensionParameter = readonly [
  name: string,
  value: string | undefined,
];

/** An extension that is offered or agreed on, with its parameters in order. */
export interface Extension {
  /** Registered name, such as `permessage-deflate`. */
  readonly name: string;
  /** Parameters in order. A name may be there twice: the extension judges it. */
  readonly parameters: readonly ExtensionParameter[];
}

/**
 * Parses the lines of `Sec-WebSocket-Extensions`.
 *
 * Empty list elements are skipped, as the list rule of RFC 9110, section
 * 5.6.1, demands; a header without any extension is malformed.
 *
 * @param values The header's lines, not empty.
 * @returns The extensions in order of preference, or `undefined` if the header
 * is malformed.
 */
export function parseExtensions(
  values: readonly string[],
): Extension[] | undefined {
  const scanner = new Scanner(values.join(","));
  const extensions: Extension[] = [];
  while (!scanner.atEnd()) {
    if (scanner.take(COMMA)) continue;
    const extension = parseExtension(scanner);
    if (extension === undefined) return undefined;
    extensions.push(extension);
    if (!scanner.atEnd() && !scanner.take(COMMA)) return undefined;
  }
  return extensions.length > 0 ? extensions : undefined;
}

/**
 * Renders the value of `Sec-WebSocket-Extensions`.
 *
 * @throws {TypeError} If a name or a value is not a token.
 */
export function formatExtensions(extensions: readonly Extension[]): string {
  return extensions.map(({ name, parameters }) => {
    let text = checkToken(name);
    for (const [parameter, value] of parameters) {
      text += `; ${checkToken(parameter)}`;
      if (value !== undefined) text += `=${checkToken(value)}`;
    }
    return text;
  }).join(", ");
}

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function checkToken(text: string): string {
  if (isToken(text)) return text;
  throw new TypeError(
    `Cannot send the extension: ${JSON.stringify(text)} is not a token`,
  );
}

function parseExtension(scanner: Scanner): Extension | undefined {
  const name = scanner.takeToken();
  if (name === undefined) return undefined;
  const parameters: ExtensionParameter[] = [];
  while (scanner.take(SEMICOLON)) {
    const parameter = scanner.takeToken();
    if (parameter === undefined) return undefined;
    let value: string | undefined;
    if (scanner.take(EQUALS)) {
      value = scanner.takeValue();
      if (value === undefined) return undefined;
    }
    parameters.push([parameter, value]);
  }
  return { name, parameters };
}

/** Reads a list of extensions; never goes back. */
class Scanner extends ValueScanner {
  takeValue(): string | undefined {
    return this.take(QUOTE) ? this.#takeQuoted() : this.takeToken();
  }

  /**
   * Takes the rest of a quoted string.
   *
   * RFC 6455, section 9.1: "the value after quoted-string unescaping MUST
   * conform to the 'token' ABNF."
   */
  #takeQuoted(): string | undefined {
    let value = "";
    for (;;) {
      let code = this.text.charCodeAt(this.at++);
      if (code === QUOTE) return value === "" ? undefined : value;
      if (code === BACKSLASH) code = this.text.charCodeAt(this.at++);
      // Past the end the code is NaN, which is no token code either.
      if (!isTokenCode(code)) return undefined;
      value += String.fromCharCode(code);
    }
  }
}
