/**
 * How late timers come: who blocks the event loop makes everybody wait.
 *
 * @module
 */

/**
 * Told of a delay.
 *
 * @param lateMs How late the timers of connections came, in milliseconds. The event
 * loop was blocked for that long, or up to a period of theirs longer.
 */
export type DelayListener = (lateMs: number) => void;

/** From here on a delay is worth telling, in milliseconds. */
const NOTABLE_MS = 250;

const listeners = new Set<DelayListener>();
/** When the latest delay that was told had ended. */
let toldMs = 0;

/**
 * Tells a listener whenever the timer of any connection comes late.
 *
 * @returns Stops telling it.
 */
export function watchDelays(listener: DelayListener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * Notes when a timer came.
 *
 * @param dueMs When it was due.
 * @param now When it came.
 */
export function noteArrival(dueMs: number, now: number): void {
  if (now - dueMs < NOTABLE_MS) return;
  // Every timer comes late; the first one tells. A clock may have been put back.
  const isTold = dueMs <= toldMs && now >= toldMs;
  toldMs = now;
  if (isTold) return;
  for (const listener of listeners) listener(now - dueMs);
}
