/** What is measured: the servers that can compress. */
import { type Row, ROWS } from "../run/rows.ts";

/** Bun's server without a context that goes on from message to message. */
export const BUN_SHARED: Row = {
  name: "bun-shared",
  runtime: "bun",
  file: "servers/bun_native.ts",
  baseline: "bun-native",
  deflate: "shared",
};

/** The rows, in the order of the tables. */
export const DEFLATE_ROWS: readonly Row[] = ROWS
  .filter(({ deflate, extra }) => deflate !== undefined && !extra)
  .flatMap((row) => row.name === "bun-native" ? [row, BUN_SHARED] : [row]);

/** The arguments with which a row's server compresses. */
export function deflateArguments({ deflate }: Row): readonly string[] {
  return [`--deflate=${deflate}`];
}
