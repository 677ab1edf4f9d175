/**
 * Refusing options that cannot have been meant.
 *
 * @module
 */

/**
 * Refuses options that have a key nobody knows, which is most often a typing
 * error that would pass for the default.
 *
 * @param what What the options are for, for the message.
 * @param options Options as given.
 * @param known Names that are allowed.
 * @param within The option that they are the value of, where they are one's.
 * @throws {TypeError} If `options` is no object, or has another key.
 */
export function checkKeys(
  what: string,
  options: unknown,
  known: ReadonlySet<string>,
  within?: string,
): void {
  if (
    typeof options !== "object" || options === null || Array.isArray(options)
  ) {
    const whose = within === undefined ? "the options are" : `${within} is`;
    throw new TypeError(`Cannot ${what}: ${whose} not an object`);
  }
  const prefix = within === undefined ? "" : `${within}.`;
  for (const key of Object.keys(options)) {
    if (known.has(key)) continue;
    throw new TypeError(
      `Cannot ${what}: unknown option: ${prefix}${key}${alike(key, known)}`,
    );
  }
}

/**
 * Finds names that somebody may have meant, who has learnt them elsewhere:
 * `protocols` for `subprotocols`, `servername`, `onMessage`.
 *
 * @param key What was given.
 * @param known Names that are allowed.
 * @returns The end of a message; empty where none is like it.
 */
export function alike(key: string, known: Iterable<string>): string {
  const wanted = key.toLowerCase();
  const names = [...known].filter((name) => {
    const own = name.toLowerCase();
    return wanted.length > 2 && own.includes(wanted) || wanted.includes(own);
  });
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

/**
 * Refuses a number that is not one, or is negative.
 *
 * @param what What the option is for, for the message.
 * @param name Name of the option.
 * @param value Value as given.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative or NaN.
 */
export function checkAmount(what: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${what}: ${name} is not a number`);
  }
  if (!(value >= 0)) {
    throw new RangeError(`Cannot ${what}: ${name} is out of range: ${value}`);
  }
}

/**
 * Refuses an option of another type than it has; one that is absent passes.
 *
 * @param what What the option is for, for the message.
 * @param name Name of the option.
 * @param value Value as given.
 * @param type Its type, as `typeof` tells it.
 * @throws {TypeError} If it is of another one.
 */
export function checkType(
  what: string,
  name: string,
  value: unknown,
  type: "boolean" | "function" | "string",
): void {
  if (value === undefined || typeof value === type) return;
  throw new TypeError(`Cannot ${what}: ${name} is not a ${type}`);
}

/**
 * Refuses a signal that is none; one that is absent passes.
 *
 * @param what What it is for, for the message.
 * @param signal Value as given.
 * @throws {TypeError} If it is something else.
 */
export function checkSignal(what: string, signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError(`Cannot ${what}: signal is not an AbortSignal`);
}
