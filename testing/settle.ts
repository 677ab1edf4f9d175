/**
 * Waiting for everything that needs no time.
 *
 * @module
 */

import { compressionLoaded, isCompressionLoaded } from "../connection.ts";
import { loadRuntime } from "../runtime/transport.ts";

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
 * @returns Settles in one of the next turns of the event loop.
 */
export async function settle(): Promise<void> {
  await turn();
  if (isCompressionLoaded()) return;
  // The first to dial has parts of the library loaded, which a program cannot tell
  // from what needs no time.
  await loadRuntime();
  await compressionLoaded();
  await turn();
}

function turn(): Promise<void> {
  return new Promise((resolve) => void nextTurn(() => resolve()));
}
