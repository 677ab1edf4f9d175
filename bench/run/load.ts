/** A load program's run against a server, and what becomes of its report. */
import { Child, type RunningServer } from "./child.ts";
import type { Pinning } from "./cores.ts";
import type { CommonOptions } from "./options.ts";
import { findRuntime, type RuntimeName } from "./runtimes.ts";
import type { Measurement } from "./sample.ts";

/** The fastest generator there is here: on Bun, else on Node. */
export const LOAD_RUNTIME: RuntimeName = findRuntime("bun") === undefined
  ? "node"
  : "bun";

/** What to run. */
export interface LoadRun {
  /** The program, given from `bench/`. */
  readonly file: string;
  /** What it counts, for the names of the figures: `messages`. */
  readonly unit: string;
  /** Its arguments, beside those that all load programs have. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Arguments without a value. */
  readonly flags?: readonly string[];
  /** What it must have counted, whatever time it takes. */
  readonly least: number;
}

/** Runs a load program in a process of its own. */
export async function runLoad(
  server: RunningServer,
  run: LoadRun,
  options: CommonOptions & { readonly pinning: Pinning },
): Promise<Measurement> {
  const values = {
    ...run.values,
    port: server.port,
    seconds: options.seconds,
    "warm-up": options.warmUpSeconds,
    least: run.least,
    "server-pid": server.child.pid,
  };
  const load = new Child(LOAD_RUNTIME, `bench/${run.file}`, {
    pin: options.pinning.load,
    args: [...formatArguments(values), ...run.flags ?? []],
  });
  const report = await load.read();
  const [count, seconds, cpuSeconds] = [
    Number(report["count"]),
    Number(report["seconds"]),
    Number(report["serverCpuSeconds"] ?? 0),
  ];
  return {
    figures: {
      ...figuresOf(run.unit, { count, seconds, cpuSeconds }),
      loadBusy: Number(report["busy"]),
      ...report["figures"] as Record<string, number> | undefined,
    },
    network: String(report["network"]),
  };
}

/** Per second, per second of the processor of what is measured, and how busy it was. */
export function figuresOf(
  unit: string,
  { count, seconds, cpuSeconds }: {
    readonly count: number;
    readonly seconds: number;
    /** 0 where it is not known. */
    readonly cpuSeconds: number;
  },
): Record<string, number> {
  return {
    [`${unit}PerSecond`]: count / seconds,
    ...(cpuSeconds > 0
      ? {
        [`${unit}PerCpuSecond`]: count / cpuSeconds,
        busy: cpuSeconds / seconds,
      }
      : {}),
  };
}

/** Options of a command line. */
export function formatArguments(
  values: Readonly<Record<string, string | number | undefined>>,
): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name}=${value}`);
}
