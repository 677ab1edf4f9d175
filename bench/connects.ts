/**
 * The connects bench: how many connections per second a server takes, opening
 * handshake included, one after another and many at once.
 *
 * ```sh
 * node bench/connects.ts --rounds 5 --seconds 2 --json connects.json
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
import { ROWS } from "./run/rows.ts";
import type { Cell } from "./run/sample.ts";

/** How a connection is ended once it is open. */
const ENDINGS = ["reset", "close"] as const;

/** Connections at once. */
const CELLS: readonly string[] = ["1", "32"];

/** What `--smoke` does instead. */
const SMOKE_CELLS: readonly string[] = ["4"];
const SMOKE_LEAST = 20;

const HELP = `node bench/connects.ts [options]
${COMMON_HELP}
  --cells N,…      only so many connections at once
  --reset --close  only connections that are dropped once they are open, or
                   only ones that are closed by a handshake (both by default)`;

const { values } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    cells: { type: "string" },
    reset: { type: "boolean", default: false },
    close: { type: "boolean", default: false },
  },
});
const options = readCommonOptions(values, ROWS, HELP);
const pinning = options.smoke ? NO_PINNING : choosePinning();
const names = values.cells?.split(",") ??
  (options.smoke ? SMOKE_CELLS : CELLS);
const cells: readonly Cell[] = ENDINGS
  .filter((kind) => values.reset === values.close || values[kind])
  .flatMap((kind) => names.map((name) => ({ name, kind })));

await runBench(options, {
  name: "connects",
  cells,
  tables: {
    connectsPerSecond: "Connections per second",
    connectsPerCpuSecond: "Connections per second of the server's processor",
  },
  setting: { pinned: pinning.server.length > 0, load: LOAD_RUNTIME },
  // A bare echo knows no closing handshake.
  applies: (row, { kind }) => row.bare !== true || kind === "reset",
  start: (row) => startServer(row, { pin: pinning.server }),
  measure: (server, _row, { name, kind = "reset" }) =>
    runLoad(server, {
      file: "connects/load.ts",
      unit: "connects",
      values: { "at-once": name, ending: kind },
      least: options.smoke ? SMOKE_LEAST : 1,
    }, { ...options, pinning }),
  stop: (server) => server.child.stop(),
});
