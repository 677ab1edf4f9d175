/**
 * A bench of rows and cells from its options to its tables: interleaved rounds,
 * every sample in a file, a table of medians for each figure, and an exit code
 * that says whether everything worked.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { describeMachine } from "./machine.ts";
import type { CommonOptions } from "./options.ts";
import { type Outcome, type Plan, runRounds } from "./rounds.ts";
import { type Cell, medianOf } from "./sample.ts";
import { formatTable } from "./table.ts";

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
  const machine = describeMachine(rows);
  console.log(JSON.stringify({ ...machine, ...bench.setting }));
  const plan: Plan<C, S> = { ...bench, rows, rounds, startTogether: smoke };
  const write = ({ samples, failures, skipped }: Outcome): void => {
    if (json === undefined) return;
    const document = {
      bench: bench.name,
      machine,
      setting: { rounds, seconds, warmUpSeconds, ...bench.setting },
      rows,
      cells: bench.cells,
      failures,
      skipped,
      samples,
    };
    writeFileSync(json, `${JSON.stringify(document, null, 1)}\n`);
  };
  const outcome = await runRounds(plan, write);
  if (!smoke) {
    printTables(options, bench, outcome);
    printRemarks(outcome);
  }
  conclude(outcome);
}

function printTables<C extends Cell, S>(
  { rows, rounds }: CommonOptions,
  { cells, tables, subject = "server" }: Bench<C, S>,
  { samples }: Outcome,
): void {
  for (const kind of new Set(cells.map((cell) => cell.kind))) {
    const own = cells.filter((cell) => cell.kind === kind);
    const measured = samples.filter((sample) => sample.kind === kind);
    for (const [figure, title] of Object.entries(tables)) {
      if (medianOf(measured, figure) === undefined) continue;
      const suffix = kind === undefined ? "" : `, ${kind}`;
      console.log(`\n${title}${suffix}, median of ${rounds}\n`);
      console.log(formatTable(samples, rows, { cells: own, figure, subject }));
    }
  }
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
