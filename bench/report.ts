/**
 * The report: tables of the published figures in `bench/README.md` and the
 * project's README, made of the runs in `bench/figures/`.
 *
 * ```sh
 * node bench/report.ts --keep echo.json memory.json
 * ```
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { keepRuns } from "./report/figures.ts";
import { writeReports } from "./report/readme.ts";
import { ROOT } from "./run/runtimes.ts";

const HELP = `node bench/report.ts [options] [FILE…]
  --keep FILE…  first keep these runs, which benches wrote with --json, as the
                published ones; each in place of the one of the same bench
  --check       write nothing; fail where a table is not what the figures say`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function main(): void {
  if (values.help) return console.log(HELP);
  if (values.keep !== positionals.length > 0) {
    throw new TypeError("Cannot report: --keep takes the files of runs");
  }
  keepRuns(positionals);
  for (const { path, current, wanted } of writeReports()) {
    if (current === wanted) continue;
    console.log(`${path} ${values.check ? "is out of date" : "is written"}`);
    if (values.check) process.exitCode = 1;
    else writeFileSync(join(ROOT, path), wanted);
  }
}

main();
