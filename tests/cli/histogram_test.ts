import { formatMs, Histogram } from "../../cli/histogram.ts";
import { assert, assertEquals, test } from "../harness.ts";

test("percentiles are at most 2 % over those of the sorted times", () => {
  const histogram = new Histogram();
  const times = Array.from({ length: 10_000 }, (_, i) => 0.01 * 1.001 ** i);
  for (const ms of [...times].reverse()) histogram.add(ms);
  for (const share of [0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = times[Math.max(0, Math.ceil(times.length * share) - 1)]!;
    const ms = histogram.percentileMs(share);
    assert(ms >= exact * 0.999999 && ms <= exact * 1.02, `${share}: ${ms}`);
  }
  assertEquals(histogram.count, times.length);
  assertEquals(histogram.maxMs, times.at(-1));
});

test("times beyond the steps are counted in the last ones", () => {
  const histogram = new Histogram();
  histogram.add(0);
  histogram.add(1e12);
  assertEquals(histogram.count, 2);
  assertEquals(histogram.percentileMs(0.5), 0.001);
  assertEquals(histogram.percentileMs(1) <= 1e12, true);
});

test("without a time there are zeros and no lines", () => {
  const histogram = new Histogram();
  assertEquals(histogram.percentileMs(0.5), 0);
  assertEquals(histogram.lines(), []);
});

test("a line for each doubling, also where nothing fell", () => {
  const histogram = new Histogram();
  for (const ms of [0.4, 0.45, 1.9, 1.5, 1.6, 1.7]) histogram.add(ms);
  assertEquals(histogram.lines(), [
    `   <= 0.500 ms         2 ${"#".repeat(20)}`,
    "    <= 1.00 ms         0",
    `    <= 2.00 ms         4 ${"#".repeat(40)}`,
  ]);
});

test("formatMs() keeps three digits", () => {
  assertEquals([0.1234, 1.234, 12.34, 1234].map(formatMs), [
    "0.123 ms",
    "1.23 ms",
    "12.3 ms",
    "1234 ms",
  ]);
});
