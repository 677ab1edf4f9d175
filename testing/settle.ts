/**
 * Waiting for everything that needs no time.
 *
 * @module
 */

type Schedule = (callback: () => void) => unknown;

// Taken now, so that clocks which replace the globals do not stop it.
const { setImmediate } = globalThis as { setImmediate?: Schedule };
const { setTimeout } = globalThis;
const nextTurn: Schedule = setImmediate ??
  ((callback) => setTimeout(callback, 0));

/**
 * Waits until everything has happened that is due without the passing of time:
 * bytes in memory have arrived, hooks have been called, promises have settled.
 *
 * It does not wait for what goes on outside the program, such as reading a file.
 *
 * @returns Settles in the next turn of the event loop.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => void nextTurn(() => resolve()));
}
