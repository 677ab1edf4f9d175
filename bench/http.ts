/**
 * The HTTP bench: plain requests that a site leaves to its root, against the
 * runtime's own server with the same answer.
 *
 * ```sh
 * node bench/http.ts --rounds 5 --seconds 2 --json http.json
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { runBench } from "./run/bench.ts";
import { startServer } from "./run/child.ts";
import { choosePinning, NO_PINNING } from "./run/cores.ts";
import { LOAD_RUNTIME, runLoad } from "./run/load.ts";
import {
  COMMON_HELP,
  COMMON_OPTIONS,
  readCommonOptions,
} from "./run/options.ts";
import type { Row } from "./run/rows.ts";
import type { RuntimeName } from "./run/runtimes.ts";

/** Connections, each with one request at a time. */
const CELLS: readonly string[] = ["1", "50"];

/** What `--smoke` does instead. */
const SMOKE_CELLS: readonly string[] = ["4"];
const SMOKE_LEAST = 50;

const ROWS: readonly Row[] = [
  row("sockeye-deno", "deno", "sockeye.ts", "deno-native"),
  row("deno-native", "deno", "deno_native.ts", "deno-native"),
  row("sockeye-bun", "bun", "sockeye.ts", "bun-native"),
  row("bun-native", "bun", "bun_native.ts", "bun-native"),
  row("sockeye-node", "node", "sockeye.ts", "node-native"),
  row("node-native", "node", "node_native.ts", "node-native"),
];

function row(
  name: string,
  runtime: RuntimeName,
  file: string,
  baseline: string,
): Row {
  return { name, runtime, file: `http/${file}`, baseline };
}

const HELP = `node bench/http.ts [options]
${COMMON_HELP}
  --cells N,…      only so many connections`;

const { values } = parseArgs({
  options: { ...COMMON_OPTIONS, cells: { type: "string" } },
});
const options = readCommonOptions(values, ROWS, HELP);
const pinning = options.smoke ? NO_PINNING : choosePinning();
const names = values.cells?.split(",") ??
  (options.smoke ? SMOKE_CELLS : CELLS);

await runBench(options, {
  name: "http",
  cells: names.map((name) => ({ name })),
  tables: {
    responsesPerSecond: "Responses per second",
    responsesPerCpuSecond: "Responses per second of the server's processor",
  },
  setting: { pinned: pinning.server.length > 0, load: LOAD_RUNTIME },
  start: (row) => startServer(row, { pin: pinning.server }),
  measure: (server, _row, { name }) =>
    runLoad(server, {
      file: "http/load.ts",
      unit: "responses",
      values: { connections: name },
      least: options.smoke ? SMOKE_LEAST : 1,
    }, { ...options, pinning }),
  stop: (server) => server.child.stop(),
});
