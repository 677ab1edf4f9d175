/**
 * The compression bench: JSON messages of 200 bytes, compressed both ways, with a
 * context that goes on from message to message where the server keeps one.
 *
 * ```sh
 * node bench/compression.ts --rounds 5 --seconds 2 --json compression.json
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { DEFLATE_ROWS, deflateArguments } from "./compression/rows.ts";
import { runBench } from "./run/bench.ts";
import { startServer } from "./run/child.ts";
import { choosePinning, NO_PINNING } from "./run/cores.ts";
import { LOAD_RUNTIME, runLoad } from "./run/load.ts";
import {
  COMMON_HELP,
  COMMON_OPTIONS,
  readCommonOptions,
} from "./run/options.ts";
import type { Cell } from "./run/sample.ts";

/** Connections × messages in flight on each × bytes, which are always about 200. */
const CELLS: readonly string[] = ["1x1x200", "16x1x200", "16x16x200"];

/** What `--smoke` does instead. */
const SMOKE_CELLS: readonly string[] = ["4x4x200"];
const SMOKE_LEAST = 2_000;

const HELP = `node bench/compression.ts [options]
${COMMON_HELP}
  --cells C,…      only these cells, connections x in flight x 200
  --verify         compare contents too: for correctness, not for figures`;

const { values } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    cells: { type: "string" },
    verify: { type: "boolean", default: false },
  },
});
const options = readCommonOptions(values, DEFLATE_ROWS, HELP);
const verify = values.verify || options.smoke;
const pinning = options.smoke ? NO_PINNING : choosePinning();
const cells: readonly Cell[] = (values.cells?.split(",") ??
  (options.smoke ? SMOKE_CELLS : CELLS)).map((name) => ({ name }));

await runBench(options, {
  name: "compression",
  cells,
  tables: {
    messagesPerSecond: "Messages per second, compressed both ways",
    messagesPerCpuSecond: "Messages per second of the server's processor",
    replyShare: "What a reply takes, as a share of what it says",
  },
  setting: { pinned: pinning.server.length > 0, load: LOAD_RUNTIME },
  start: (row) =>
    startServer(row, { pin: pinning.server, args: deflateArguments(row) }),
  measure: (server, _row, { name }) =>
    runLoad(server, {
      file: "compression/load.ts",
      unit: "messages",
      values: { cell: name },
      flags: verify ? ["--verify"] : [],
      least: options.smoke ? SMOKE_LEAST : 1,
    }, { ...options, pinning }),
  stop: (server) => server.child.stop(),
});
