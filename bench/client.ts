/**
 * The client bench: every client in a process of its own, against one and the
 * same echo server, in interleaved rounds; prints medians and ratios.
 *
 * ```sh
 * node bench/client.ts --rounds 5 --seconds 2 --json client.json
 * ```
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { runBench } from "./run/bench.ts";
import { Child, type RunningServer, startServer } from "./run/child.ts";
import { choosePinning, NO_PINNING } from "./run/cores.ts";
import { figuresOf, formatArguments } from "./run/load.ts";
import {
  COMMON_HELP,
  COMMON_OPTIONS,
  type CommonOptions,
  readCommonOptions,
} from "./run/options.ts";
import type { Row } from "./run/rows.ts";
import { findRuntime, type RuntimeName } from "./run/runtimes.ts";
import type { Cell, Measurement } from "./run/sample.ts";

/** Kinds of cells: what messages consist of, or connections instead of messages. */
const KINDS = ["binary", "text", "dials"] as const;

/** Of each kind: connections × in flight × bytes, or dials at once. */
const CELLS: readonly string[] = [
  "1x1x16",
  "64x1x16",
  "1x64x16",
  "16x64x64",
  "16x1x1024",
  "16x16x16384",
  "8x1x262144",
];
const DIAL_CELLS: readonly string[] = ["1", "16"];

/** What `--smoke` does instead: every form of a frame's length. */
const SMOKE_CELLS: readonly string[] = ["4x4x16+300+70000"];
const SMOKE_DIAL_CELLS: readonly string[] = ["4"];

/** What must return with `--smoke`, whatever time it takes. */
const SMOKE_LEAST = 50;

/** All clients, in the order of the tables. */
const ROWS: readonly Row[] = [
  ...rowsOf("deno", "deno-native"),
  row("deno-native", "deno", "native.ts", "deno-native"),
  ...rowsOf("bun", "bun-native"),
  row("bun-native", "bun", "native.ts", "bun-native"),
  ...rowsOf("node", "ws-node"),
  row("node-native", "node", "native.ts", "ws-node"),
  row("ws-node", "node", "ws.mjs", "ws-node"),
];

function rowsOf(runtime: RuntimeName, baseline: string): readonly Row[] {
  const name = `sockeye-${runtime}`;
  return [
    row(name, runtime, "sockeye.ts", baseline),
    row(`${name}-await`, runtime, "sockeye_await.ts", baseline),
  ];
}

function row(
  name: string,
  runtime: RuntimeName,
  file: string,
  baseline: string,
): Row {
  return { name, runtime, file: `client/${file}`, baseline };
}

/** What to run; see `readOptions` for the arguments. */
interface ClientOptions extends CommonOptions {
  readonly cells: readonly Cell[];
  readonly verify: boolean;
}

const HELP = `node bench/client.ts [options]
${COMMON_HELP}
  --cells C,…      only these cells, connections x in flight x bytes
  --text --binary --dials
                   only messages of this kind, or opening and closing
                   connections (all by default)
  --verify         compare contents too: for correctness, not for figures`;

function readOptions(): ClientOptions {
  const { values } = parseArgs({
    options: {
      ...COMMON_OPTIONS,
      cells: { type: "string" },
      text: { type: "boolean", default: false },
      binary: { type: "boolean", default: false },
      dials: { type: "boolean", default: false },
      verify: { type: "boolean", default: false },
    },
  });
  const common = readCommonOptions(values, ROWS, HELP);
  const { smoke } = common;
  const chosen = KINDS.filter((kind) => values[kind]);
  const kinds = chosen.length === 0 ? KINDS : chosen;
  const names = values.cells?.split(",") ?? (smoke ? SMOKE_CELLS : CELLS);
  const dialNames = smoke ? SMOKE_DIAL_CELLS : DIAL_CELLS;
  return {
    ...common,
    cells: kinds.flatMap((kind) =>
      (kind === "dials" ? dialNames : names).map((name) => ({ name, kind }))
    ),
    verify: values.verify || smoke,
  };
}

const options = readOptions();
const pinning = options.smoke ? NO_PINNING : choosePinning();

/** The cheapest echo that there is here. */
const ECHO: Row = process.platform === "linux" && findRuntime("bun")
  ? row("libc", "bun", "echo.ts", "libc")
  : { ...row("ws-node", "node", "", "ws-node"), file: "servers/ws.mjs" };

/** Runs a client against the server, for one cell. */
async function measure(
  server: RunningServer,
  row: Row,
  cell: Cell,
): Promise<Measurement> {
  const values = {
    port: server.port,
    cell: cell.name,
    kind: cell.kind,
    seconds: options.seconds,
    "warm-up": options.warmUpSeconds,
    least: options.smoke ? SMOKE_LEAST : 1,
    "server-pid": server.child.pid,
  };
  const client = new Child(row.runtime, `bench/${row.file}`, {
    pin: pinning.server,
    args: [
      ...formatArguments(values),
      ...(options.verify ? ["--verify"] : []),
    ],
  });
  const report = await client.read();
  await client.stop();
  const seconds = Number(report["seconds"]);
  return {
    figures: {
      ...figuresOf(cell.kind === "dials" ? "dials" : "messages", {
        count: Number(report["count"]),
        seconds,
        cpuSeconds: Number(report["cpuSeconds"] ?? 0),
      }),
      loadBusy: Number(report["serverCpuSeconds"] ?? 0) / seconds,
    },
  };
}

const server = await startServer(ECHO, { pin: pinning.load });
await runBench(options, {
  name: "client",
  subject: "client",
  cells: options.cells,
  tables: {
    messagesPerSecond: "Messages per second",
    messagesPerCpuSecond: "Messages per second of the client's processor",
    dialsPerSecond: "Connections opened and closed per second",
    dialsPerCpuSecond: "Connections per second of the client's processor",
  },
  setting: {
    pinned: pinning.server.length > 0,
    server: ECHO.name,
    verify: options.verify,
  },
  start: () => Promise.resolve(server),
  measure,
  stop: () => Promise.resolve(),
});
await server.child.stop();
