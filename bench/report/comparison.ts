/** Sockeye beside what it is compared with. */
import type { BenchDocument } from "../run/document.ts";
import type { Row } from "../run/rows.ts";
import { type Cell, medianOf, samplesOf } from "../run/sample.ts";

/** One row beside its baseline in one cell. */
export interface Comparison {
  /** The bench. */
  readonly bench: string;
  /** The row. */
  readonly row: Row;
  /** The cell. */
  readonly cell: Cell;
  /**
   * How many times as good as the baseline, of the medians: above 1 is better,
   * also where less is better.
   */
  readonly ratio: number;
  /** Lowest ratio of one round. */
  readonly lowest: number;
  /** Highest ratio of one round. */
  readonly highest: number;
  /** The row's median. */
  readonly own: number;
  /** The baseline's median. */
  readonly base: number;
}

/** Whether a figure counts what is used up: all but rates do. */
function isCost(figure: string): boolean {
  return !figure.endsWith("Second");
}

/** The figure that counts in a cell: the first one with a table that it has. */
export function mainFigure(
  document: BenchDocument,
  cell: Cell,
): string | undefined {
  const samples = document.samples.filter((sample) =>
    sample.cell === cell.name && sample.kind === cell.kind
  );
  return Object.keys(document.tables)
    .find((figure) => medianOf(samples, figure) !== undefined);
}

/** Compares a row with its baseline; `undefined` where either was not measured. */
export function compare(
  document: BenchDocument,
  row: Row,
  cell: Cell,
  figure: string,
): Comparison | undefined {
  const { bench, samples } = document;
  const ownSamples = samplesOf(samples, row.name, cell);
  const baseSamples = samplesOf(samples, row.baseline, cell);
  const own = medianOf(ownSamples, figure);
  const base = medianOf(baseSamples, figure);
  if (own === undefined || base === undefined) return undefined;
  const goodness = (value: number, other: number): number =>
    isCost(figure) ? other / value : value / other;
  const ratio = goodness(own, base);
  // What grew by nothing, or shrank, has no ratio.
  if (!(ratio > 0) || !Number.isFinite(ratio)) return undefined;
  const perRound = ownSamples.flatMap(({ round, figures }) => {
    const other = baseSamples.find((sample) => sample.round === round);
    const value = figures[figure];
    const otherValue = other?.figures[figure];
    if (value === undefined || otherValue === undefined) return [];
    return [goodness(value, otherValue)];
  });
  const lowest = Math.min(ratio, ...perRound);
  const highest = Math.max(ratio, ...perRound);
  return { bench, row, cell, ratio, lowest, highest, own, base };
}

/** Sockeye's rows beside theirs, in all cells of a run, by the figure that counts. */
export function compareAll(document: BenchDocument): readonly Comparison[] {
  const rows = document.rows.filter(({ name }) => /^sockeye\b/.test(name));
  return document.cells.flatMap((cell) => {
    const figure = mainFigure(document, cell);
    if (figure === undefined) return [];
    return rows.flatMap((row) => compare(document, row, cell, figure) ?? []);
  });
}

/** `0.97`, `1.23`, `12.3`. */
export function formatRatio(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1);
}
