/**
 * The load of the connects bench, a process of its own: opens connections with
 * raw sockets, waits for the response to the opening handshake, and ends them,
 * one after another or so many at once. Counts those that have ended.
 *
 * Prints one line of JSON; see `../load/measure.ts`.
 */
import { parseArgs } from "node:util";
import { buildRequest, ResponseHead } from "../load/handshake.ts";
import { hasLibcNetwork, openLibcNetwork } from "../load/libc_network.ts";
import {
  fail,
  MEASURE_OPTIONS,
  measureAndExit,
  readMeasureOptions,
} from "../load/measure.ts";
import type { RawSocket, SocketEvents } from "../load/network.ts";
import { openRuntimeNetwork } from "../load/runtime_network.ts";

/** An empty masked Close frame, with which the closing handshake begins. */
const CLOSE = Uint8Array.of(0x88, 0x80, 0, 0, 0, 0);
/** The first byte of the server's answer to it. */
const CLOSE_HEAD = 0x88;

const { values } = parseArgs({
  options: {
    ...MEASURE_OPTIONS,
    "at-once": { type: "string", default: "1" },
    /** `reset` drops what is open; `close` goes through the closing handshake. */
    ending: { type: "string", default: "reset" },
  },
});
const options = readMeasureOptions(values);
const { target } = options;
const closes = values.ending === "close";
const request = buildRequest(`${target.hostname}:${target.port}`, "/echo");
const network = hasLibcNetwork()
  ? await openLibcNetwork()
  : openRuntimeNetwork();
let ended = 0;

/** One connection; the next one follows it. */
class Visit implements SocketEvents {
  readonly #head = new ResponseHead();
  #state: "opening" | "open" | "ended" = "opening";
  #socket: RawSocket | undefined;

  start(socket: RawSocket): void {
    this.#socket = socket;
    socket.write(request, 0, request.length);
  }

  data(buffer: Uint8Array, length: number): void {
    try {
      this.#receive(buffer.subarray(0, length));
    } catch (error) {
      fail(error);
    }
  }

  drain(): void {}

  close(error?: Error): void {
    if (this.#state === "ended") return;
    if (this.#state === "opening") fail(error ?? "The server hung up");
    this.#state = "ended";
    this.#socket?.end();
    next();
  }

  #receive(chunk: Uint8Array): void {
    if (this.#state === "open" && chunk[0] !== CLOSE_HEAD) {
      fail(`Not a Close frame: ${chunk[0]}`);
    }
    if (this.#state !== "opening" || !this.#head.receive(chunk)) return;
    if (closes) {
      this.#state = "open";
      this.#socket?.write(CLOSE, 0, CLOSE.length);
    } else {
      this.#state = "ended";
      this.#socket?.destroy();
      next();
    }
  }
}

function next(): void {
  ended++;
  visit();
}

function visit(): void {
  const visit = new Visit();
  network.open(target, visit).then((socket) => visit.start(socket), fail);
}

for (let index = 0; index < Number(values["at-once"]); index++) visit();
await measureAndExit(network, options, () => ended);
