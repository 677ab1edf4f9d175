/**
 * The figures that are published: runs of the benches in `bench/figures/`, every
 * sample of them, in a form that stays small and readable.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchDocument } from "../run/document.ts";
import { ROOT } from "../run/runtimes.ts";
import { type Sample, samplesOf } from "../run/sample.ts";
import { fromDeno } from "./deno_bench.ts";

const FOLDER = join(ROOT, "bench", "figures");

/** Digits kept of a figure: far more than the noise leaves. */
const DIGITS = 4;

/** What was measured of one row in one cell. */
interface Series extends Omit<Sample, "round" | "figures"> {
  /** A figure's value in each round; `null` where there is none. */
  readonly figures: Readonly<Record<string, readonly (number | null)[]>>;
}

/** A run as it is kept. */
export interface KeptRun extends Omit<BenchDocument, "samples"> {
  /** Every measurement. */
  readonly series: readonly Series[];
}

/** Makes a run small. */
export function packRun(document: BenchDocument): KeptRun {
  const { samples, ...rest } = document;
  const series = rest.cells.flatMap((cell) =>
    rest.rows.flatMap(({ name }) => {
      const own = samplesOf(samples, name, cell);
      const [first] = own;
      if (first === undefined) return [];
      const { round: _round, figures: _figures, ...place } = first;
      return [{ ...place, figures: packFigures(own) }];
    })
  );
  return { ...rest, series };
}

function packFigures(samples: readonly Sample[]): Series["figures"] {
  const rounds = Math.max(...samples.map(({ round }) => round));
  const names = new Set(samples.flatMap(({ figures }) => Object.keys(figures)));
  return Object.fromEntries([...names].map((name) => {
    const values: (number | null)[] = Array(rounds).fill(null);
    for (const { round, figures } of samples) {
      const value = figures[name];
      if (value === undefined) continue;
      values[round - 1] = Number(value.toPrecision(DIGITS));
    }
    return [name, values];
  }));
}

/** The inverse of {@linkcode packRun}, but for the digits. */
export function unpackRun({ series, ...rest }: KeptRun): BenchDocument {
  const samples = series.flatMap(({ figures, ...place }) => {
    const rounds = Math.max(
      ...Object.values(figures).map(({ length }) => length),
    );
    return Array.from({ length: rounds }, (_, index) => ({
      ...place,
      round: index + 1,
      figures: Object.fromEntries(
        Object.entries(figures).flatMap(([name, values]) => {
          const value = values[index];
          return typeof value === "number" ? [[name, value]] : [];
        }),
      ),
    })).filter((sample) => Object.keys(sample.figures).length > 0);
  });
  return { ...rest, samples };
}

/** Keeps runs, each in place of an earlier one of the same bench. */
export function keepRuns(files: readonly string[]): void {
  for (const file of files) {
    const document = JSON.parse(readFileSync(file, "utf8"));
    const run = packRun("benches" in document ? fromDeno(document) : document);
    writeFileSync(join(FOLDER, `${run.bench}.json`), formatRun(run));
  }
}

/** JSON with a line for each row, cell and series. */
function formatRun(run: KeptRun): string {
  const entries = Object.entries(run).map(([name, value]) => {
    const text = Array.isArray(value) && value.length > 0
      ? `[\n  ${value.map((item) => JSON.stringify(item)).join(",\n  ")}\n ]`
      : JSON.stringify(value);
    return ` ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${entries.join(",\n")}\n}\n`;
}

/** The runs that are kept, by bench. */
export function readRuns(): ReadonlyMap<string, BenchDocument> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return new Map(
    files.sort().map((name) => {
      const text = readFileSync(join(FOLDER, name), "utf8");
      const run = unpackRun(JSON.parse(text) as KeptRun);
      return [run.bench, run];
    }),
  );
}
