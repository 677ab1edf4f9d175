/** What is measured: the servers. */
import type { RuntimeName } from "./runtimes.ts";

/** One server, or whatever else a line of a table stands for. */
export interface Row {
  /** Name on the command line and in the tables. */
  readonly name: string;
  /** What runs it. */
  readonly runtime: RuntimeName;
  /** File in `bench/`. */
  readonly file: string;
  /** The row that it is compared with. */
  readonly baseline: string;
  /** A bare byte echo: it returns the client's frames still masked. */
  readonly bare?: boolean;
  /** How to ask the server for compression; absent where it knows none. */
  readonly deflate?: string;
  /** Measured only when named with `--only`. */
  readonly extra?: boolean;
}

/** All rows, in the order of the tables. */
export const ROWS: readonly Row[] = [
  {
    ...row("sockeye-deno", "deno", "servers/sockeye.ts", "deno-native"),
    deflate: "on",
  },
  row("deno-native", "deno", "servers/deno_native.ts", "deno-native"),
  {
    ...row("bare-deno", "deno", "servers/bare_deno.ts", "deno-native"),
    bare: true,
  },
  {
    ...row("sockeye-bun", "bun", "servers/sockeye.ts", "bun-native"),
    deflate: "on",
  },
  {
    ...row("bun-native", "bun", "servers/bun_native.ts", "bun-native"),
    deflate: "dedicated",
  },
  {
    ...row("bare-bun", "bun", "servers/bare_bun.ts", "bun-native"),
    bare: true,
  },
  {
    ...row("sockeye-node", "node", "servers/sockeye.ts", "ws-node"),
    deflate: "on",
  },
  { ...row("ws-node", "node", "servers/ws.mjs", "ws-node"), deflate: "on" },
  {
    ...row("bare-node", "node", "servers/bare_node.ts", "ws-node"),
    bare: true,
  },
  { ...row("ws-deno", "deno", "servers/ws.mjs", "deno-native"), extra: true },
  { ...row("ws-bun", "bun", "servers/ws.mjs", "bun-native"), extra: true },
  {
    ...row("python", "python", "servers/python_websockets.py", "python"),
    deflate: "on",
  },
];

function row(
  name: string,
  runtime: RuntimeName,
  file: string,
  baseline: string,
): Row {
  return { name, runtime, file, baseline };
}

/** The rows that `--only` names, or all that are not extra. */
export function selectRows(
  only: string | undefined,
  rows: readonly Row[] = ROWS,
): readonly Row[] {
  if (only === undefined) return rows.filter(({ extra }) => !extra);
  return only.split(",").map((name) => {
    const found = rows.find((row) => row.name === name);
    if (found !== undefined) return found;
    const names = rows.map((row) => row.name).join(", ");
    throw new TypeError(`No such row: ${name}; there are ${names}`);
  });
}
