/** What a bench writes with `--json`, and what reports are made of. */
import type { Machine } from "./machine.ts";
import type { Row } from "./rows.ts";
import type { Cell, Sample } from "./sample.ts";

/** One run of one bench. */
export interface BenchDocument {
  /** The bench's name. */
  readonly bench: string;
  /** What a row is, such as a server. */
  readonly subject: string;
  /** Figures that get a table, and the table's title; the first one counts. */
  readonly tables: Readonly<Record<string, string>>;
  /** What it ran on. */
  readonly machine: Machine;
  /** How it ran. */
  readonly setting: Readonly<Record<string, unknown>>;
  /** Rows, in the order of the tables. */
  readonly rows: readonly Row[];
  /** Cells, in the order of the tables. */
  readonly cells: readonly Cell[];
  /** A line for each thing that failed. */
  readonly failures: readonly string[];
  /** A line for each row that was left out. */
  readonly skipped: readonly string[];
  /** Every measurement. */
  readonly samples: readonly Sample[];
}
