/**
 * Names for connections, in logs.
 *
 * @module
 */

/** Tells the connections of one process from those of another, most likely. */
const PROCESS_DIGITS = 5;

// Most connections are never named: this costs those nothing.
const names = new WeakMap<object, string>();
let processName = "";
let count = 0;

/**
 * Names a connection: short, and unique in this process. The next one asked for has
 * the next name.
 *
 * @param connection What to name.
 * @returns The same name each time, of digits, letters and a hyphen.
 */
export function nameOf(connection: object): string {
  let name = names.get(connection);
  if (name === undefined) {
    // Not when the module is loaded: some hosts have no randomness then.
    processName ||= randomDigits();
    name = `${processName}-${(++count).toString(36)}`;
    names.set(connection, name);
  }
  return name;
}

function randomDigits(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random.toString(36).padStart(PROCESS_DIGITS, "0")
    .slice(-PROCESS_DIGITS);
}
