/**
 * The load generator, a process of its own: opens raw sockets to an echo server,
 * keeps a fixed number of pre-masked frames in flight on each, and counts what
 * returns between the end of the warm-up and the end of the run.
 *
 * ```sh
 * bun bench/load.ts --port 8080 --cell 16x64x64 --kind binary --seconds 2
 * ```
 *
 * Prints one line of JSON; see `load/measure.ts`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { parseCell } from "./load/cell.ts";
import { type LoadConnection, openConnection } from "./load/connection.ts";
import { hasLibcNetwork, openLibcNetwork } from "./load/libc_network.ts";
import {
  fail,
  MEASURE_OPTIONS,
  measureAndExit,
  readMeasureOptions,
  runUntil,
} from "./load/measure.ts";
import { buildPattern } from "./load/pattern.ts";
import { openRuntimeNetwork } from "./load/runtime_network.ts";

const { values } = parseArgs({
  options: {
    ...MEASURE_OPTIONS,
    path: { type: "string", default: "/echo" },
    cell: { type: "string", default: "16x64x64" },
    kind: { type: "string", default: "binary" },
    verify: { type: "boolean", default: false },
    masked: { type: "boolean", default: false },
    "runtime-sockets": { type: "boolean", default: false },
  },
});
const { path, verify, masked } = values;
const { tls, inFlight, sizes, ...cell } = parseCell(values.cell);
const options = readMeasureOptions(values, tls);
const libc = !tls && !values["runtime-sockets"] && hasLibcNetwork();
const network = libc ? await openLibcNetwork() : openRuntimeNetwork();
const kind = values.kind === "text" ? "text" : "binary";
const pattern = buildPattern({ kind, sizes, minFrames: inFlight });

const connections: LoadConnection[] = [];
for (let index = 0; index < cell.connections; index++) {
  const { target } = options;
  const replies = { pattern, verify, masked };
  const connection = await openConnection(
    { network, target, path, replies },
    fail,
  );
  const isOpen = (): boolean => connection.isOpen;
  await runUntil(network, isOpen, "No response to the handshake");
  connections.push(connection);
}
for (const connection of connections) connection.start(inFlight);

function count(): number {
  return connections.reduce((sum, { messages }) => sum + messages, 0);
}
await measureAndExit(network, options, count);
