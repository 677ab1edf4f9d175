/** What is measured: the servers, and the shapes of load. */
import type { RuntimeName } from "./runtimes.ts";

/** One server. */
export interface Row {
  /** Name on the command line and in the tables. */
  readonly name: string;
  /** What runs it. */
  readonly runtime: RuntimeName;
  /** File in `bench/servers/`. */
  readonly file: string;
  /** The row that it is compared with. */
  readonly baseline: string;
  /** A bare byte echo: it returns the client's frames still masked. */
  readonly bare?: boolean;
  /** Measured only when named with `--only`. */
  readonly extra?: boolean;
}

/** All rows, in the order of the tables. */
export const ROWS: readonly Row[] = [
  row("sockeye-deno", "deno", "sockeye.ts", "deno-native"),
  row("deno-native", "deno", "deno_native.ts", "deno-native"),
  { ...row("bare-deno", "deno", "bare_deno.ts", "deno-native"), bare: true },
  row("sockeye-bun", "bun", "sockeye.ts", "bun-native"),
  row("bun-native", "bun", "bun_native.ts", "bun-native"),
  { ...row("bare-bun", "bun", "bare_bun.ts", "bun-native"), bare: true },
  row("sockeye-node", "node", "sockeye.ts", "ws-node"),
  row("ws-node", "node", "ws.mjs", "ws-node"),
  { ...row("bare-node", "node", "bare_node.ts", "ws-node"), bare: true },
  { ...row("ws-deno", "deno", "ws.mjs", "deno-native"), extra: true },
  { ...row("ws-bun", "bun", "ws.mjs", "bun-native"), extra: true },
  row("python", "python", "python_websockets.py", "python"),
];

function row(
  name: string,
  runtime: RuntimeName,
  file: string,
  baseline: string,
): Row {
  return { name, runtime, file, baseline };
}

/** Connections × messages in flight on each × payload bytes. */
export const CELLS: readonly string[] = [
  "1x1x16",
  "64x1x16",
  "1x64x16",
  "16x64x64",
  "16x1x1024",
  "16x16x16384",
  "8x1x262144",
];

/** The rows that `--only` names, or all that are not extra. */
export function selectRows(only: string | undefined): readonly Row[] {
  if (only === undefined) return ROWS.filter(({ extra }) => !extra);
  return only.split(",").map((name) => {
    const found = ROWS.find((row) => row.name === name);
    if (found !== undefined) return found;
    const names = ROWS.map((row) => row.name).join(", ");
    throw new TypeError(`No such row: ${name}; there are ${names}`);
  });
}
