/**
 * Draws the plots of the published figures: an SVG for each chart.
 *
 * ```sh
 * npm install --prefix bench/plots && npx node bench/plots/draw.mjs
 * ```
 */
import { writeFileSync } from "node:fs";
import { parse, View } from "vega";
import { compile } from "vega-lite";
import { makeCharts } from "../report/chart.ts";
import { readRuns } from "../report/figures.ts";

for (const { name, spec } of makeCharts(readRuns())) {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  writeFileSync(new URL(`${name}.svg`, import.meta.url), `${svg}\n`);
  console.log(`${name}.svg`);
}
