/**
 * Header fields as a head has them, in order.
 *
 * @module
 */

import { formatHeader, type HeaderFields, isOws, matchesAt } from "./header.ts";

/**
 * Header fields as they arrived: in order, names in any case.
 *
 * It keeps the text of the fields and, for each, four offsets into it; no string
 * is made before it is asked for.
 *
 * It is iterable, so `new Headers([...list])` makes the web's class of it.
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
