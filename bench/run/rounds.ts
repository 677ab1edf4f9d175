/**
 * Interleaved rounds: a round visits every cell, and in every cell every row,
 * so that rows which are compared run seconds apart.
 */
import { Progress } from "./progress.ts";
import type { Row } from "./rows.ts";
import { findRuntime } from "./runtimes.ts";
import type { Cell, Measurement, Sample } from "./sample.ts";

/** What runs in rounds. `C` is a cell, `S` what is started of a row. */
export interface Plan<C extends Cell, S> {
  /** Rows, in the order of the tables. */
  readonly rows: readonly Row[];
  /** Cells, in the order of the tables. */
  readonly cells: readonly C[];
  /** Number of rounds. */
  readonly rounds: number;
  /** Start all rows of a round at once: quicker, but starting takes the machine. */
  readonly startTogether: boolean;
  /** Whether a row takes part in a cell. Absent: all do. */
  applies?(row: Row, cell: C): boolean;
  /** Starts what is measured of a row, anew for each round. */
  start(row: Row): Promise<S>;
  /** Measures it once. Rejects where it yields nothing. */
  measure(subject: S, row: Row, cell: C): Promise<Measurement>;
  /** Ends it. */
  stop(subject: S): Promise<void>;
}

/** What came of the rounds. */
export interface Outcome {
  /** Every measurement. */
  readonly samples: readonly Sample[];
  /** A line for each row that did not start and each measurement that failed. */
  readonly failures: readonly string[];
  /** A line for each row that was left out, for want of its runtime. */
  readonly skipped: readonly string[];
}

/** Runs all rounds; `onRound` is told what there is after each. */
export async function runRounds<C extends Cell, S>(
  plan: Plan<C, S>,
  onRound: (outcome: Outcome) => void = () => {},
): Promise<Outcome> {
  const runner = new Runner(plan);
  for (let round = 1; round <= plan.rounds; round++) {
    await runner.run(round);
    onRound(runner);
  }
  runner.progress.clear();
  return runner;
}

class Runner<C extends Cell, S> implements Outcome {
  readonly samples: Sample[] = [];
  readonly failures: string[] = [];
  readonly skipped: string[];
  readonly progress: Progress;
  readonly #plan: Plan<C, S>;
  readonly #rows: readonly Row[];

  constructor(plan: Plan<C, S>) {
    this.#plan = plan;
    const missing = plan.rows.filter((row) => !findRuntime(row.runtime));
    this.#rows = plan.rows.filter((row) => !missing.includes(row));
    this.skipped = missing.map(({ name, runtime }) =>
      `${name} (skipped: no ${runtime})`
    );
    const steps = this.#rows.flatMap((row) =>
      plan.cells.filter((cell) => this.#applies(row, cell))
    );
    this.progress = new Progress(plan.rounds * steps.length);
    for (const line of this.skipped) this.progress.note(line);
  }

  async run(round: number): Promise<void> {
    // Each round begins with another row, so that none always follows the same.
    const shift = (round - 1) % Math.max(1, this.#rows.length);
    const rows = [...this.#rows.slice(shift), ...this.#rows.slice(0, shift)];
    const subjects = await this.#start(rows);
    for (const cell of this.#plan.cells) {
      for (const [row, subject] of subjects) {
        if (this.#applies(row, cell)) {
          await this.#measure(subject, row, cell, round);
        }
      }
    }
    await Promise.all(
      [...subjects.values()].map((subject) => this.#plan.stop(subject)),
    );
  }

  #applies(row: Row, cell: C): boolean {
    return this.#plan.applies?.(row, cell) ?? true;
  }

  /** Starts the rows; one that does not start is left out, and said. */
  async #start(rows: readonly Row[]): Promise<Map<Row, S>> {
    const subjects = new Map<Row, S>();
    const start = async (row: Row): Promise<void> => {
      try {
        subjects.set(row, await this.#plan.start(row));
      } catch (error) {
        this.#fail(`${row.name} does not start`, error);
      }
    };
    if (this.#plan.startTogether) await Promise.all(rows.map(start));
    else for (const row of rows) await start(row);
    return subjects;
  }

  async #measure(subject: S, row: Row, cell: C, round: number): Promise<void> {
    const { name, kind } = cell;
    const title = kind === undefined ? name : `${kind} ${name}`;
    this.progress.begin(
      `round ${round}/${this.#plan.rounds} ${title}`,
      row.name,
    );
    try {
      const measurement = await this.#plan.measure(subject, row, cell);
      this.samples.push({
        row: row.name,
        cell: name,
        ...(kind === undefined ? {} : { kind }),
        round,
        ...measurement,
      });
    } catch (error) {
      this.#fail(`${row.name}, ${title}`, error);
    }
    this.progress.end();
  }

  #fail(what: string, error: unknown): void {
    const line = `${what}: ${error instanceof Error ? error.message : error}`;
    this.failures.push(line);
    this.progress.note(line);
  }
}
