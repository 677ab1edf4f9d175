/** What the benches' tables say is what was measured. */
import { formatTable } from "../../bench/run/table.ts";
import { medianOf, type Sample } from "../../bench/run/sample.ts";
import { assertEquals, test } from "../harness.ts";

function sample(row: string, rate: number, busy = {}): Sample {
  return { row, cell: "16x16xmix", round: 1, figures: { rate, ...busy } };
}

test("medianOf() takes the middle, and only samples that have the figure", () => {
  const samples = [9, 1, 5].map((rate) => sample("a", rate));
  assertEquals(medianOf(samples, "rate"), 5);
  assertEquals(medianOf([...samples, sample("a", 6)], "rate"), 5.5);
  assertEquals(medianOf(samples, "other"), undefined);
});

test("formatTable() gives medians, ratios, gaps, and what the load limited", () => {
  const rows = ["ours", "theirs", "bare", "absent"].map((name) => ({
    name,
    runtime: "node" as const,
    file: "",
    baseline: "theirs",
  }));
  const samples = [
    sample("ours", 1_234_000),
    sample("theirs", 12_340),
    sample("bare", 15_425, { loadBusy: 1, busy: 0.9 }),
  ];
  const cells = [{ name: "16x16xmix" }];
  assertEquals(
    formatTable(samples, rows, { cells, figure: "rate", subject: "server" }),
    "| server |       16×16×mix |\n" +
      "| ------ | --------------: |\n" +
      "| ours   | 1,234k (100.00) |\n" +
      "| theirs |           12.3k |\n" +
      "| bare   |   15.4k (1.25)* |\n" +
      "| absent |               – |",
  );
});
