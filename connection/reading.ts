/**
 * When a link reads, and when it lets the peer's messages wait in the network.
 *
 * @module
 */

import { flushSoon } from "./flush.ts";
import type { Link } from "./link.ts";

/**
 * Pauses or resumes reading, as the queue says.
 *
 * @param link The link.
 * @param isQuiet Whether those who take messages have had their turn.
 */
export function updateReading(link: Link, isQuiet = false): void {
  // Once our Close frame is out, the peer's has to be found: what comes
  // before it over the mark is dropped by the owner.
  const mayPause = link.isOpen && !link.hasPeerEnded;
  let pause = link.isGivenUp ||
    mayPause && (link.isPausedByUser || link.protocol.isFlooded);
  if (!pause && mayPause && link.owner.pump.isFull(link.isPaused)) {
    if (!link.isPaused && !isQuiet && waitsForTaker(link)) return;
    pause = true;
  }
  if (pause !== link.isPaused) link.setPaused(pause);
}

/** A message has been taken from the queue: reads on, if it waited for that. */
export function readOn(link: Link): void {
  if (link.isUndecided) flushSoon(link);
  else if (link.isPaused) updateReading(link);
}

/**
 * Whether to decide later. One who takes messages one by one gets a turn first:
 * else a chunk of many short ones stopped and started reading each time, 4 µs.
 */
function waitsForTaker(link: Link): boolean {
  if (!link.owner.pump.isTaken) return false;
  if (link.isUndecided) return true;
  link.isUndecided = true;
  flushSoon(link);
  return true;
}
