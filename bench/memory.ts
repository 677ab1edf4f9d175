/**
 * The memory bench: resident bytes of a server process that carries idle
 * connections, or a peer that misbehaves. Linux only.
 *
 * ```sh
 * node bench/memory.ts --connections 10000
 * node bench/memory.ts --never-reads
 * ```
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  readPeakBytes,
  readResidentBytes,
  resetPeak,
} from "./memory/resident.ts";
import { Child, type RunningServer, startServer } from "./run/child.ts";
import { type Row, selectRows } from "./run/rows.ts";
import type { RuntimeName } from "./run/runtimes.ts";
import { alignColumns } from "./run/table.ts";

const HELP = `node bench/memory.ts [mode] [options]
  (no mode)        idle memory per connection
  --kept-messages  growth per connection when each has brought one 5-byte
                   message, and the server keeps it (LC-5)
  --never-reads    growth under a peer that sends and never reads (BP-1)
  --ping-flood     likewise, with pings (CT-2)
  --connections N  10000; with --kept-messages 5000
  --mebibytes N    what the misbehaving peer sends (400)
  --warm           before the misbehaving peer, 3 s of ordinary load, so that
                   the heap has grown to its working size already
  --only ROW,…     only these rows
  --json FILE      write the figures there`;

const ROWS =
  "sockeye-deno,deno-native,sockeye-bun,bun-native,sockeye-node,ws-node";

/** Lets a server's own flag expose its garbage collector. */
const GC_FLAGS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ["--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
  python: [],
};

/** Connections opened before the first reading, so that code is loaded and warm. */
const FIRST_CONNECTIONS = 50;

/** One row's figures, in the order of the table's columns. */
type Figures = Readonly<Record<string, string | number>>;

const { values } = parseArgs({
  options: {
    "kept-messages": { type: "boolean", default: false },
    "never-reads": { type: "boolean", default: false },
    "ping-flood": { type: "boolean", default: false },
    connections: { type: "string" },
    mebibytes: { type: "string", default: "400" },
    warm: { type: "boolean", default: false },
    only: { type: "string", default: ROWS },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resident bytes after a collection, or as they are where none can be had. */
async function settle(
  server: RunningServer,
): Promise<{ bytes: number; forced: boolean }> {
  let forced = false;
  for (let turn = 0; turn < 3; turn++) {
    await sleep(500);
    forced = (await server.child.ask("gc"))["gc"] === true;
  }
  await sleep(200);
  return { bytes: readResidentBytes(server.child.pid), forced };
}

async function measureIdle(
  server: RunningServer,
  connections: number,
): Promise<Figures> {
  const crowd = openCrowd(server);
  try {
    await crowd.ask(`open ${FIRST_CONNECTIONS}`);
    const before = await settle(server);
    const { open } = await crowd.ask(`open ${connections}`);
    const uncollected = readResidentBytes(server.child.pid);
    const after = await settle(server);
    const count = connections - FIRST_CONNECTIONS;
    return {
      open: Number(open),
      "before, MiB": toMebibytes(before.bytes),
      "after, MiB": toMebibytes(after.bytes),
      "bytes each": Math.round((after.bytes - before.bytes) / count),
      "bytes each, not collected": Math.round(
        (uncollected - before.bytes) / count,
      ),
      "forced gc": after.forced ? "yes" : "no",
    };
  } finally {
    await crowd.stop();
  }
}

async function measureKept(
  server: RunningServer,
  connections: number,
): Promise<Figures> {
  const crowd = openCrowd(server);
  try {
    await crowd.ask(`open ${connections}`);
    const before = await settle(server);
    const { open } = await crowd.ask("send");
    const after = await settle(server);
    return {
      open: Number(open),
      "before, MiB": toMebibytes(before.bytes),
      "after, MiB": toMebibytes(after.bytes),
      "growth each, bytes": Math.round(
        (after.bytes - before.bytes) / connections,
      ),
      "forced gc": after.forced ? "yes" : "no",
    };
  } finally {
    await crowd.stop();
  }
}

async function measureSilentPeer(
  server: RunningServer,
  mode: "echo" | "ping",
): Promise<Figures> {
  const { pid } = server.child;
  const crowd = openCrowd(server);
  await crowd.ask("open 5");
  if (values.warm) await warmUp(server);
  const before = await settle(server);
  resetPeak(pid);
  const bytes = Number(values.mebibytes) * 2 ** 20;
  const peer = new Child("node", "bench/memory/silent_peer.ts", {
    args: [String(server.port), String(bytes), mode],
  });
  try {
    const { result, sentBytes } = await peer.read();
    await sleep(1000);
    const peak = readPeakBytes(pid);
    const after = await settle(server);
    return {
      "before, MiB": toMebibytes(before.bytes),
      "peak growth, MiB": toMebibytes(peak - before.bytes),
      "left after gc, MiB": toMebibytes(after.bytes - before.bytes),
      "sent, MiB": toMebibytes(Number(sentBytes)),
      outcome: String(result),
    };
  } finally {
    await Promise.all([peer.stop(), crowd.stop()]);
  }
}

/** Ordinary load of small and of large messages. */
async function warmUp(server: RunningServer): Promise<void> {
  const load = new Child("node", "bench/load.ts", {
    args: [
      ...["--port", String(server.port), "--cell", "16x16x125+65536"],
      ...["--warm-up", "0", "--seconds", "3"],
    ],
  });
  await load.read();
  await load.stop();
}

function openCrowd(server: RunningServer): Child {
  return new Child("node", "bench/memory/crowd.ts", {
    args: [String(server.port)],
  });
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20 * 10) / 10;
}

async function measure(row: Row): Promise<Figures> {
  const keeps = values["kept-messages"];
  const server = await startServer(row, {
    flags: GC_FLAGS[row.runtime],
    args: keeps ? ["--keep"] : [],
  });
  try {
    if (values["never-reads"]) return await measureSilentPeer(server, "echo");
    if (values["ping-flood"]) return await measureSilentPeer(server, "ping");
    const connections = Number(
      values.connections ?? (keeps ? "5000" : "10000"),
    );
    return keeps
      ? await measureKept(server, connections)
      : await measureIdle(server, connections);
  } finally {
    await server.child.stop();
  }
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const results: { row: string; figures: Figures }[] = [];
  for (const row of selectRows(values.only)) {
    process.stderr.write(`${row.name}\n`);
    try {
      results.push({ row: row.name, figures: await measure(row) });
    } catch (error) {
      process.stderr.write(`${row.name} failed: ${String(error)}\n`);
    }
  }
  const columns = Object.keys(results[0]?.figures ?? {});
  console.log(alignColumns([
    ["server", ...columns],
    ["---", ...columns.map(() => "---:")],
    ...results.map(({ row, figures }) => [
      row,
      ...columns.map((column) => String(figures[column] ?? "–")),
    ]),
  ]));
  if (values.json !== undefined) {
    writeFileSync(values.json, JSON.stringify(results, null, 1));
  }
}

await main();
