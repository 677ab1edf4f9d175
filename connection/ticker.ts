/**
 * One timer for many connections.
 *
 * Keepalive and deadlines are coarse: a connection looks at the clock when it is
 * told to, some times a second at most, instead of having timers of its own.
 *
 * @module
 */

import type { Runtime } from "../runtime/transport.ts";
import { type Clock, currentClock } from "./clock.ts";
import { noteArrival } from "./delays.ts";
import type { ConnectionSettings } from "./options.ts";

/** Something that looks at the clock now and then. */
export interface Ticking {
  /** Where its ticker keeps it, -1 for nowhere. The ticker's to write. */
  place: number;
  /**
   * Acts on what is due.
   *
   * @param nowMs Time on the monotonic clock, in milliseconds.
   */
  tick(nowMs: number): void;
}

/** Longest period: deadlines of seconds need no more. */
const MAX_PERIOD_MS = 1_000;
/** Shortest period. */
const MIN_PERIOD_MS = 5;

/** Calls `tick` of all its members, once a period. */
export class Ticker {
  /** Where it has the time from. */
  readonly clock: Clock = currentClock();
  readonly #periodMs: number;
  readonly #runtime: Runtime;
  // Members know their place, so that none has to be looked for: a set would cost
  // each 33 bytes (Deno, Node) to 64 (Bun).
  readonly #members: Ticking[] = [];
  #timer: unknown;
  #dueMs = 0;

  /**
   * @param periodMs Period, in milliseconds.
   * @param runtime Keeps the timer from keeping the process alive.
   */
  constructor(periodMs: number, runtime: Runtime) {
    this.#periodMs = periodMs;
    this.#runtime = runtime;
  }

  /** Starts to tell a member. */
  add(member: Ticking): void {
    if (member.place >= 0) return;
    member.place = this.#members.push(member) - 1;
    if (this.#timer === undefined) this.#schedule();
  }

  /** Stops telling a member; with the last one the timer stops. */
  delete(member: Ticking): void {
    if (member.place < 0) return;
    const last = this.#members.pop()!;
    if (last !== member) this.#members[last.place = member.place] = last;
    member.place = -1;
    if (this.#members.length > 0) return;
    this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#dueMs = this.#nowMs + this.#periodMs;
    this.#timer = this.clock.setTimeout(
      this.#run,
      this.#periodMs,
      this.#runtime.unrefTimer,
    );
  }

  get #nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }

  /** From the end, since the place of one who leaves goes to the last. */
  #tell(now: number): void {
    const members = this.#members;
    for (let at = members.length - 1; at >= 0; at--) members[at]?.tick(now);
  }

  readonly #run = (): void => {
    const now = this.#nowMs;
    // When the process itself was held up, peers look silent whose bytes wait in
    // the kernel. Those are read before the next turn, which may then judge.
    const wasHeldUp = now - this.#dueMs > 2 * this.#periodMs + 50;
    this.#timer = undefined;
    noteArrival(this.#dueMs, now);
    if (!wasHeldUp) this.#tell(now);
    if (this.#members.length > 0 && this.#timer === undefined) this.#schedule();
  };
}

const tickers = new Map<number, Ticker>();

/**
 * Finds the ticker that is fine enough for some times.
 *
 * @param timesMs Times to be kept, in milliseconds; 0 and `Infinity` do not count.
 * @param runtime The runtime at hand.
 */
export function tickerFor(
  timesMs: readonly number[],
  runtime: Runtime,
): Ticker {
  let shortest = MAX_PERIOD_MS * 8;
  for (const time of timesMs) {
    if (time > 0 && time < shortest) shortest = time;
  }
  // An eighth of the time is the error that one notices no more; rounded to a
  // power of two so that few different periods are in use.
  const period = Math.max(
    MIN_PERIOD_MS,
    Math.min(MAX_PERIOD_MS, 2 ** Math.floor(Math.log2(shortest / 8))),
  );
  let ticker = tickers.get(period);
  if (ticker === undefined || ticker.clock !== currentClock()) {
    ticker = new Ticker(period, runtime);
    tickers.set(period, ticker);
  }
  return ticker;
}

/** The tickers of connections, by the settings that they share. */
const connectionTickers = new WeakMap<ConnectionSettings, Ticker>();

/**
 * Finds the ticker that is fine enough for a connection.
 *
 * @param settings Times of the connection.
 * @param runtime The runtime at hand.
 */
export function connectionTicker(
  settings: ConnectionSettings,
  runtime: Runtime,
): Ticker {
  let ticker = connectionTickers.get(settings);
  if (ticker === undefined || ticker.clock !== currentClock()) {
    const { pingIntervalMs, pingTimeoutMs, closeTimeoutMs } = settings;
    const times = [pingIntervalMs, pingTimeoutMs, closeTimeoutMs];
    ticker = tickerFor(times, runtime);
    connectionTickers.set(settings, ticker);
  }
  return ticker;
}
