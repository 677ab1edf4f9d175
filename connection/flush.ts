/**
 * Messages sent outside a handler's synchronous part, gathered so that those
 * which belong together leave in one write.
 *
 * @module
 */

/** Something with output to write, or that waits to see who takes its input. */
export interface Flushable {
  /** Whether it is on the list. */
  isDirty: boolean;
  /** Writes the output, now that nobody adds to it any more. */
  onQuiet(): void;
}

/**
 * Microtasks to wait after the latest send, 25 to 40 ns each. One turn of a
 * `for await` loop takes three, an asynchronous hook with an `await` or two five:
 * so what answers a chunk of messages leaves in one write, not in one each.
 */
const QUIET_TURNS = 6;

let dirty: Flushable[] = [];
let quietTurns = 0;

/**
 * Flushes a connection before the event loop goes on, once no more is being
 * sent.
 *
 * @param flushable Whose output to write.
 */
export function flushSoon(flushable: Flushable): void {
  quietTurns = 0;
  if (flushable.isDirty) return;
  flushable.isDirty = true;
  if (dirty.push(flushable) === 1) queueMicrotask(turn);
}

function turn(): void {
  if (++quietTurns < QUIET_TURNS) return queueMicrotask(turn);
  const flushables = dirty;
  dirty = [];
  for (const flushable of flushables) {
    flushable.isDirty = false;
    flushable.onQuiet();
  }
}
