/** The command-line options that all benches of rows share. */
import process from "node:process";
import { type Row, selectRows } from "./rows.ts";

/** What the options say. */
export interface CommonOptions {
  /** Rows to measure. */
  readonly rows: readonly Row[];
  /** Interleaved rounds. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Load before each measurement. */
  readonly warmUpSeconds: number;
  /** File to write every sample to. */
  readonly json: string | undefined;
  /** Only show that it works, quickly: one round, all rows, small cells. */
  readonly smoke: boolean;
}

/** For `parseArgs`; a bench adds its own. */
export const COMMON_OPTIONS = {
  only: { type: "string" },
  rounds: { type: "string", default: "5" },
  seconds: { type: "string", default: "1" },
  "warm-up": { type: "string", default: "0.5" },
  json: { type: "string" },
  smoke: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** What `--help` says of them. */
export const COMMON_HELP = `  --only ROW,…     only these rows
  --rounds N       interleaved rounds (5)
  --seconds S      length of each measurement (1)
  --warm-up S      load before each measurement (0.5)
  --json FILE      write every sample there
  --smoke          show in some seconds that every row works, not how fast`;

/** The values of {@linkcode COMMON_OPTIONS}, as `parseArgs` gives them. */
export interface CommonValues {
  readonly only?: string | undefined;
  readonly rounds: string;
  readonly seconds: string;
  readonly "warm-up": string;
  readonly json?: string | undefined;
  readonly smoke: boolean;
  readonly help: boolean;
}

/** Checks the values. With `--help` it prints `help`, and the process ends. */
export function readCommonOptions(
  values: CommonValues,
  allRows: readonly Row[],
  help: string,
): CommonOptions {
  if (values.help) {
    console.log(help);
    process.exit(0);
  }
  const { only, json, smoke } = values;
  return {
    rows: smoke && only === undefined ? allRows : selectRows(only, allRows),
    rounds: smoke ? 1 : readNumber("rounds", values.rounds),
    seconds: smoke ? 0 : readNumber("seconds", values.seconds),
    warmUpSeconds: smoke ? 0 : readNumber("warm-up", values["warm-up"]),
    json,
    smoke,
  };
}

/** A number of an option, not negative. */
export function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && Number.isFinite(value)) return value;
  throw new TypeError(`Cannot run: --${name} must be a number: ${text}`);
}
