/**
 * The memory bench: resident bytes of a server process that carries idle
 * connections, or a peer that misbehaves. Linux only.
 *
 * ```sh
 * node bench/memory.ts --connections 10000
 * node bench/memory.ts --never-reads --ping-flood
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { BUN_SHARED, deflateArguments } from "./compression/rows.ts";
import {
  readPeakBytes,
  readResidentBytes,
  resetPeak,
} from "./memory/resident.ts";
import { runBench } from "./run/bench.ts";
import { Child, type RunningServer, startServer } from "./run/child.ts";
import {
  COMMON_OPTIONS,
  readCommonOptions,
  readNumber,
} from "./run/options.ts";
import { type Row, ROWS } from "./run/rows.ts";
import type { RuntimeName } from "./run/runtimes.ts";
import type { Cell, Measurement } from "./run/sample.ts";

const HELP = `node bench/memory.ts [options]
  --idle           idle memory per connection: where nothing else is asked for
  --used           memory per connection that has brought one message of 200
                   bytes and got it back
  --compressed     likewise, with that message compressed both ways
  --kept-messages  growth per connection when each has brought one 5-byte
                   message, and the server keeps it (LC-5)
  --never-reads    growth under a peer that sends and never reads (BP-1)
  --ping-flood     likewise, with pings (CT-2)
  --connections N  10000; with --kept-messages 5000
  --mebibytes N    what the misbehaving peer sends (400)
  --warm           before the misbehaving peer, 3 s of ordinary load, so that
                   the heap has grown to its working size already
  --only ROW,…     only these rows
  --rounds N       interleaved rounds (1)
  --json FILE      write the figures there
  --smoke          show in some seconds that every row works`;

/** What is measured, by the option that asks for it. */
const KINDS = [
  "idle",
  "used",
  "compressed",
  "kept-messages",
  "never-reads",
  "ping-flood",
] as const;

/** Lets a server's own flag expose its garbage collector. */
const GC_FLAGS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ["--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
  python: [],
};

/** Connections opened before the first reading, so that code is loaded and warm. */
const FIRST_CONNECTIONS = 50;
/** What `--smoke` opens instead. */
const SMOKE_CONNECTIONS = 200;

const WARM_UP_SECONDS = 3;

const { values } = parseArgs({
  options: {
    only: COMMON_OPTIONS.only,
    json: COMMON_OPTIONS.json,
    smoke: COMMON_OPTIONS.smoke,
    help: COMMON_OPTIONS.help,
    rounds: { type: "string", default: "1" },
    idle: { type: "boolean", default: false },
    used: { type: "boolean", default: false },
    compressed: { type: "boolean", default: false },
    "kept-messages": { type: "boolean", default: false },
    "never-reads": { type: "boolean", default: false },
    "ping-flood": { type: "boolean", default: false },
    connections: { type: "string" },
    mebibytes: { type: "string", default: "400" },
    warm: { type: "boolean", default: false },
  },
});
const options = readCommonOptions(
  {
    ...values,
    seconds: "0",
    "warm-up": values.warm ? String(WARM_UP_SECONDS) : "0",
  },
  [...ROWS.filter(({ bare, extra }) => !bare && !extra), BUN_SHARED]
    .filter(({ runtime }) => runtime !== "python"),
  HELP,
);
const mebibytes = readNumber("mebibytes", values.mebibytes);

/** What a cell's name counts: connections, or mebibytes that a peer sends. */
function amountOf(kind: typeof KINDS[number]): number {
  if (kind === "never-reads" || kind === "ping-flood") return mebibytes;
  if (options.smoke) return SMOKE_CONNECTIONS;
  const usual = kind === "kept-messages" ? "5000" : "10000";
  return readNumber("connections", values.connections ?? usual);
}

const asked = KINDS.filter((kind) => values[kind]);
const chosen = options.smoke && asked.length === 0
  ? ["idle", "used", "compressed", "kept-messages"] as const
  : asked;
const cells: readonly Cell[] =
  (chosen.length === 0 ? ["idle"] as const : chosen)
    .map((kind) => ({ name: String(amountOf(kind)), kind }));

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resident bytes after collections of garbage. */
async function settle({ child }: RunningServer): Promise<number> {
  const [turns, pauseMs] = options.smoke ? [1, 50] : [3, 500];
  for (let turn = 0; turn < turns; turn++) {
    await sleep(pauseMs);
    if ((await child.ask("gc"))["gc"] !== true) {
      throw new Error("Cannot measure: the server cannot collect garbage");
    }
  }
  await sleep(200);
  return readResidentBytes(child.pid);
}

/** Gives the crowd a command; throws unless all its connections are open then. */
async function ask(
  crowd: Child,
  command: string,
  connections: number,
): Promise<void> {
  const { open } = await crowd.ask(command);
  if (open !== connections) {
    throw new Error(`Cannot measure: ${open} of ${connections} are open`);
  }
}

/** Connections that do nothing, or nothing any more once each has `sent` a message. */
async function measureIdle(
  server: RunningServer,
  connections: number,
  sent?: CrowdMessage,
): Promise<Measurement> {
  const crowd = openCrowd(server, sent);
  try {
    await ask(crowd, `open ${FIRST_CONNECTIONS}`, FIRST_CONNECTIONS);
    const before = await settle(server);
    await ask(crowd, `open ${connections}`, connections);
    if (sent !== undefined) await ask(crowd, "send", connections);
    const uncollected = readResidentBytes(server.child.pid);
    const after = await settle(server);
    const count = connections - FIRST_CONNECTIONS;
    return {
      figures: {
        bytesPerConnection: (after - before) / count,
        uncollectedBytesPerConnection: (uncollected - before) / count,
        mebibytesBefore: toMebibytes(before),
      },
    };
  } finally {
    await crowd.stop();
  }
}

async function measureKept(
  server: RunningServer,
  connections: number,
): Promise<Measurement> {
  const crowd = openCrowd(server);
  try {
    await ask(crowd, `open ${connections}`, connections);
    const before = await settle(server);
    await ask(crowd, "send", connections);
    const after = await settle(server);
    return {
      figures: {
        keptBytesPerConnection: (after - before) / connections,
        mebibytesBefore: toMebibytes(before),
      },
    };
  } finally {
    await crowd.stop();
  }
}

async function measureSilentPeer(
  server: RunningServer,
  mode: "echo" | "ping",
): Promise<Measurement> {
  const { pid } = server.child;
  const crowd = openCrowd(server);
  await crowd.ask("open 5");
  if (values.warm) await warmUp(server);
  const before = await settle(server);
  resetPeak(pid);
  const peer = new Child("node", "bench/memory/silent_peer.ts", {
    args: [String(server.port), String(mebibytes * 2 ** 20), mode],
  });
  try {
    const { result, sentBytes } = await peer.read();
    await sleep(1000);
    const peak = readPeakBytes(pid);
    const after = await settle(server);
    return {
      figures: {
        peakGrowthMebibytes: toMebibytes(peak - before),
        leftGrowthMebibytes: toMebibytes(after - before),
        sentMebibytes: toMebibytes(Number(sentBytes)),
        mebibytesBefore: toMebibytes(before),
      },
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
      ...["--warm-up", "0", "--seconds", String(WARM_UP_SECONDS)],
    ],
  });
  await load.read();
  await load.stop();
}

/** What each connection of a crowd sends, see `memory/crowd.ts`. */
type CrowdMessage = "hello" | "trade" | "deflate";

function openCrowd(
  server: RunningServer,
  message: CrowdMessage = "hello",
): Child {
  return new Child("node", "bench/memory/crowd.ts", {
    args: [String(server.port), message],
  });
}

function toMebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}

/** Measures in a process of its own: what was measured before leaves traces. */
async function measure(row: Row, { name, kind }: Cell): Promise<Measurement> {
  const server = await startServer(row, {
    flags: GC_FLAGS[row.runtime],
    args: kind === "kept-messages"
      ? ["--keep"]
      : kind === "compressed"
      ? deflateArguments(row)
      : [],
  });
  try {
    if (kind === "never-reads") return await measureSilentPeer(server, "echo");
    if (kind === "ping-flood") return await measureSilentPeer(server, "ping");
    if (kind === "kept-messages") {
      return await measureKept(server, Number(name));
    }
    const sent = kind === "compressed"
      ? "deflate"
      : kind === "used"
      ? "trade"
      : undefined;
    return await measureIdle(server, Number(name), sent);
  } finally {
    await server.child.stop();
  }
}

await runBench(options, {
  name: "memory",
  cells,
  tables: {
    bytesPerConnection: "Resident bytes per connection",
    uncollectedBytesPerConnection:
      "Resident bytes per connection, before a collection",
    keptBytesPerConnection: "Growth in bytes per connection",
    peakGrowthMebibytes: "Growth at its peak, MiB",
    leftGrowthMebibytes: "Growth left after a collection, MiB",
    sentMebibytes: "What the peer could send, MiB",
  },
  // Bun's server stands there twice only because it can compress in two ways.
  applies: (row, { kind }) =>
    kind === "compressed" ? row.deflate !== undefined : row !== BUN_SHARED,
  start: () => Promise.resolve(),
  measure: (_, row, cell) => measure(row, cell),
  stop: () => Promise.resolve(),
});
