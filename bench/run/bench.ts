/**
 * A bench of rows and cells from its options to its tables: interleaved rounds,
 * every sample in a file, a table of medians for each figure, and an exit code
 * that says whether everything worked.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import type { BenchDocument } from "./document.ts";
import { describeMachine } from "./machine.ts";
import type { CommonOptions } from "./options.ts";
import { type Outcome, type Plan, runRounds } from "./rounds.ts";
import type { Cell } from "./sample.ts";
import { formatTables } from "./table.ts";

/** What a bench consists of, beside its options. */
export interface Bench<C extends Cell, S>
  extends Pick<Plan<C, S>, "applies" | "start" | "measure" | "stop"> {
  /** Name, for the file. */
  readonly name: string;
  /** Columns. */
  readonly cells: readonly C[];
  /** What a row is. Absent: a server. */
  readonly subject?: string;
  /** Figures of a sample that get a table, and the table's title. */
  readonly tables: Readonly<Record<string, string>>;
  /** More to say of the setting, for the file. */
  readonly setting?: Readonly<Record<string, unknown>>;
}

/** Runs a bench, prints its tables, and sets the exit code. */
export async function runBench<C extends Cell, S>(
  options: CommonOptions,
  bench: Bench<C, S>,
): Promise<void> {
  const { rows, rounds, seconds, warmUpSeconds, smoke, json } = options;
  const { name, cells, subject = "server", tables, setting } = bench;
  const machine = describeMachine(rows);
  console.log(JSON.stringify({ ...machine, ...setting }));
  const describe = (outcome: Outcome): BenchDocument => ({
    bench: name,
    subject,
    tables,
    machine,
    setting: { rounds, seconds, warmUpSeconds, ...setting },
    rows,
    cells,
    failures: outcome.failures,
    skipped: outcome.skipped,
    samples: outcome.samples,
  });
  const plan: Plan<C, S> = { ...bench, rows, rounds, startTogether: smoke };
  const outcome = await runRounds(plan, (soFar) => {
    if (json === undefined) return;
    writeFileSync(json, `${JSON.stringify(describe(soFar), null, 1)}\n`);
  });
  if (!smoke) {
    for (const { title, table } of formatTables(describe(outcome))) {
      console.log(`\n${title}, median of ${rounds}\n\n${table}`);
    }
    printRemarks(outcome);
  }
  conclude(outcome);
}

/** What is not a figure: which network the load took, and how things ended. */
function printRemarks({ samples }: Outcome): void {
  const remarks = new Map<string, Set<string>>();
  for (const { network, outcome, row, kind, cell } of samples) {
    const entries = [
      [network && `Load over sockets of ${network}`, cell],
      [outcome && `Ended as ${outcome}`, `${row} (${kind ?? cell})`],
    ] as const;
    for (const [remark, what] of entries) {
      if (!remark) continue;
      remarks.set(remark, (remarks.get(remark) ?? new Set()).add(what));
    }
  }
  for (const [remark, whats] of remarks) {
    console.log(`\n${remark}: ${[...whats].join(", ")}`);
  }
}

/** One line on what came of it; the exit code is 1 where something failed. */
function conclude({ samples, failures, skipped }: Outcome): void {
  const failed = failures.length > 0 || samples.length === 0;
  console.log(
    `\n${samples.length} measurements, ${failures.length} failed, ` +
      `${skipped.length} rows left out`,
  );
  for (const line of failures) console.log(`failed: ${line}`);
  process.exitCode = failed ? 1 : 0;
}
