/** Markdown tables of medians and ratios. */
import type { Row } from "./rows.ts";
import { type Cell, medianOf, type Sample, samplesOf } from "./sample.ts";

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
    [subject, ...cells.map(({ name }) => name.replaceAll(/(?<=\d)x/g, "×"))],
    ["---", ...cells.map(() => "---:")],
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

/** Of samples that say how busy what is measured was, and its other end. */
function isLoadBound(samples: readonly Sample[]): boolean {
  const load = medianOf(samples, "loadBusy") ?? 0;
  const own = medianOf(samples, "busy") ?? 1;
  return load > 0.95 && own < load - 0.05;
}

/** `123`, `3.80k`, `12.5k`, `1,234k`. */
function formatCount(value: number): string {
  if (value < 1000) return String(Number(value.toPrecision(3)));
  const thousands = value / 1000;
  if (thousands < 10) return `${thousands.toFixed(2)}k`;
  if (thousands < 100) return `${thousands.toFixed(1)}k`;
  return `${Math.round(thousands).toLocaleString("en-US")}k`;
}

/** Lines of a Markdown table with columns of even width. */
export function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  return lines.map((line) => {
    const padded = line.map((text, column) =>
      column === 0
        ? text.padEnd(widths[column] ?? 0)
        : text.padStart(widths[column] ?? 0)
    );
    return `| ${padded.join(" | ")} |`;
  }).join("\n");
}
