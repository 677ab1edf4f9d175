/**
 * What WebIDL says of a class of the web platform and a class of JavaScript does
 * not do by itself: members can be enumerated, optional arguments do not count.
 *
 * @module
 */

/** A class to finish. */
export interface Interface {
  /** Its name, which objects show as `[object Name]`. */
  readonly name: string;
  /** Numbers that both the class and its instances have. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Methods with arguments that may be left out, and how many may not. */
  readonly lengths?: Readonly<Record<string, number>>;
  /** Methods that are there for their types: what is inherited does the same. */
  readonly inherited?: readonly string[];
}

/** A class, for what is done to it here. */
type Class = abstract new (...args: never[]) => object;

/**
 * Finishes a class (Web IDL, section 3.7, "Interfaces").
 *
 * @param type The class. It is changed.
 * @param how What there is beside its members.
 */
export function finishInterface(type: Class, how: Interface): void {
  const prototype = type.prototype as Record<string, unknown>;
  for (const name of how.inherited ?? []) delete prototype[name];
  // "enumerable: true", of attributes and operations, but not of the constructor.
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name === "constructor") continue;
    Object.defineProperty(prototype, name, { enumerable: true });
  }
  for (const [name, value] of Object.entries(how.lengths ?? {})) {
    const method = name === "constructor" ? type : prototype[name] as object;
    Object.defineProperty(method, "length", { value });
  }
  for (const [name, value] of Object.entries(how.constants ?? {})) {
    for (const target of [type, prototype]) {
      Object.defineProperty(target, name, { value, enumerable: true });
    }
  }
  Object.defineProperty(prototype, Symbol.toStringTag, {
    value: how.name,
    configurable: true,
  });
}
