/**
 * The load generator, a process of its own: opens raw sockets to an echo server,
 * keeps a fixed number of pre-masked frames in flight on each, and counts what
 * returns between the end of the warm-up and the end of the run.
 *
 * ```sh
 * bun bench/load.ts --port 8080 --cell 16x64x64 --kind binary --seconds 2
 * ```
 *
 * Prints one line of JSON: `messages`, `seconds`, `messagesPerSecond`; `busy`,
 * the share of the time for which this process used its core (near 1 the
 * generator may be what limits the figure); and `network`, how it reached it.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { type LoadCell, parseCell } from "./load/cell.ts";
import { type LoadConnection, openConnection } from "./load/connection.ts";
import { hasLibcNetwork, openLibcNetwork } from "./load/libc_network.ts";
import type { Network, Target } from "./load/network.ts";
import { readCpuSeconds } from "./load/cpu.ts";
import { buildPattern, type Kind } from "./load/pattern.ts";
import { openRuntimeNetwork } from "./load/runtime_network.ts";

/** What to do; see `readOptions` for the arguments. */
interface LoadOptions extends Target, LoadCell {
  readonly path: string;
  readonly kind: Kind;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly leastMessages: number;
  readonly verify: boolean;
  readonly masked: boolean;
  readonly libc: boolean;
  readonly serverPid: number | undefined;
}

/** How long a server may keep silent where something must come of it. */
const PATIENCE_SECONDS = 10;

/** What is printed. */
interface LoadReport {
  readonly messages: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly busy: number;
  readonly network: Network["name"];
  readonly serverCpuSeconds?: number;
}

function readOptions(): LoadOptions {
  const { values } = parseArgs({
    options: {
      hostname: { type: "string", default: "127.0.0.1" },
      port: { type: "string" },
      path: { type: "string", default: "/echo" },
      cell: { type: "string", default: "16x64x64" },
      kind: { type: "string", default: "binary" },
      seconds: { type: "string", default: "2" },
      "warm-up": { type: "string", default: "0.5" },
      "least-messages": { type: "string", default: "1" },
      verify: { type: "boolean", default: false },
      masked: { type: "boolean", default: false },
      "runtime-sockets": { type: "boolean", default: false },
      "server-pid": { type: "string" },
    },
  });
  const cell = parseCell(values.cell);
  const options: LoadOptions = {
    ...cell,
    hostname: values.hostname,
    port: Number(values.port),
    path: values.path,
    kind: values.kind === "text" ? "text" : "binary",
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    leastMessages: Number(values["least-messages"]),
    verify: values.verify,
    masked: values.masked,
    serverPid: values["server-pid"] === undefined
      ? undefined
      : Number(values["server-pid"]),
    libc: !cell.tls && !values["runtime-sockets"] && hasLibcNetwork(),
  };
  const { port, seconds, warmUpSeconds, leastMessages } = options;
  if (![port, seconds, warmUpSeconds, leastMessages].every(Number.isFinite)) {
    throw new TypeError("Cannot run: --port and times must be numbers");
  }
  return options;
}

/** A question that turns true after so many seconds. */
function after(seconds: number): () => boolean {
  const endMs = performance.now() + seconds * 1000;
  return () => performance.now() >= endMs;
}

async function main(): Promise<void> {
  const options = readOptions();
  const { kind, sizes, inFlight, path, verify, masked } = options;
  const network = options.libc ? await openLibcNetwork() : openRuntimeNetwork();
  const pattern = buildPattern({ kind, sizes, minFrames: inFlight });
  const fail = (error: Error): void => {
    console.error(`load: ${error.message}`);
    process.exit(1);
  };
  const connections: LoadConnection[] = [];
  for (let index = 0; index < options.connections; index++) {
    const connection = await openConnection(
      { network, target: options, path, replies: { pattern, verify, masked } },
      fail,
    );
    const isLate = after(PATIENCE_SECONDS);
    await network.run(() => connection.isOpen || isLate());
    if (!connection.isOpen) fail(new Error("No response to the handshake"));
    connections.push(connection);
  }
  const count = (): number =>
    connections.reduce((sum, { messages }) => sum + messages, 0);

  for (const connection of connections) connection.start(inFlight);
  await network.run(after(options.warmUpSeconds));
  const report = await measure(network, options, count);
  if (report.messages < options.leastMessages) {
    fail(new Error(`Only ${report.messages} messages returned`));
  }
  console.log(JSON.stringify(report));
  process.exit(0);
}

/** Counts for `seconds`, and takes the processor time that it costs. */
async function measure(
  network: Network,
  options: LoadOptions,
  count: () => number,
): Promise<LoadReport> {
  const { serverPid } = options;
  const serverCpu = (): number | undefined =>
    serverPid === undefined ? undefined : readCpuSeconds(serverPid);
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const startServerCpu = serverCpu();
  const startMessages = count();
  const isOver = after(options.seconds);
  const isLate = after(options.seconds + PATIENCE_SECONDS);
  await network.run(() =>
    isOver() && count() - startMessages >= options.leastMessages || isLate()
  );
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(startCpu);
  const endServerCpu = serverCpu();
  const messages = count() - startMessages;
  return {
    messages,
    seconds,
    messagesPerSecond: messages / seconds,
    busy: (cpu.user + cpu.system) / 1e6 / seconds,
    network: network.name,
    ...(startServerCpu === undefined || endServerCpu === undefined
      ? {}
      : { serverCpuSeconds: endServerCpu - startServerCpu }),
  };
}

await main();
