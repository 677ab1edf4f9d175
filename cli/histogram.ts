/**
 * Times, counted in steps of two in a hundred.
 *
 * @module
 */

/** Ratio of one step to the one before. */
const RATIO = 1.02;
/** Upper bound of the first step, in milliseconds. */
const FIRST_MS = 0.001;
/** Up to about 100 minutes. */
const STEP_COUNT = 1_138;
const LOG_RATIO: number = Math.log(RATIO);
const BAR_WIDTH = 40;

/** Counts times; its size does not depend on how many. */
export class Histogram {
  readonly #counts: Float64Array = new Float64Array(STEP_COUNT);
  #count = 0;
  #maxMs = 0;

  /** How many times were counted. */
  get count(): number {
    return this.#count;
  }

  /** The longest, in milliseconds; 0 for none. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Counts a time, in milliseconds. */
  add(ms: number): void {
    const step = Math.ceil(Math.log(ms / FIRST_MS) / LOG_RATIO);
    // A clock may stand still: the logarithm of 0 is below every step.
    this.#counts[Math.max(0, Math.min(step, STEP_COUNT - 1))]! += 1;
    this.#count++;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /**
   * The time that so much of them did not exceed, 2 % too long at most.
   *
   * @param share Between 0 and 1.
   * @returns Milliseconds; 0 where nothing was counted.
   */
  percentileMs(share: number): number {
    let missing = Math.max(1, Math.ceil(this.#count * share));
    for (let step = 0; step < STEP_COUNT; step++) {
      missing -= this.#counts[step]!;
      if (missing <= 0) return Math.min(upperMs(step), this.#maxMs);
    }
    return this.#maxMs;
  }

  /** Lines with a bar for each doubling. */
  lines(): string[] {
    const rows = new Map<number, number>();
    this.#counts.forEach((count, step) => {
      const row = Math.ceil(Math.log2(upperMs(step)) - 1e-9);
      rows.set(row, (rows.get(row) ?? 0) + count);
    });
    const filled = [...rows].filter(([, count]) => count > 0);
    const [first = 0, last = -1] = [filled[0]?.[0], filled.at(-1)?.[0]];
    const most = Math.max(...filled.map(([, count]) => count));
    return [...rows].filter(([row]) => row >= first && row <= last)
      .map(([row, count]) => {
        const bar = "#".repeat(Math.ceil(BAR_WIDTH * count / most));
        const label = `<= ${formatMs(2 ** row)}`.padStart(14);
        return `${label} ${String(count).padStart(9)} ${bar}`.trimEnd();
      });
  }
}

/** Writes a time with three digits that count. */
export function formatMs(ms: number): string {
  const places = ms >= 100 ? 0 : ms >= 10 ? 1 : ms >= 1 ? 2 : 3;
  return `${ms.toFixed(places)} ms`;
}

function upperMs(step: number): number {
  return FIRST_MS * RATIO ** step;
}
