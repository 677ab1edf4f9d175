/**
 * Charts of ratios as specifications in Vega-Lite's language. This file knows no
 * library: `bench/plots/draw.mjs` draws them.
 */
import type { BenchDocument } from "../run/document.ts";
import { formatCell } from "../run/table.ts";
import { compareAll, type Comparison, formatRatio } from "./comparison.ts";

/** A chart. */
export interface Chart {
  /** File in `bench/plots/`, without its ending. */
  readonly name: string;
  /** Specification. */
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Greys and colours with a contrast of 3.5 or more on white and on black. */
const TEXT = "#777777";
const GRID = "#77777740";
const COLORS: Readonly<Record<string, string>> = {
  Deno: "#2a8fbd",
  Bun: "#d1632f",
  Node: "#4c9a2a",
};

/** What the axis is marked at, as far as it reaches. */
const TICKS: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100];

const BAR_PX = 13;
const GROUP_GAP_PX = 12;
const WIDTH_PX = 560;
const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";

/** How a cell is called in the chart of several benches, by bench and kind. */
const LABELS: Readonly<Record<string, (cell: string) => string>> = {
  "client dials": (cell) => `dial, ${cell} at once`,
  "connects reset": (cell) => `connect, reset, ${cell} at once`,
  "connects close": (cell) => `connect, close, ${cell} at once`,
  "broadcast binary": (cell) => `broadcast, binary, ${cell}`,
  "broadcast text": (cell) => `broadcast, text, ${cell}`,
  "http ": (cell) => `plain HTTP, ${cell} at once`,
  "memory idle": (cell) => `memory, ${cell} idle`,
};

/** A bar, and what is written beside it. */
export interface Bar {
  /** The cell. */
  readonly group: string;
  /** The runtime. */
  readonly runtime: string;
  /** Where it ends; it begins at 1. */
  readonly ratio: number;
  /** Where the thin line begins. */
  readonly lowest: number;
  /** Where the thin line ends. */
  readonly highest: number;
  /** The ratio as text. */
  readonly label: string;
}

/** All charts that the runs give. */
export function makeCharts(
  runs: ReadonlyMap<string, BenchDocument>,
): readonly Chart[] {
  const all = [...runs.values()].flatMap(compareAll)
    .filter(({ row }) => row.name === `sockeye-${row.runtime}`);
  const messages = ["echo", "client"].flatMap((bench) =>
    ["binary", "text"].map((kind) => {
      const own = all.filter((one) =>
        one.bench === bench && one.cell.kind === kind
      );
      const title = bench === "echo"
        ? `Echo server, ${kind} messages per second`
        : `Client, ${kind} messages per second`;
      const bars = own.map((one) => toBar(one, formatCell(one.cell)));
      return { name: `${bench}-${kind}`, title, bars };
    })
  );
  const others = all.flatMap((one) => {
    const label = LABELS[`${one.bench} ${one.cell.kind ?? ""}`];
    return label === undefined ? [] : [toBar(one, label(formatCell(one.cell)))];
  });
  return [...messages, {
    name: "others",
    title: "Connections, broadcasts, plain HTTP, memory",
    bars: others,
  }].filter(({ bars }) => bars.length > 0)
    .map(({ name, title, bars }) => ({ name, spec: makeSpec(title, bars) }));
}

function toBar(comparison: Comparison, group: string): Bar {
  const { row: { runtime }, ratio, lowest, highest } = comparison;
  return {
    group,
    runtime: runtime.slice(0, 1).toUpperCase() + runtime.slice(1),
    ratio,
    lowest,
    highest,
    label: formatRatio(ratio),
  };
}

/** Bars from the level line, to the right where Sockeye is ahead. */
function makeSpec(title: string, bars: readonly Bar[]): Chart["spec"] {
  const runtimes = Object.keys(COLORS);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: title,
    title: {
      text: title,
      // Vega guesses the width of text, too wide: two short lines.
      subtitle: [
        "as a multiple of what the runtime ships, of ws on Node;",
        "thin lines reach from the lowest round to the highest",
      ],
    },
    width: WIDTH_PX,
    height: { step: BAR_PX, for: "offset" },
    data: { values: bars },
    transform: [
      { calculate: "datum.ratio < 1", as: "behind" },
      { calculate: "datum.behind ? datum.lowest : datum.highest", as: "end" },
    ],
    encoding: {
      y: {
        field: "group",
        type: "nominal",
        sort: null,
        title: null,
        scale: { paddingInner: GROUP_GAP_PX / (runtimes.length * BAR_PX) },
      },
      yOffset: { field: "runtime", sort: runtimes },
      color: {
        field: "runtime",
        type: "nominal",
        scale: { domain: runtimes, range: Object.values(COLORS) },
        legend: { title: null, orient: "top" },
      },
    },
    layer: makeLayers(bars),
    config: CONFIG,
  };
}

/** Bars, the range of each, its label, and the level line on top. */
function makeLayers(bars: readonly Bar[]): readonly unknown[] {
  const lowest = Math.min(0.7, ...bars.map((bar) => bar.lowest)) / 1.25;
  const highest = Math.max(2, ...bars.map((bar) => bar.highest)) * 1.25;
  const domain = [lowest, highest];
  const values = TICKS.filter((tick) => tick >= lowest && tick <= highest);
  const x = {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: { values, title: null, format: "~g" },
  };
  const color = { value: TEXT };
  const labels = [true, false].map((behind) => ({
    transform: [{ filter: `datum.behind === ${behind}` }],
    mark: {
      type: "text",
      align: behind ? "right" : "left",
      dx: behind ? -4 : 4,
      fontSize: 11,
    },
    encoding: { x: { ...x, field: "end" }, text: { field: "label" }, color },
  }));
  return [
    {
      mark: "bar",
      encoding: { x: { ...x, field: "ratio" }, x2: { datum: 1 } },
    },
    {
      mark: "rule",
      encoding: {
        x: { ...x, field: "lowest" },
        x2: { field: "highest" },
        color,
      },
    },
    ...labels,
    {
      data: { values: [{}] },
      mark: { type: "rule", strokeWidth: 1.5 },
      encoding: { x: { ...x, datum: 1 }, y: null, yOffset: null, color },
    },
  ];
}

const CONFIG = {
  background: null,
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: TEXT,
    labelFontSize: 12,
    gridColor: GRID,
    domain: false,
    ticks: false,
    labelLimit: 0,
    labelPadding: 8,
  },
  legend: { labelColor: TEXT, labelFontSize: 12 },
  title: {
    color: TEXT,
    subtitleColor: TEXT,
    anchor: "start",
    frame: "bounds",
    fontSize: 14,
    subtitleFontSize: 12,
    offset: 8,
  },
};
