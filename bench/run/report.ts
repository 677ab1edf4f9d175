/** Medians, ratios, and the tables that show them. */
import type { Row } from "./rows.ts";

/** One measurement. */
export interface Sample {
  /** Row measured. */
  readonly row: string;
  /** Cell measured. */
  readonly cell: string;
  /** `"text"` or `"binary"`. */
  readonly kind: string;
  /** Round, from 1. */
  readonly round: number;
  /** Messages that returned per second. */
  readonly messagesPerSecond: number;
  /** Messages per second of the server's processor time. */
  readonly messagesPerCpuSecond?: number;
  /** Share of the time for which the server used its core. */
  readonly serverBusy?: number;
  /** Share of the time for which the load used its core. */
  readonly loadBusy: number;
}

/** A figure of a sample. */
export type Figure = "messagesPerSecond" | "messagesPerCpuSecond";

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined || sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The median of a figure over all rounds of one place in the table. */
export function medianOf(
  samples: readonly Sample[],
  place: Pick<Sample, "row" | "cell" | "kind">,
  figure: Figure,
): number | undefined {
  return median(
    samples.filter(({ row, cell, kind }) =>
      row === place.row && cell === place.cell && kind === place.kind
    ).map((sample) => sample[figure]).filter((value) => value !== undefined),
  );
}

/**
 * A Markdown table of medians; in brackets the ratio to the baseline row's
 * median; `*` where the load was busier than the server and near its limit.
 */
export function formatTable(
  samples: readonly Sample[],
  rows: readonly Row[],
  options: {
    readonly cells: readonly string[];
    readonly kind: string;
    readonly figure: Figure;
  },
): string {
  const { cells, kind, figure } = options;
  const lines = [
    ["server", ...cells.map((cell) => cell.replaceAll("x", "×"))],
    ["---", ...cells.map(() => "---:")],
  ];
  for (const { name, baseline } of rows) {
    const entries = cells.map((cell) => {
      const value = medianOf(samples, { row: name, cell, kind }, figure);
      if (value === undefined) return "–";
      const base = medianOf(samples, { row: baseline, cell, kind }, figure);
      const ratio = base === undefined || name === baseline
        ? ""
        : ` (${(value / base).toFixed(2)})`;
      const mark = isLoadBound(samples, name, cell, kind) ? "*" : "";
      return `${formatCount(value)}${ratio}${mark}`;
    });
    lines.push([name, ...entries]);
  }
  return alignColumns(lines);
}

function isLoadBound(
  samples: readonly Sample[],
  row: string,
  cell: string,
  kind: string,
): boolean {
  const own = samples.filter((sample) =>
    sample.row === row && sample.cell === cell && sample.kind === kind
  );
  const load = median(own.map(({ loadBusy }) => loadBusy)) ?? 0;
  const server = median(own.map(({ serverBusy }) => serverBusy ?? 1)) ?? 1;
  return load > 0.95 && server < load - 0.05;
}

/** `12.5k`, `1,234k`, `3.80k`. */
function formatCount(value: number): string {
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
