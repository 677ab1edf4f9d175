/** What `deno bench --json bench/codec` prints, as a run like all others. */
import type { BenchDocument } from "../run/document.ts";
import { describeMachine } from "../run/machine.ts";
import type { Row } from "../run/rows.ts";
import type { Cell, Sample } from "../run/sample.ts";

/** What of that output is read. */
export interface DenoBenchDocument {
  /** Every bench that ran. */
  readonly benches: readonly {
    /** Name: `sockeye` or `plain`, and the group. */
    readonly name: string;
    /** Part and size, see `bench/codec/pair.ts`. */
    readonly group: string;
    /** One result. */
    readonly results: readonly {
      /** Times in nanoseconds; absent where it failed. */
      readonly ok?: { readonly p75: number };
    }[];
  }[];
}

/** The figure, in nanoseconds. */
const FIGURE = "nanosecondsPerCall";

/** The cell of a part that has no size. */
const WHOLE: Cell = { name: "one call", kind: "whole" };

/** Where a bench stands in the tables. */
function placeOf(
  { name, group }: DenoBenchDocument["benches"][number],
): { readonly row: Row; readonly cell: Cell } {
  const [, part = group, size] = /^(.*), (\d+) bytes$/.exec(group) ?? [];
  const [way = ""] = name.split(" ");
  return {
    row: {
      name: `${way} ${part}`,
      runtime: "deno",
      file: "codec",
      baseline: `plain ${part}`,
    },
    cell: size === undefined ? WHOLE : { name: size, kind: "by size" },
  };
}

/** Makes a run of one round. Its machine is the one that this runs on. */
export function fromDeno({ benches }: DenoBenchDocument): BenchDocument {
  const places = benches.map(placeOf);
  const rows = distinct(places.map(({ row }) => row));
  const cells = distinct(places.map(({ cell }) => cell));
  const failures: string[] = [];
  const samples = benches.flatMap(({ name, results }, index): Sample[] => {
    const { row, cell } = places[index]!;
    // Three quarters of the calls were as fast: what else runs delays the rest.
    const value = results[0]?.ok?.p75;
    if (value !== undefined) {
      const place = { row: row.name, cell: cell.name, kind: cell.kind! };
      return [{ ...place, round: 1, figures: { [FIGURE]: value } }];
    }
    failures.push(name);
    return [];
  });
  return {
    bench: "codec",
    subject: "part",
    tables: { [FIGURE]: "Nanoseconds per call" },
    machine: describeMachine(rows),
    setting: { rounds: 1 },
    rows,
    cells,
    failures,
    skipped: [],
    samples,
  };
}

/** The first of each name. */
function distinct<T extends { readonly name: string }>(
  items: readonly T[],
): readonly T[] {
  return [...new Map(items.map((item) => [item.name, item])).values()];
}
