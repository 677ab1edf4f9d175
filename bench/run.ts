/**
 * The echo bench: every server in a process of its own, the same load against
 * each in turn, in interleaved rounds; prints medians and ratios.
 *
 * ```sh
 * node bench/run.ts --rounds 5 --seconds 2 --json figures.json
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { parseCell } from "./load/cell.ts";
import type { Kind } from "./load/pattern.ts";
import { runBench } from "./run/bench.ts";
import { type RunningServer, startServer } from "./run/child.ts";
import { choosePinning, NO_PINNING } from "./run/cores.ts";
import { LOAD_RUNTIME, runLoad } from "./run/load.ts";
import {
  COMMON_HELP,
  COMMON_OPTIONS,
  type CommonOptions,
  readCommonOptions,
} from "./run/options.ts";
import { type Row, ROWS } from "./run/rows.ts";
import type { Cell, Measurement } from "./run/sample.ts";

/** Connections × messages in flight on each × payload bytes; see `parseCell`. */
const CELLS: readonly string[] = [
  "1x1x16",
  "64x1x16",
  "1x64x16",
  "16x64x64",
  "16x1x1024",
  "16x16x16384",
  "8x1x262144",
  "16x16xmix",
  "tls:16x16x1024",
];

/** What `--smoke` sends instead: both kinds, every form of a frame's length. */
const SMOKE_CELLS: readonly EchoCell[] = [
  describeCell("4x4x16+300+70000", "binary"),
  describeCell("tls:4x4x16+300+70000", "text"),
];

/** What must return with `--smoke`, whatever time it takes: each message often. */
const SMOKE_MESSAGES = 100;

/** A cell, one kind of message, and whether it is for the server on TLS. */
interface EchoCell extends Cell {
  readonly kind: Kind;
  readonly tls: boolean;
}

function describeCell(name: string, kind: Kind): EchoCell {
  return { name, kind, tls: parseCell(name).tls };
}

/** What to run; see `readOptions` for the arguments. */
interface EchoOptions extends CommonOptions {
  readonly cells: readonly EchoCell[];
  readonly verify: boolean;
}

const HELP = `node bench/run.ts [options]
${COMMON_HELP}
  --cells C,…      only these cells, connections x in flight x bytes: 16x4x100,
                   sizes in turn 16x4x10+20, 16x4xmix, over TLS tls:16x4x100
  --text --binary  only this kind of message (both by default)
  --verify         compare contents too: for correctness, not for figures`;

function readOptions(): EchoOptions {
  const { values } = parseArgs({
    options: {
      ...COMMON_OPTIONS,
      cells: { type: "string" },
      text: { type: "boolean", default: false },
      binary: { type: "boolean", default: false },
      verify: { type: "boolean", default: false },
    },
  });
  const common = readCommonOptions(values, ROWS, HELP);
  const kinds = (["binary", "text"] as const)
    .filter((kind) => values.text === values.binary || values[kind]);
  const names = values.cells?.split(",") ?? CELLS;
  const cells = kinds.flatMap((kind) =>
    names.map((name) => describeCell(name, kind))
  );
  return {
    ...common,
    cells: common.smoke ? SMOKE_CELLS : cells,
    verify: values.verify || common.smoke,
  };
}

const options = readOptions();
const pinning = options.smoke ? NO_PINNING : choosePinning();

/** The servers of a row: one that speaks TLS, one that does not, as needed. */
type Servers = ReadonlyMap<boolean, RunningServer>;

async function startServers(row: Row): Promise<Servers> {
  const servers = new Map<boolean, RunningServer>();
  for (const tls of new Set(options.cells.map((cell) => cell.tls))) {
    const args = tls ? ["--tls"] : [];
    servers.set(tls, await startServer(row, { pin: pinning.server, args }));
  }
  return servers;
}

async function stopServers(servers: Servers): Promise<void> {
  await Promise.all([...servers.values()].map(({ child }) => child.stop()));
}

/** Puts a server under the load of a cell. */
function measure(
  servers: Servers,
  row: Row,
  cell: EchoCell,
): Promise<Measurement> {
  const server = servers.get(cell.tls) as RunningServer;
  return runLoad(server, {
    file: "load.ts",
    unit: "messages",
    values: { cell: cell.name, kind: cell.kind },
    flags: [
      ...(row.bare ? ["--masked"] : []),
      ...(options.verify ? ["--verify"] : []),
    ],
    least: options.smoke ? SMOKE_MESSAGES : 1,
  }, { ...options, pinning });
}

await runBench(options, {
  name: "echo",
  cells: options.cells,
  tables: {
    messagesPerSecond: "Messages per second",
    messagesPerCpuSecond: "Messages per second of the server's processor",
  },
  setting: {
    pinned: pinning.server.length > 0,
    load: LOAD_RUNTIME,
    verify: options.verify,
  },
  start: startServers,
  measure,
  stop: stopServers,
});
