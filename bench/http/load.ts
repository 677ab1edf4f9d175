/**
 * The load of the HTTP bench, a process of its own: raw sockets that are kept
 * alive, on each one request at a time. Counts responses.
 *
 * Prints one line of JSON; see `../load/measure.ts`.
 */
import { parseArgs } from "node:util";
import { hasLibcNetwork, openLibcNetwork } from "../load/libc_network.ts";
import {
  fail,
  MEASURE_OPTIONS,
  measureAndExit,
  readMeasureOptions,
} from "../load/measure.ts";
import { openRuntimeNetwork } from "../load/runtime_network.ts";
import { Responses } from "./responses.ts";

const { values } = parseArgs({
  options: {
    ...MEASURE_OPTIONS,
    connections: { type: "string", default: "50" },
  },
});
const options = readMeasureOptions(values);
const { target } = options;
const network = hasLibcNetwork()
  ? await openLibcNetwork()
  : openRuntimeNetwork();
const request = new TextEncoder().encode(
  `GET /hello HTTP/1.1\r\nHost: ${target.hostname}:${target.port}\r\n\r\n`,
);
let count = 0;

async function open(): Promise<void> {
  const responses = new Responses("Hello");
  const socket = await network.open(target, {
    data(buffer, length) {
      try {
        const ended = responses.receive(buffer, length);
        count += ended;
        if (ended > 0) socket.write(request, 0, request.length);
      } catch (error) {
        fail(error);
      }
    },
    drain() {},
    close: (error) => fail(error ?? "The server hung up"),
  });
  socket.write(request, 0, request.length);
}

for (let index = 0; index < Number(values.connections); index++) await open();
await measureAndExit(network, options, () => count);
