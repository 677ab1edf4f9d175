/** The report says what was measured, and is up to date. */
import { readFileSync } from "node:fs";
import { compareAll } from "../../bench/report/comparison.ts";
import { type Bar, makeCharts } from "../../bench/report/chart.ts";
import { fromDeno } from "../../bench/report/deno_bench.ts";
import { packRun, readRuns, unpackRun } from "../../bench/report/figures.ts";
import { formatSections } from "../../bench/report/markdown.ts";
import { fillSections, writeReports } from "../../bench/report/readme.ts";
import type { BenchDocument } from "../../bench/run/document.ts";
import type { Sample } from "../../bench/run/sample.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const ROWS = ["sockeye-deno", "deno-native"].map((name) => ({
  name,
  runtime: "deno" as const,
  file: "",
  baseline: "deno-native",
}));

/** A run of two rounds; figures of ours, then of theirs. */
function run(
  bench: string,
  figures: readonly [ours: number[], theirs: number[]],
  figure = "messagesPerSecond",
): BenchDocument {
  const samples: Sample[] = ROWS.flatMap(({ name }, row) =>
    figures[row]!.map((value, index) => ({
      row: name,
      cell: "16x64x64",
      kind: "binary",
      round: index + 1,
      figures: { [figure]: value, busy: 0.5 },
      network: "libc",
    }))
  );
  return {
    bench,
    subject: "server",
    tables: { [figure]: "Figures" },
    machine: {
      date: "2026-01-02T03:04:05.678Z",
      processor: "a processor",
      cores: 2,
      memoryGiB: 4,
      system: "a system",
      commit: "abc1234",
      versions: { deno: "2.0.0" },
    },
    setting: { rounds: 2, seconds: 1 },
    rows: ROWS,
    cells: [{ name: "16x64x64", kind: "binary" }],
    failures: [],
    skipped: [],
    samples,
  };
}

test("the tables in the READMEs are what the kept figures say", () => {
  for (const { path, current, wanted } of writeReports()) {
    assert(current === wanted, `${path}: run node bench/report.ts`);
  }
});

test("the plots show what the kept figures say", () => {
  for (const { name, spec } of makeCharts(readRuns())) {
    const path = checkoutPath(`bench/plots/${name}.svg`);
    const texts = [...readFileSync(path, "utf8").matchAll(/>([^<]+)<\/text>/g)]
      .map(([, text]) => text);
    const { values } = spec["data"] as { values: readonly Bar[] };
    const why = `${name}.svg is out of date: see bench/README.md`;
    for (const { group } of values) assert(texts.includes(group), why);
    const labels = new Set(values.map(({ label }) => label));
    for (const label of labels) {
      const expected = values.filter((bar) => bar.label === label).length;
      const found = texts.filter((text) => text === label).length;
      assert(found >= expected, `${why}: ${label}`);
    }
  }
});

test("a kept run gives back what was measured, to four digits", () => {
  const document = run("echo", [[123_456, 2], [3, 4]]);
  const kept = JSON.parse(JSON.stringify(packRun(document)));
  const expected = run("echo", [[123_500, 2], [3, 4]]);
  assertEquals(unpackRun(kept), expected);
});

test("a kept run keeps the rounds in which a row was not measured", () => {
  const whole = run("echo", [[1, 2], [3, 4]]);
  const samples = whole.samples.filter(({ round, row }) =>
    round === 2 || row === "deno-native"
  );
  const document = { ...whole, samples };
  assertEquals(unpackRun(packRun(document)), document);
});

test("compareAll() divides medians, and rounds by their own", () => {
  const [comparison] = compareAll(run("echo", [[30, 20], [10, 20]]));
  const { ratio, lowest, highest, own, base } = comparison!;
  assertEquals([ratio, lowest, highest], [25 / 15, 1, 3]);
  assertEquals([own, base], [25, 15]);
});

test("compareAll() turns ratios around where less is better", () => {
  const memory = run("memory", [[10, 10], [20, 5]], "bytesPerConnection");
  const [comparison] = compareAll(memory);
  const { ratio, lowest, highest } = comparison!;
  assertEquals([ratio, lowest, highest], [1.25, 0.5, 2]);
});

test("the table of losses has what is below 0.97, and nothing else", () => {
  const losses = (...runs: readonly BenchDocument[]): string =>
    formatSections(new Map(runs.map((one) => [one.bench, one]))).losses!;
  const level = run("echo", [[97, 97], [100, 100]]);
  assertEquals(losses(level), "Nowhere, in these runs.");
  const slower = run("client", [[96, 97], [100, 100]]);
  const larger = run("memory", [[200], [100]], "bytesPerConnection");
  const lines = losses(level, slower, larger).split("\n");
  assertEquals(lines.length, 4);
  assert(lines[2]!.includes("memory, binary"), "the worst comes first");
  assert(lines[2]!.includes(" 0.50 "));
  assert(lines[3]!.includes(" 0.96–0.97 "));
});

test("fillSections() replaces what was there, and asks for a place", () => {
  const text = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n";
  const filled = "a\n<!-- begin: x -->\n\nnew\n\n<!-- end: x -->\nb\n";
  assertEquals(fillSections(text, { x: "new" }), filled);
  assertEquals(fillSections(filled, { x: "new" }), filled);
  assertThrows(() => fillSections(text, { y: "new" }), Error, "section y");
});

test("makeCharts() draws what was compared, and no chart without bars", () => {
  const echo = run("echo", [[30, 20], [10, 20]]);
  const charts = makeCharts(new Map([["echo", echo]]));
  assertEquals(charts.map(({ name }) => name), ["echo-binary"]);
  assertEquals(charts[0]!.spec["data"], {
    values: [{
      group: "16×64×64",
      runtime: "Deno",
      ratio: 25 / 15,
      lowest: 1,
      highest: 3,
      label: "1.67",
    }],
  });
});

test("fromDeno() makes rows of parts and cells of sizes", () => {
  const bench = (way: string, group: string, p75?: number) => ({
    name: `${way} ${group}`,
    group,
    results: [p75 === undefined ? {} : { ok: { p75 } }],
  });
  const document = fromDeno({
    benches: [
      bench("sockeye", "mask in place, 16 bytes", 10),
      bench("plain", "mask in place, 16 bytes", 15),
      bench("sockeye", "check a response", 30),
      bench("plain", "check a response"),
    ],
  });
  assertEquals(document.failures, ["plain check a response"]);
  assertEquals(document.cells.map(({ name }) => name), ["16", "one call"]);
  assertEquals(
    compareAll(document).map(({ row, ratio }) => [row.name, ratio]),
    [["sockeye mask in place", 1.5]],
  );
});
