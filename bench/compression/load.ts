/**
 * The load of the compression bench, a process of its own: connections that send
 * compressed messages and take compressed ones back. Counts those that return, and
 * what they take of what they say.
 *
 * Prints one line of JSON; see `../load/measure.ts`.
 */
import { Buffer } from "node:buffer";
import { parseArgs } from "node:util";
import { parseCell } from "../load/cell.ts";
import { buildRequest, ResponseHead } from "../load/handshake.ts";
import { hasLibcNetwork, openLibcNetwork } from "../load/libc_network.ts";
import {
  fail,
  MEASURE_OPTIONS,
  measureAndExit,
  readMeasureOptions,
  runUntil,
} from "../load/measure.ts";
import type { Pattern } from "../load/pattern.ts";
import type { RawSocket, SocketEvents } from "../load/network.ts";
import { openRuntimeNetwork } from "../load/runtime_network.ts";
import { Sender } from "../load/sender.ts";
import { buildTrades, Inflater, OFFER, readTerms } from "./trades.ts";

/** A whole text message with RSV1, and one without. */
const COMPRESSED = 0xc1;
const PLAIN = 0x81;
const PING = 0x89;

const { values } = parseArgs({
  options: {
    ...MEASURE_OPTIONS,
    cell: { type: "string", default: "16x16x200" },
    verify: { type: "boolean", default: false },
  },
});
const options = readMeasureOptions(values);
const { target } = options;
const cell = parseCell(values.cell);
const request = buildRequest(
  `${target.hostname}:${target.port}`,
  "/echo",
  OFFER,
);
const network = hasLibcNetwork()
  ? await openLibcNetwork()
  : openRuntimeNetwork();

/** What was agreed on, and what is sent accordingly: by the first to hear of it. */
let extensions: string | undefined;
let pattern: Pattern | undefined;
let messages = 0;
let payloadBytes = 0;
let messageBytes = 0;

/** One connection. */
class Trader implements SocketEvents {
  isOpen = false;
  readonly #head = new ResponseHead(true);
  #socket: RawSocket | undefined;
  #sender: Sender | undefined;
  #inflater: Inflater | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  #next = 0;

  ask(socket: RawSocket): void {
    this.#socket = socket;
    socket.write(request, 0, request.length);
  }

  start(): void {
    this.#sender!.send(cell.inFlight);
  }

  data(buffer: Uint8Array, length: number): void {
    try {
      if (this.isOpen) this.#receive(buffer.subarray(0, length));
      else this.#open(buffer.subarray(0, length));
    } catch (error) {
      fail(error);
    }
  }

  drain(): void {
    this.#sender?.flush();
  }

  close(error?: Error): void {
    fail(error ?? "The server hung up");
  }

  #open(chunk: Uint8Array): void {
    if (!this.#head.receive(chunk)) return;
    extensions ??= this.#head.extensions!;
    const terms = readTerms(extensions);
    pattern ??= buildTrades(terms);
    this.#sender = new Sender(pattern, this.#socket!.write);
    if (values.verify) this.#inflater = new Inflater(terms.serverIsAlone);
    this.isOpen = true;
  }

  #receive(chunk: Uint8Array): void {
    // What is left is a copy: chunks are only lent.
    const bytes = this.#rest.length === 0
      ? chunk
      : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    let count = 0;
    for (;;) {
      const first = bytes[at] ?? 0;
      let length = bytes[at + 1] ?? 0;
      let start = at + 2;
      if (length === 126) {
        length = (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0);
        start = at + 4;
      }
      if (start + length > bytes.length) break;
      at = start + length;
      if (first === PING) continue;
      this.#endMessage(first, bytes.subarray(start, at));
      count++;
    }
    this.#rest = new Uint8Array(bytes.subarray(at));
    this.#sender!.send(count);
  }

  #endMessage(first: number, payload: Uint8Array): void {
    if (first !== COMPRESSED && first !== PLAIN) {
      fail(`Unexpected first byte of a reply: ${first}`);
    }
    const { count, lengths, payloads } = pattern!;
    messages++;
    payloadBytes += payload.length;
    messageBytes += lengths[this.#next] ?? 0;
    if (this.#inflater !== undefined) {
      const message = first === PLAIN
        ? payload
        : this.#inflater.inflate(payload);
      if (Buffer.compare(message, payloads[this.#next]!) !== 0) {
        fail("Wrong contents in a reply");
      }
    }
    this.#next = this.#next + 1 === count ? 0 : this.#next + 1;
  }
}

const traders: Trader[] = [];
for (let index = 0; index < cell.connections; index++) {
  const trader = new Trader();
  trader.ask(await network.open(target, trader));
  await runUntil(
    network,
    () => trader.isOpen,
    "No response to the handshake",
  );
  traders.push(trader);
}
for (const trader of traders) trader.start();
await measureAndExit(
  network,
  options,
  () => messages,
  () => ({ replyShare: payloadBytes / messageBytes }),
);
