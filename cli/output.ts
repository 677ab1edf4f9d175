/**
 * What is printed: in colour or not, as fast as it is taken, and lost.
 *
 * @module
 */

import process from "node:process";
import { printable } from "../connection.ts";

/** Colours by what they are for, as SGR parameters. */
const COLOURS = { received: "36", note: "2", failure: "31" } as const;

/** What a line is. */
export type Tone = keyof typeof COLOURS | "plain";

/** A stream, as far as it matters here. */
interface Output {
  readonly isTTY?: boolean;
  write(
    data: string | Uint8Array,
    done?: (error?: Error | null) => void,
  ): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Prints a line, in colour where that is welcome. */
export function writeLine(output: Output, line: string, tone: Tone): void {
  const isColoured = tone !== "plain" && hasColours(output);
  const text = isColoured ? `\x1b[${COLOURS[tone]}m${line}\x1b[0m` : line;
  write(output, `${text}\n`);
}

/** Whether colours are welcome (https://no-color.org). */
function hasColours(output: Output): boolean {
  const { NO_COLOR = "", TERM } = process.env;
  return output.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
}

/** Prints what went wrong to standard error. */
export function writeError(text: string): void {
  writeLine(process.stderr, text, "failure");
}

/** Prints text to standard output as it is. */
export function writeText(text: string): void {
  write(process.stdout, text);
}

/** How much may wait to be written, in characters and bytes. */
const PENDING_MAX = 2 ** 20;

/** Writes that have not been reported done, and how much they are. */
let pendingWrites = 0;
let pendingLength = 0;
/** How long what nobody waits for has to get out, in milliseconds. */
const DROPPED_MS = 100;
/** Whether nobody waits for what is printed any more. */
let isDropped = false;
/** Told when nothing waits any more. */
const waiting: (() => void)[] = [];
/** Told when what is printed reaches nobody. */
let onLost: (() => void) | undefined;
/** Whether it reaches nobody any more. */
let isLost = false;
/** Whether that is a fault, such as a disk that is full. */
let hasFailed = false;
/** What writing fails with when the reader has gone. */
const ENDS: ReadonlySet<unknown> = new Set(["EPIPE", "ECONNRESET", "EOF"]);
/** Outputs that are listened to. */
const heard: Set<Output> = new Set();

/** Prints what is given as it is. */
export function write(output: Output, data: string | Uint8Array): void {
  if (!heard.has(output)) {
    heard.add(output);
    output.on("error", (error) => lose(output, error));
  }
  pendingWrites++;
  pendingLength += data.length;
  const done = (error?: Error | null) => {
    pendingLength -= data.length;
    if (error) lose(output, error);
    if (--pendingWrites === 0) waiting.splice(0).forEach((wake) => wake());
  };
  try {
    output.write(data, done);
  } catch (error) {
    // Where the output is a file, Deno throws.
    done(error as Error);
  }
}

/** Notes that what is printed reaches nobody. */
function lose(output: Output, error: Error): void {
  // What is written to it afterwards fails of that, not of what was wrong.
  if (output !== process.stdout || isLost) return;
  isLost = true;
  const { code } = error as { code?: unknown };
  // The other end of a pipe is gone: that is no fault.
  if (!ENDS.has(code)) {
    hasFailed = true;
    writeError(`Cannot write: ${printable(error.message)}.`);
  }
  // Not from within the call that printed.
  queueMicrotask(() => onLost?.());
}

/** Whether what was printed is lost, other than by a reader that has gone. */
export function hasOutputFailed(): boolean {
  return hasFailed;
}

/** Tells when what is printed reaches nobody: `head` has seen enough. */
export function onOutputLost(listener: () => void): void {
  onLost = listener;
}

/** Begins anew, where an earlier run has dropped what was left. */
export function beginOutput(): void {
  isDropped = isLost = hasFailed = false;
  onLost = undefined;
}

/** Waits no more for what has not been written. */
export function dropOutput(): void {
  isDropped = true;
  waiting.splice(0).forEach((wake) => wake());
}

/** Whether too much has not been written to print more. */
export function isOutputFull(): boolean {
  return pendingLength > PENDING_MAX;
}

/**
 * Waits until what was printed has left the process. Each write is asked for: an
 * empty one behind the others is done at once on Bun, and they are lost.
 */
export async function flushOutput(): Promise<void> {
  if (pendingWrites === 0) return;
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    if (isDropped) setTimeout(resolve, DROPPED_MS);
  });
}
