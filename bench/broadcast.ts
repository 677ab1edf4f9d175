/**
 * The broadcast bench: one message to many connections, over and over; how many
 * deliveries a server makes per second.
 *
 * ```sh
 * node bench/broadcast.ts --rounds 5 --seconds 2 --json broadcast.json
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
import type { Cell } from "./run/sample.ts";

/** Connections × broadcasts in flight × bytes. */
const CELLS: readonly string[] = ["1000x1x128", "1000x8x128"];

/** What `--smoke` does instead. */
const SMOKE_CELLS: readonly string[] = ["20x4x16+128+300"];
const SMOKE_LEAST = 1000;

const ROWS: readonly Row[] = [
  row("sockeye-deno", "deno", "sockeye.ts", "deno-native"),
  row("deno-native", "deno", "deno_native.ts", "deno-native"),
  row("sockeye-bun", "bun", "sockeye.ts", "bun-native"),
  row("bun-native", "bun", "bun_native.ts", "bun-native"),
  row("sockeye-node", "node", "sockeye.ts", "ws-node"),
  row("ws-node", "node", "ws.mjs", "ws-node"),
];

function row(
  name: string,
  runtime: RuntimeName,
  file: string,
  baseline: string,
): Row {
  return { name, runtime, file: `broadcast/${file}`, baseline };
}

const HELP = `node bench/broadcast.ts [options]
${COMMON_HELP}
  --cells C,…      only these cells, connections x in flight x bytes
  --text --binary  only this kind of message (both by default)
  --verify         compare contents too: for correctness, not for figures`;

const { values } = parseArgs({
  options: {
    ...COMMON_OPTIONS,
    cells: { type: "string" },
    text: { type: "boolean", default: false },
    binary: { type: "boolean", default: false },
    verify: { type: "boolean", default: false },
  },
});
const options = readCommonOptions(values, ROWS, HELP);
const verify = values.verify || options.smoke;
const pinning = options.smoke ? NO_PINNING : choosePinning();
const names = values.cells?.split(",") ??
  (options.smoke ? SMOKE_CELLS : CELLS);
const cells: readonly Cell[] = (["binary", "text"] as const)
  .filter((kind) => values.text === values.binary || values[kind])
  .flatMap((kind) => names.map((name) => ({ name, kind })));

await runBench(options, {
  name: "broadcast",
  cells,
  tables: {
    deliveriesPerSecond: "Deliveries per second",
    deliveriesPerCpuSecond: "Deliveries per second of the server's processor",
  },
  setting: { pinned: pinning.server.length > 0, load: LOAD_RUNTIME, verify },
  start: (row) => startServer(row, { pin: pinning.server }),
  measure: (server, _row, { name, kind = "binary" }) =>
    runLoad(server, {
      file: "broadcast/load.ts",
      unit: "deliveries",
      values: { cell: name, kind },
      flags: verify ? ["--verify"] : [],
      least: options.smoke ? SMOKE_LEAST : 1,
    }, { ...options, pinning }),
  stop: (server) => server.child.stop(),
});
