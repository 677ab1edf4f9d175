/**
 * Measures a server that echoes.
 *
 * @module
 */

import process from "node:process";
import { type Connection, dial, HandshakeError } from "../client.ts";
import { printable } from "../connection.ts";
import type { BenchCommand } from "./arguments.ts";
import { formatMs, Histogram } from "./histogram.ts";
import { writeError, writeText } from "./output.ts";
import { UsageError } from "./usage.ts";

/** How often the live line is written, in milliseconds. */
const LIVE_MS = 500;

/** What is counted. */
class Counts {
  readonly histogram: Histogram = new Histogram();
  /** Replies that were not what had been sent. */
  wrong = 0;
  isOver = false;
}

/**
 * Measures, and prints what came out.
 *
 * @param command What to measure.
 * @returns Exit code: 1 where a connection failed, or a reply was wrong, or none
 * came.
 * @throws {UsageError} If the URL or a header cannot be used.
 */
export async function bench(command: BenchCommand): Promise<number> {
  const counts = new Counts();
  const { connections, failed } = await openAll(command, counts);
  if (connections.length === 0) return 1;
  const start = performance.now();
  for (const connection of connections) {
    for (let i = 0; i < command.inFlight; i++) connection.data();
  }
  await pass(command.durationMs, connections, counts, start);
  counts.isOver = true;
  const seconds = (performance.now() - start) / 1_000;
  const infos = await Promise.all(connections.map((c) => c.close()));
  // What was still under way may be lost: the measurement is over.
  const lost = infos.filter(({ cause }) => cause !== "local").length;
  print(command, counts, seconds, { failed, lost });
  const isGood = failed === 0 && lost === 0 && counts.wrong === 0;
  return isGood && counts.histogram.count > 0 ? 0 : 1;
}

/** A connection, which has as `data` what sends its next message. */
type Measured = Connection<() => void>;

/** What {@linkcode openAll} could open, and how many it could not. */
interface Opened {
  readonly connections: readonly Measured[];
  readonly failed: number;
}

/** Opens as many as can be opened, and says what the others failed of. */
async function openAll(
  command: BenchCommand,
  counts: Counts,
): Promise<Opened> {
  const text = "sockeye ".repeat(Math.ceil(command.messageBytes / 8))
    .slice(0, command.messageBytes);
  const results = await Promise.allSettled(
    Array.from(
      { length: command.connections },
      () => open(command, text, counts),
    ),
  );
  const connections = results.flatMap((r) =>
    r.status === "fulfilled" ? r.value : []
  );
  const failures = results.flatMap((r) =>
    r.status === "rejected" ? [r.reason] : []
  );
  const [failure] = failures;
  const failed = failures.length;
  if (failure === undefined) return { connections, failed };
  if (!(failure instanceof HandshakeError)) {
    for (const connection of connections) connection.terminate();
    if (!(failure instanceof TypeError)) throw failure;
    throw new UsageError(printable(failure.message));
  }
  const { reason, status } = failure;
  const message = printable(failure.message);
  if (command.isJson) {
    const event = { type: "error", reason, message, status, failed };
    writeText(`${JSON.stringify(event)}\n`);
  } else {
    const share = `${failed} of ${command.connections}`;
    writeError(`${share} connections failed: ${message}.`);
  }
  return { connections, failed };
}

async function open(
  command: BenchCommand,
  text: string,
  counts: Counts,
): Promise<Measured> {
  // Replies come in order: a ring has the times of what is under way.
  const sentMs = new Float64Array(command.inFlight);
  let sent = 0;
  let received = 0;
  const connection = await dial<() => void>(command.url, {
    ...command.dial,
    handler: {
      message: (_connection, data) => {
        if (counts.isOver) return;
        // A server may greet: that answers nothing.
        if (received === sent) return;
        const ms = performance.now() - sentMs[received++ % command.inFlight]!;
        if (data === text) counts.histogram.add(ms);
        else counts.wrong++;
        send();
      },
    },
  });
  const send = () => {
    sentMs[sent++ % command.inFlight] = performance.now();
    connection.send(text);
  };
  connection.data = send;
  return connection;
}

/** Lets the time pass, with a line that lives where somebody looks on. */
async function pass(
  durationMs: number,
  connections: readonly Connection[],
  counts: Counts,
  start: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  // No connection left, nothing to wait for.
  void Promise.all(connections.map((c) => c.closed)).then(() => resolve());
  process.on("SIGINT", resolve);
  const live = process.stderr.isTTY
    ? setInterval(() => {
      const seconds = (performance.now() - start) / 1_000;
      process.stderr.write(`\r\x1b[K${liveLine(counts, seconds)}`);
    }, LIVE_MS)
    : undefined;
  await promise;
  clearTimeout(timer);
  clearInterval(live);
  process.off("SIGINT", resolve);
  if (live !== undefined) process.stderr.write("\r\x1b[K");
}

function liveLine({ histogram }: Counts, seconds: number): string {
  const rate = Math.round(histogram.count / seconds);
  return `${seconds.toFixed(1)} s  ${rate} messages/s  ` +
    `median ${formatMs(histogram.percentileMs(0.5))}  ` +
    `max ${formatMs(histogram.maxMs)}`;
}

/** Percentiles that are printed. */
const SHARES = [0.5, 0.75, 0.9, 0.99, 0.999] as const;

function print(
  command: BenchCommand,
  { histogram, wrong }: Counts,
  seconds: number,
  { failed, lost }: { readonly failed: number; readonly lost: number },
): void {
  const { inFlight, messageBytes } = command;
  const connections = command.connections - failed;
  const perSecond = Math.round(histogram.count / seconds);
  const percentiles = SHARES.map((share) =>
    [`p${share * 100}`, histogram.percentileMs(share)] as const
  );
  if (command.isJson) {
    const report = {
      type: "bench",
      connections,
      inFlight,
      messageBytes,
      seconds,
      messages: histogram.count,
      perSecond,
      wrong,
      failed,
      lost,
      latencyMs: { ...Object.fromEntries(percentiles), max: histogram.maxMs },
    };
    writeText(`${JSON.stringify(report)}\n`);
    return;
  }
  const lines = [
    `${connections} connections, ${inFlight} in flight on each, ` +
    `${messageBytes} bytes, ${seconds.toFixed(1)} s`,
    `${histogram.count} messages and back, ${perSecond} a second`,
    ...(wrong > 0 ? [`${wrong} replies were not what had been sent`] : []),
    ...(lost > 0 ? [`${lost} connections ended before their time`] : []),
    "",
    ...percentiles.map(([name, ms]) => `${name.padEnd(6)} ${formatMs(ms)}`),
    `max    ${formatMs(histogram.maxMs)}`,
    "",
    ...histogram.lines(),
  ];
  writeText(`${lines.join("\n")}\n`);
}
