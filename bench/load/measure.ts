/**
 * What every load program does once its load runs: it waits for the warm-up,
 * counts for a while, and prints one line of JSON.
 */
import process from "node:process";
import { readCpuSeconds } from "./cpu.ts";
import type { Network, Target } from "./network.ts";

/** For `parseArgs`; a program adds its own. */
export const MEASURE_OPTIONS = {
  hostname: { type: "string", default: "127.0.0.1" },
  port: { type: "string" },
  seconds: { type: "string", default: "2" },
  "warm-up": { type: "string", default: "0.5" },
  least: { type: "string", default: "1" },
  "server-pid": { type: "string" },
} as const;

/** The values of {@linkcode MEASURE_OPTIONS}, as `parseArgs` gives them. */
export interface MeasureValues {
  readonly hostname: string;
  readonly port?: string | undefined;
  readonly seconds: string;
  readonly "warm-up": string;
  readonly least: string;
  readonly "server-pid"?: string | undefined;
}

/** Where to, and for how long. */
export interface MeasureOptions {
  /** The server. */
  readonly target: Target;
  /** How long to count. */
  readonly seconds: number;
  /** Load before that. */
  readonly warmUpSeconds: number;
  /** How many must have been counted, whatever time it takes. */
  readonly least: number;
  /** The server's process, whose processor time is taken. */
  readonly serverPid: number;
}

/** What is printed. */
export interface LoadReport {
  /** What has been counted, messages say. */
  readonly count: number;
  /** In so many seconds. */
  readonly seconds: number;
  /**
   * The share of the time for which this process used its core: near 1 the
   * generator may be what limits the figure.
   */
  readonly busy: number;
  /** How it reached the network. */
  readonly network: Network["name"];
  /** What the server's threads ran meanwhile, where the system tells. */
  readonly serverCpuSeconds?: number;
  /** What else there is to tell, by name. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** How long a server may keep silent where something must come of it. */
const PATIENCE_SECONDS = 10;

/** Reads the arguments. */
export function readMeasureOptions(
  values: MeasureValues,
  tls = false,
): MeasureOptions {
  const options = {
    target: { hostname: values.hostname, port: Number(values.port), tls },
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    least: Number(values.least),
    serverPid: Number(values["server-pid"]),
  };
  const { target: { port }, seconds, warmUpSeconds, least } = options;
  if (![port, seconds, warmUpSeconds, least].every(Number.isFinite)) {
    throw new TypeError("Cannot run: --port and times must be numbers");
  }
  return options;
}

/** Ends the process: a load that goes wrong has no figure. */
export function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`load error: ${message}`);
  process.exit(1);
}

/** Lets the network run until something is true, not for ever. */
export async function runUntil(
  network: Network,
  isTrue: () => boolean,
  failure: string,
): Promise<void> {
  const isLate = after(PATIENCE_SECONDS);
  await network.run(() => isTrue() || isLate());
  if (!isTrue()) fail(failure);
}

/** Measures a load that runs, prints the report, and ends the process. */
export async function measureAndExit(
  network: Network,
  options: MeasureOptions,
  count: () => number,
  figures?: () => Readonly<Record<string, number>>,
): Promise<never> {
  await network.run(after(options.warmUpSeconds));
  const report = await measure(network, options, count);
  console.log(JSON.stringify({ ...report, figures: figures?.() }));
  process.exit(0);
}

async function measure(
  network: Network,
  options: MeasureOptions,
  count: () => number,
): Promise<LoadReport> {
  const { serverPid, least } = options;
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const startServerCpu = readCpuSeconds(serverPid);
  const startCount = count();
  await network.run(after(options.seconds));
  const enough = (): boolean => count() - startCount >= least;
  await runUntil(network, enough, `Less than ${least} returned`);
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(startCpu);
  const endServerCpu = readCpuSeconds(serverPid);
  return {
    count: count() - startCount,
    seconds,
    busy: (cpu.user + cpu.system) / 1e6 / seconds,
    network: network.name,
    ...(startServerCpu === undefined || endServerCpu === undefined
      ? {}
      : { serverCpuSeconds: endServerCpu - startServerCpu }),
  };
}

/** A question that turns true after so many seconds. */
function after(seconds: number): () => boolean {
  const endMs = performance.now() + seconds * 1000;
  return () => performance.now() >= endMs;
}
