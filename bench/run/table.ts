/** Markdown tables of medians and ratios. */
import type { BenchDocument } from "./document.ts";
import type { Row } from "./rows.ts";
import { type Cell, medianOf, type Sample, samplesOf } from "./sample.ts";

/** A table, and what it is of. */
export interface TitledTable {
  /** Figure and kind. */
  readonly title: string;
  /** Markdown. */
  readonly table: string;
}

/** All tables of a run: one for each figure of each kind of cells. */
export function formatTables(document: BenchDocument): readonly TitledTable[] {
  const { cells, rows, samples, subject, tables } = document;
  const kinds = [...new Set(cells.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const own = cells.filter((cell) => cell.kind === kind);
    const measured = samples.filter((sample) => sample.kind === kind);
    const there = rows.filter(({ name }) =>
      measured.some(({ row }) => row === name)
    );
    return Object.entries(tables)
      .filter(([figure]) => medianOf(measured, figure) !== undefined)
      .map(([figure, title]) => ({
        title: kind === undefined ? title : `${title}, ${kind}`,
        table: formatTable(samples, there, { cells: own, figure, subject }),
      }));
  });
}

/**
 * A table of one figure, a line for each row and a column for each cell; in
 * brackets the ratio to the baseline row's median; `*` where the load was near
 * its limit and busier than what it measured.
 */
export function formatTable(
  samples: readonly Sample[],
  rows: readonly Row[],
  options: {
    readonly cells: readonly Cell[];
    readonly figure: string;
    /** Heading of the first column. */
    readonly subject: string;
  },
): string {
  const { cells, figure, subject } = options;
  const lines = [
    [subject, ...cells.map(formatCell)],
  ];
  for (const { name, baseline } of rows) {
    const entries = cells.map((cell) => {
      const own = samplesOf(samples, name, cell);
      const value = medianOf(own, figure);
      if (value === undefined) return "–";
      const base = medianOf(samplesOf(samples, baseline, cell), figure);
      const ratio = base === undefined || name === baseline
        ? ""
        : ` (${(value / base).toFixed(2)})`;
      return `${formatCount(value)}${ratio}${isLoadBound(own) ? "*" : ""}`;
    });
    lines.push([name, ...entries]);
  }
  return alignColumns(lines);
}

/** A cell's name with `×` for the `x` of the command line. */
export function formatCell({ name }: Cell): string {
  return name.replaceAll(/(?<=\d)x/g, "×");
}

/** Of samples that say how busy what is measured was, and its other end. */
function isLoadBound(samples: readonly Sample[]): boolean {
  const load = medianOf(samples, "loadBusy") ?? 0;
  const own = medianOf(samples, "busy") ?? 1;
  return load > 0.95 && own < load - 0.05;
}

/** `123`, `3.80k`, `12.5k`, `1,234k`. */
export function formatCount(value: number): string {
  if (value < 1000) return String(Number(value.toPrecision(3)));
  const thousands = value / 1000;
  if (thousands < 10) return `${thousands.toFixed(2)}k`;
  if (thousands < 100) return `${thousands.toFixed(1)}k`;
  return `${Math.round(thousands).toLocaleString("en-US")}k`;
}

/**
 * A Markdown table as `deno fmt` has it. The first line is the heading; columns
 * are aligned to the right, the first `leftColumns` to the left.
 */
export function alignColumns(
  lines: readonly (readonly string[])[],
  leftColumns = 1,
): string {
  const [heading = [], ...body] = lines;
  const widths = heading.map((_, column) =>
    Math.max(3, ...lines.map((line) => line[column]?.length ?? 0))
  );
  const rule = widths.map((width, column) =>
    column < leftColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [heading, rule, ...body].map((line) => {
    const padded = line.map((text, column) =>
      column < leftColumns
        ? text.padEnd(widths[column] ?? 0)
        : text.padStart(widths[column] ?? 0)
    );
    return `| ${padded.join(" | ")} |`;
  }).join("\n");
}
