/**
 * What every client program of the bench does: it keeps messages in flight on
 * each of its connections, or opens and closes connections, counts for a while,
 * and prints one line of JSON.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { parseArgs } from "node:util";
import { parseCell } from "../load/cell.ts";
import { readCpuSeconds } from "../load/cpu.ts";
import { buildPattern } from "../load/pattern.ts";

/** How long nothing may return where something must. */
const PATIENCE_SECONDS = 10;

/** A way to be a client, as its users write it. */
export interface Client {
  /** Opens a connection, sends what is in flight, then one for each that returns. */
  talk(url: string, talk: Talk): void | Promise<void>;
  /** Opens a connection and closes it; settles when it is gone. */
  dial(url: string): Promise<unknown>;
}

/** What is received: text, or bytes in whatever the client gives them. */
export type Received = string | Uint8Array | ArrayBuffer;

/** What is sent; the buffer is no shared one, as the runtimes' own want it. */
export type Sent = string | Uint8Array<ArrayBuffer>;

/** What one connection says. */
export class Talk {
  /** Messages to keep in flight. */
  readonly inFlight: number;
  /** Messages that have returned. */
  messages = 0;
  readonly #messages: readonly Sent[];
  readonly #bytes: readonly number[];
  readonly #verify: boolean;
  #sent = 0;
  #returned = 0;

  /** Sends the messages in turn. */
  constructor(
    messages: readonly Sent[],
    options: { readonly inFlight: number; readonly verify: boolean },
  ) {
    this.#messages = messages;
    this.#bytes = messages.map((message) => Buffer.byteLength(message));
    this.inFlight = options.inFlight;
    this.#verify = options.verify;
  }

  /** The next message to send. */
  next(): Sent {
    const message = this.#messages[this.#sent];
    this.#sent = this.#sent + 1 === this.#messages.length ? 0 : this.#sent + 1;
    return message ?? "";
  }

  /** Takes note of a message that has returned, in the order of sending. */
  returned(data: Received): void {
    const expected = this.#messages[this.#returned] ?? "";
    const expectedLength = typeof data === "string"
      ? expected.length
      : this.#bytes[this.#returned];
    this.#returned = this.#returned + 1 === this.#messages.length
      ? 0
      : this.#returned + 1;
    const length = data instanceof ArrayBuffer ? data.byteLength : data.length;
    if (length !== expectedLength) {
      fail(`Wrong length: ${length}, not ${expectedLength}`);
    }
    if (this.#verify && !isSame(data, expected)) fail("Wrong contents");
    this.messages++;
  }
}

/** Ends the program: a client that fails has no figure. */
export function fail(reason: unknown): never {
  console.error(`client error: ${String(reason)}`);
  process.exit(1);
}

/** Counts, and the time that passed. */
interface Reading {
  readonly ms: number;
  readonly count: number;
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
}

/** Runs the task that the arguments give. */
export async function runClient(client: Client): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      cell: { type: "string", default: "16x64x64" },
      kind: { type: "string", default: "binary" },
      seconds: { type: "string", default: "2" },
      "warm-up": { type: "string", default: "0.5" },
      least: { type: "string", default: "1" },
      "server-pid": { type: "string" },
      verify: { type: "boolean", default: false },
    },
  });
  const { cell, kind, verify } = values;
  const url = `ws://127.0.0.1:${values.port}/echo`;
  const count = kind === "dials"
    ? startDialling(client, url, Number(cell))
    : startTalking(client, url, { cell, kind, verify });
  const read = (): Reading => ({
    ms: performance.now(),
    count: count(),
    cpuSeconds: readCpuSeconds(process.pid) ?? NaN,
    serverCpuSeconds: readCpuSeconds(Number(values["server-pid"])) ?? NaN,
  });
  await sleep(Number(values["warm-up"]));
  const start = read();
  await sleep(Number(values.seconds));
  await waitFor(() => count() - start.count >= Number(values.least));
  const end = read();
  console.log(JSON.stringify({
    count: end.count - start.count,
    seconds: (end.ms - start.ms) / 1000,
    cpuSeconds: end.cpuSeconds - start.cpuSeconds,
    serverCpuSeconds: end.serverCpuSeconds - start.serverCpuSeconds,
  }));
  process.exit(0);
}

/** Starts all connections; what it returns counts messages. */
function startTalking(
  client: Client,
  url: string,
  what: { cell: string; kind: string; verify: boolean },
): () => number {
  const kind = what.kind === "text" ? "text" : "binary";
  const { connections, inFlight, sizes } = parseCell(what.cell);
  const { payloads } = buildPattern({ kind, sizes, minFrames: inFlight });
  const messages = payloads.map((payload) =>
    kind === "text"
      ? new TextDecoder().decode(payload)
      : new Uint8Array(payload)
  );
  const talks = Array.from(
    { length: connections },
    () => new Talk(messages, { inFlight, verify: what.verify }),
  );
  for (const talk of talks) {
    Promise.resolve(client.talk(url, talk)).catch(fail);
  }
  return () => talks.reduce((sum, talk) => sum + talk.messages, 0);
}

/** Opens and closes connections, so many at once; what it returns counts them. */
function startDialling(
  client: Client,
  url: string,
  atOnce: number,
): () => number {
  let dials = 0;
  async function dialOn(): Promise<void> {
    for (;;) {
      await client.dial(url);
      dials++;
    }
  }
  for (let index = 0; index < atOnce; index++) dialOn().catch(fail);
  return () => dials;
}

/** Waits until something is true, not for ever. */
async function waitFor(isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_SECONDS * 1000;
  while (!isTrue()) {
    if (performance.now() > endMs) fail("Too little returned");
    await sleep(0.01);
  }
}

function isSame(data: Received, expected: string | Uint8Array): boolean {
  if (typeof data === "string") return data === expected;
  return Buffer.compare(
    data instanceof ArrayBuffer ? new Uint8Array(data) : data,
    typeof expected === "string" ? Buffer.from(expected) : expected,
  ) === 0;
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
