/**
 * Does what lines ask for.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type { Connection } from "../client.ts";
import { printable } from "../connection.ts";
import {
  COMMANDS_HELP,
  parsePromptLine,
  type PromptLine,
} from "./prompt_line.ts";
import type { Report } from "./report.ts";

/** Sends lines, and does what they say where they may be commands. */
export class LineSender {
  readonly #report: Report;
  readonly #takesCommands: boolean;
  #hasFailed = false;

  /**
   * @param report Told what comes of commands.
   * @param takesCommands Whether lines may be commands.
   */
  constructor(report: Report, takesCommands: boolean) {
    this.#report = report;
    this.#takesCommands = takesCommands;
  }

  /** Whether there was a command that could not be done. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /**
   * Does what a line says, or sends it.
   *
   * @returns `false` to wait for `drained` before the next one.
   */
  perform(line: string, connection: Connection): boolean {
    if (!this.#takesCommands) return connection.send(line);
    try {
      return this.#perform(parsePromptLine(line), connection);
    } catch (error) {
      // A code that no endpoint may send, a ping that is too long.
      this.fail((error as Error).message);
      return true;
    }
  }

  /** Tells what could not be done. */
  fail(message: string): void {
    this.#hasFailed = true;
    this.#report.mistaken(message);
  }

  #perform(line: PromptLine, connection: Connection): boolean {
    switch (line.kind) {
      case "text":
        return connection.send(line.text);
      case "binary":
        return connection.send(line.bytes);
      case "file":
        return this.#sendFile(line.path, line.isText, connection);
      case "ping":
        this.#ping(line.payload, connection);
        return true;
      case "close":
        void connection.close(line.code, line.reason);
        return true;
      case "help":
        this.#report.helped(COMMANDS_HELP);
        return true;
      case "mistake":
        this.fail(line.message);
        return true;
    }
  }

  /** At once, so that lines behind it stay there. */
  #sendFile(path: string, isText: boolean, connection: Connection): boolean {
    let bytes;
    try {
      bytes = readFileSync(path);
      if (isText) {
        const decoder = new TextDecoder("utf-8", {
          fatal: true,
          ignoreBOM: true,
        });
        return connection.send(decoder.decode(bytes));
      }
    } catch {
      const what = bytes === undefined ? "Cannot read" : "No UTF-8 is in";
      this.fail(`${what} ${printable(path)}`);
      return true;
    }
    return connection.send(bytes);
  }

  #ping(payload: string | undefined, connection: Connection): void {
    const bytes = payload === undefined
      ? undefined
      : new TextEncoder().encode(payload);
    connection.ping(bytes).then(
      (ms) => this.#report.ponged(ms),
      // It has been closed meanwhile, which is reported.
      () => {},
    );
  }
}
