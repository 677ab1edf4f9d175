/**
 * The load of the broadcast bench, a process of its own: opens raw sockets to a
 * room, of which one says something that all must hear. When all have heard it,
 * it says the next; so many sayings are under way at once. Counts deliveries.
 *
 * Prints one line of JSON; see `../load/measure.ts`.
 */
import { parseArgs } from "node:util";
import { parseCell } from "../load/cell.ts";
import { type LoadConnection, openConnection } from "../load/connection.ts";
import { hasLibcNetwork, openLibcNetwork } from "../load/libc_network.ts";
import {
  fail,
  MEASURE_OPTIONS,
  measureAndExit,
  readMeasureOptions,
  runUntil,
} from "../load/measure.ts";
import { buildPattern } from "../load/pattern.ts";
import { openRuntimeNetwork } from "../load/runtime_network.ts";

const { values } = parseArgs({
  options: {
    ...MEASURE_OPTIONS,
    cell: { type: "string", default: "1000x1x128" },
    kind: { type: "string", default: "binary" },
    verify: { type: "boolean", default: false },
  },
});
const { inFlight, sizes, ...cell } = parseCell(values.cell);
const options = readMeasureOptions(values);
const network = hasLibcNetwork()
  ? await openLibcNetwork()
  : openRuntimeNetwork();
const kind = values.kind === "text" ? "text" : "binary";
const pattern = buildPattern({ kind, sizes, minFrames: inFlight });

let delivered = 0;
/** How many deliveries call for the next saying. */
let due = cell.connections;
let speaker: LoadConnection | undefined;

function heard(messages: number): void {
  delivered += messages;
  for (; delivered >= due; due += cell.connections) speaker?.start(1);
}

for (let index = 0; index < cell.connections; index++) {
  const member = await openConnection({
    network,
    target: options.target,
    path: "/room",
    replies: { pattern, verify: values.verify, masked: false },
    returned: heard,
  }, fail);
  const isOpen = (): boolean => member.isOpen;
  await runUntil(network, isOpen, "No response to the handshake");
  speaker ??= member;
}
speaker?.start(inFlight);
await measureAndExit(network, options, () => delivered);
