/** The tables of the published figures, for the places that are marked for them. */
import type { BenchDocument } from "../run/document.ts";
import {
  alignColumns,
  formatCell,
  formatCount,
  formatTables,
} from "../run/table.ts";
import {
  compare,
  compareAll,
  type Comparison,
  formatRatio,
} from "./comparison.ts";

/** Sockeye is level from here on: the rest is noise. */
const LEVEL = 0.97;

/** Benches in the order of the report. */
const ORDER: readonly string[] = [
  "echo",
  "client",
  "connects",
  "broadcast",
  "http",
  "memory",
  "compression",
  "codec",
];

/** What stands in the marked places, by their names. */
export type Sections = Readonly<Record<string, string>>;

/** Runs by the name of their bench. */
export type Runs = ReadonlyMap<string, BenchDocument>;

/** Makes all sections of `bench/README.md`. */
export function formatSections(runs: Runs): Sections {
  const sorted = ORDER.flatMap((name) => runs.get(name) ?? []);
  return {
    runs: formatRuns(sorted),
    losses: formatLosses(sorted),
    ...Object.fromEntries(
      ORDER.map((name) => [name, formatBench(runs.get(name))]),
    ),
  };
}

/** Makes the section of the project's README. */
export function formatSpeed(runs: Runs): Sections {
  const echo = runs.get("echo");
  return { speed: echo === undefined ? "" : formatRatios(echo) };
}

/** Where, when, and on what the runs were made. */
function formatRuns(runs: readonly BenchDocument[]): string {
  const lines = runs.map(({ bench, machine, setting, failures }) => [
    bench,
    machine.date.slice(0, 10),
    machine.commit,
    `${setting["rounds"]} × ${setting["seconds"] || "–"}`,
    String(failures.length),
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    machine.system,
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`).join(", "),
  ]);
  const heading = ["run", "date", "commit", "rounds × s", "failed"];
  return alignColumns(
    [[...heading, "machine", "system", "versions"], ...lines],
    heading.length + 3,
  );
}

function formatBench(run: BenchDocument | undefined): string {
  if (run === undefined) return "Not measured yet.";
  const { failures, skipped } = run;
  const tables = formatTables(run)
    .map(({ title, table }) => `${title}:\n\n${table}`);
  const left = [...failures, ...skipped];
  if (left.length > 0) tables.push(`\`\`\`\n${left.join("\n")}\n\`\`\``);
  return tables.join("\n\n");
}

/** Every place where Sockeye is behind, worst first. */
function formatLosses(runs: readonly BenchDocument[]): string {
  const losses = runs.flatMap((run) =>
    compareAll(run).filter(({ ratio }) => ratio < LEVEL)
      .map((comparison) => ({ run, comparison }))
  ).sort((a, b) => a.comparison.ratio - b.comparison.ratio);
  if (losses.length === 0) return "Nowhere, in these runs.";
  const lines = losses.map(({ run, comparison }) => {
    const { bench, row, cell, ratio, own, base } = comparison;
    return [
      [bench, cell.kind].filter((part) => part !== undefined).join(", "),
      formatCell(cell),
      row.name,
      row.baseline,
      ratio.toFixed(2),
      formatRange(comparison),
      formatPerCpu(run, comparison),
      formatCount(own),
      formatCount(base),
    ];
  });
  const heading = ["run", "cell", "row", "compared with"];
  const figures = ["ratio", "in rounds", "by processor", "ours", "theirs"];
  return alignColumns([[...heading, ...figures], ...lines], heading.length);
}

function formatRange({ lowest, highest }: Comparison): string {
  return `${lowest.toFixed(2)}–${highest.toFixed(2)}`;
}

/** The ratio by what the same took of the processor, where that was measured. */
function formatPerCpu(run: BenchDocument, { row, cell }: Comparison): string {
  const [comparison] = Object.keys(run.tables)
    .filter((figure) => figure.endsWith("PerCpuSecond"))
    .flatMap((figure) => compare(run, row, cell, figure) ?? []);
  return comparison?.ratio.toFixed(2) ?? "–";
}

/** Headings of the columns of ratios, by runtime. */
const RATIO_HEADINGS: Readonly<Record<string, string>> = {
  deno: "Deno",
  bun: "Bun",
  node: "Node, to `ws`",
};

/** Ratios only: a column for each runtime, with the kinds side by side. */
function formatRatios(run: BenchDocument): string {
  const comparisons = compareAll(run);
  const runtimes = [...new Set(comparisons.map(({ row }) => row.runtime))];
  const names = [...new Set(run.cells.map(({ name }) => name))];
  const lines = names.map((name) => [
    formatCell({ name }),
    ...runtimes.map((runtime) =>
      comparisons
        .filter(({ row, cell }) =>
          row.runtime === runtime && cell.name === name
        )
        .map(({ ratio }) => formatRatio(ratio)).join(", ")
    ),
  ]);
  const headings = runtimes.map((runtime) =>
    RATIO_HEADINGS[runtime] ?? runtime
  );
  return alignColumns([
    ["connections × in flight × bytes", ...headings],
    ...lines,
  ]);
}
