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
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { Child, type RunningServer, startServer } from "./run/child.ts";
import { choosePinning } from "./run/cores.ts";
import { formatTable, type Sample } from "./run/report.ts";
import { CELLS, type Row, selectRows } from "./run/rows.ts";
import { findRuntime, readVersion } from "./run/runtimes.ts";

/** What to run; see `readOptions` for the arguments. */
interface RunOptions {
  readonly rows: readonly Row[];
  readonly cells: readonly string[];
  readonly kinds: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly json: string | undefined;
  readonly verify: boolean;
}

const HELP = `node bench/run.ts [options]
  --only ROW,…     only these rows
  --cells C,…      only these cells, connections x in flight x bytes
  --text --binary  only this kind of message (both by default)
  --rounds N       interleaved rounds (5)
  --seconds S      length of each measurement (2)
  --warm-up S      load before each measurement (0.5)
  --verify         compare contents too: for correctness, not for figures
  --json FILE      write every sample there`;

const pinning = choosePinning();

function readOptions(): RunOptions {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      cells: { type: "string" },
      text: { type: "boolean", default: false },
      binary: { type: "boolean", default: false },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      "warm-up": { type: "string", default: "0.5" },
      verify: { type: "boolean", default: false },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const kinds = ["binary", "text"].filter((kind) =>
    values.text === values.binary || values[kind as "text" | "binary"]
  );
  return {
    rows: selectRows(values.only),
    cells: values.cells?.split(",") ?? CELLS,
    kinds,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    json: values.json,
    verify: values.verify,
  };
}

/** Shows what is running; on a terminal, in one line. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else process.stderr.write(`${text}\n`);
}

/** The fastest generator there is here: on Bun, else on Node. */
const LOAD_RUNTIME = findRuntime("bun") === undefined ? "node" : "bun";

/** One measurement of one row. */
async function measure(
  options: RunOptions,
  row: Row,
  server: RunningServer,
  place: Pick<Sample, "cell" | "kind" | "round">,
): Promise<Sample> {
  const values = {
    port: server.port,
    cell: place.cell,
    kind: place.kind,
    seconds: options.seconds,
    "warm-up": options.warmUpSeconds,
    "server-pid": server.child.pid,
  };
  const load = new Child(LOAD_RUNTIME, "bench/load.ts", {
    pin: pinning.load,
    args: [
      ...Object.entries(values).flatMap(([name, value]) => [
        `--${name}`,
        String(value),
      ]),
      ...(row.bare ? ["--masked"] : []),
      ...(options.verify ? ["--verify"] : []),
    ],
  });
  const report = await load.read();
  const messages = Number(report["messages"]);
  const cpu = report["serverCpuSeconds"];
  return {
    row: row.name,
    ...place,
    messagesPerSecond: Number(report["messagesPerSecond"]),
    loadBusy: Number(report["busy"]),
    ...(typeof cpu === "number" && cpu > 0
      ? {
        messagesPerCpuSecond: messages / cpu,
        serverBusy: cpu / Number(report["seconds"]),
      }
      : {}),
  };
}

/** The servers of one round; a row that does not start is left out, and said. */
async function startServers(
  rows: readonly Row[],
): Promise<Map<Row, RunningServer>> {
  const servers = new Map<Row, RunningServer>();
  for (const row of rows) {
    try {
      servers.set(row, await startServer(row, { pin: pinning.server }));
    } catch (error) {
      showProgress(`${row.name} does not start: ${String(error)}`);
      process.stderr.write("\n");
    }
  }
  return servers;
}

async function runRound(
  options: RunOptions,
  round: number,
  samples: Sample[],
): Promise<void> {
  // Each round begins with another row, so that none always follows the same.
  const shift = (round - 1) % options.rows.length;
  const rows = [...options.rows.slice(shift), ...options.rows.slice(0, shift)];
  const servers = await startServers(rows);
  for (const kind of options.kinds) {
    for (const cell of options.cells) {
      for (const [row, server] of servers) {
        const place = { cell, kind, round };
        showProgress(
          `round ${round}/${options.rounds} ${kind} ${cell} ${row.name}`,
        );
        try {
          samples.push(await measure(options, row, server, place));
        } catch (error) {
          showProgress(`${row.name} ${cell} ${kind} failed: ${String(error)}`);
          process.stderr.write("\n");
        }
      }
    }
  }
  await Promise.all([...servers.values()].map(({ child }) => child.stop()));
}

function describeMachine(rows: readonly Row[]): Record<string, unknown> {
  const runtimes = [...new Set(rows.map(({ runtime }) => runtime))];
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    versions: runtimes.map((runtime) => {
      const binary = findRuntime(runtime);
      return binary === undefined
        ? `no ${runtime}`
        : `${runtime}: ${readVersion(runtime, binary)}`;
    }),
    pinned: pinning.server.length > 0,
    load: LOAD_RUNTIME,
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  const { rows, cells, kinds, rounds, seconds } = options;
  const machine = describeMachine(rows);
  console.log(JSON.stringify(machine));
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    await runRound(options, round, samples);
    if (options.json !== undefined) {
      const document = { machine, rounds, seconds, samples };
      writeFileSync(options.json, JSON.stringify(document, null, 1));
    }
  }
  showProgress("");
  for (const kind of kinds) {
    console.log(`\nMessages per second, ${kind}, median of ${rounds}\n`);
    const figure = "messagesPerSecond";
    console.log(formatTable(samples, rows, { cells, kind, figure }));
    console.log(`\nMessages per second of the server's processor, ${kind}\n`);
    console.log(formatTable(samples, rows, {
      cells,
      kind,
      figure: "messagesPerCpuSecond",
    }));
  }
}

await main();
