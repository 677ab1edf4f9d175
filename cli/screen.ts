/**
 * Standard streams: lines in, lines out, and a prompt that stays whole.
 *
 * @module
 */

import process from "node:process";
import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from "node:readline";
import { type History, MAX_LINES } from "./history.ts";
import { LineSplitter } from "./lines.ts";
import { type Tone, write, writeLine, writeText } from "./output.ts";

const PROMPT = "> ";

/** Reads lines, and prints lines around the one that is being typed. */
export class Screen {
  /** Whether a person types at a prompt. */
  readonly isInteractive: boolean;
  /** Whether what is printed is seen on a terminal. */
  readonly isTerminal: boolean;
  /** The prompt, where there is one. */
  #lines: Interface | undefined;
  readonly #resized = (): void => this.#reflow();
  /** Whether lines come without a prompt, and there may be more. */
  #isPiped = false;

  /** @param isPlain Whether there is to be no prompt even on a terminal. */
  constructor(isPlain: boolean) {
    const { stdin, stdout } = process;
    this.isTerminal = stdout.isTTY === true;
    // One that cannot move its cursor is read from like a pipe.
    this.isInteractive = !isPlain && stdin.isTTY === true &&
      this.isTerminal && process.env["TERM"] !== "dumb";
  }

  /**
   * Starts reading.
   *
   * @param history Where lines that are typed are kept, if anywhere.
   * @param onLine Told of each line.
   * @param onEnd Told when there will be no more, and why where that is no end.
   * @param onInterrupt Told of Ctrl-C at the prompt.
   */
  read(
    history: History | undefined,
    onLine: (line: string) => void,
    onEnd: (failure?: string) => void,
    onInterrupt: () => void,
  ): void {
    if (!this.isInteractive) return this.#readPipe(onLine, onEnd);
    // Before the prompt's own listener, which draws it anew.
    process.stdout.on("resize", this.#resized);
    const lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt: PROMPT,
      history: history?.load() ?? [],
      historySize: MAX_LINES,
    });
    this.#lines = lines;
    lines.on("line", (line) => {
      history?.add(line);
      onLine(line);
      if (this.#lines) lines.prompt();
    });
    lines.on("close", () => {
      if (this.#lines === undefined) return;
      this.#lines = undefined;
      writeText("\n");
      onEnd();
    });
    lines.on("SIGINT", onInterrupt);
    lines.prompt();
  }

  /** Stops reading for a while. */
  pause(): void {
    this.#lines?.pause();
    if (this.#isPiped) process.stdin.pause();
  }

  /** Stops reading for a while, unless a person types, who can be waited for. */
  hold(): void {
    if (!this.isInteractive) this.pause();
  }

  /** Goes on reading. */
  resume(): void {
    this.#lines?.resume();
    if (this.#isPiped) process.stdin.resume();
  }

  /** Prints a line to standard output, above the prompt. */
  print(line: string, tone: Tone = "plain"): void {
    this.#around(() => writeLine(process.stdout, line, tone));
  }

  /** Prints what no terminal is given, as it is. */
  printRaw(data: string | Uint8Array): void {
    write(process.stdout, data);
  }

  /**
   * Prints a line about the connection: on the terminal, or to standard error
   * where standard output is for messages alone.
   */
  note(line: string, tone: Tone = "note"): void {
    const { stdout, stderr } = process;
    const output = stdout.isTTY ? stdout : stderr;
    this.#around(() => writeLine(output, line, tone));
  }

  /** Stops reading; the prompt goes. */
  close(): void {
    const lines = this.#lines;
    this.#lines = undefined;
    process.stdout.off("resize", this.#resized);
    if (this.#isPiped) process.stdin.pause();
    this.#isPiped = false;
    if (lines === undefined) return;
    eraseLine(lines);
    lines.close();
  }

  #readPipe(
    onLine: (line: string) => void,
    onEnd: (failure?: string) => void,
  ): void {
    const splitter = new LineSplitter();
    const end = () => {
      if (!this.#isPiped) return;
      this.#isPiped = false;
      splitter.end().forEach(onLine);
      onEnd();
    };
    this.#isPiped = true;
    process.stdin.on("data", (chunk: Uint8Array) => {
      // What was read before it was closed may still come.
      if (!this.#isPiped) return;
      try {
        splitter.receive(chunk).forEach(onLine);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.#isPiped = false;
        process.stdin.destroy();
        onEnd(error.message);
      }
    });
    process.stdin.on("end", end);
    process.stdin.on("error", end);
  }

  /** The terminal has wrapped the line anew: the prompt is so many rows above. */
  #reflow(): void {
    const lines = this.#lines;
    if (lines === undefined) return;
    (lines as { prevRows?: number }).prevRows = lines.getCursorPos().rows;
  }

  #around(write: () => void): void {
    const lines = this.#lines;
    if (!this.isInteractive || lines === undefined) return write();
    eraseLine(lines);
    write();
    // It draws anew from where the cursor is; else it would go up as many rows as
    // the line that is typed had above.
    (lines as { prevRows?: number }).prevRows = 0;
    lines.prompt(true);
  }
}

/** Clears the prompt and what has been typed, over as many rows as it takes. */
function eraseLine(lines: Interface): void {
  moveCursor(process.stdout, 0, -lines.getCursorPos().rows);
  cursorTo(process.stdout, 0);
  clearScreenDown(process.stdout);
}
