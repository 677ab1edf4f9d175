/**
 * Lines of earlier sessions, in a file.
 *
 * @module
 */

import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import process from "node:process";

/** How many lines are kept. */
export const MAX_LINES = 1_000;
/** Longer lines are not kept. */
const MAX_LINE_LENGTH = 4_096;
/** What is larger was not written by us. */
const MAX_FILE_BYTES = 2 ** 24;

/**
 * Lines of earlier sessions. Nobody else may read the file; lines that begin with
 * a blank are not written, as in a shell. Where it cannot be read or written
 * there is no history, and that is all.
 */
export class History {
  readonly #path: string | undefined;
  #last: string | undefined;

  /** @param path Path of the file; made when it is needed. */
  constructor(path: string | undefined = historyPath()) {
    this.#path = path;
  }

  /**
   * Reads it, and shortens the file where it has grown.
   *
   * @returns Lines, the newest first.
   */
  load(): string[] {
    if (this.#path === undefined) return [];
    try {
      const { mode, size } = statSync(this.#path);
      if (size > MAX_FILE_BYTES) return [];
      if (mode & 0o077) chmodSync(this.#path, 0o600);
      const lines = readFileSync(this.#path, "utf8").split("\n")
        .filter(isKept);
      const newest = lines.slice(-MAX_LINES);
      if (lines.length > 2 * MAX_LINES) rewrite(this.#path, newest);
      this.#last = newest.at(-1);
      return newest.reverse();
    } catch {
      return [];
    }
  }

  /** Adds a line, at once: several sessions may write. */
  add(line: string): void {
    if (this.#path === undefined || !isKept(line) || line === this.#last) {
      return;
    }
    this.#last = line;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
    } catch {
      // Nobody who talks to a server wants to hear of this.
    }
  }
}

/** Where the user's state is kept, as the XDG Base Directory Specification has it. */
export function historyPath(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const { XDG_STATE_HOME: state, LOCALAPPDATA: local, HOME: home } = env;
  // "All paths set in these environment variables must be absolute."
  const dir = state && isAbsolute(state)
    ? state
    : local || (home && join(home, ".local", "state"));
  return dir ? join(dir, "sockeye", "history") : undefined;
}

/** No control character is let through: lines are printed as they are. */
function isKept(line: string): boolean {
  return line.length <= MAX_LINE_LENGTH &&
    /^[^\s\p{Cc}][^\p{Cc}]*$/u.test(line);
}

function rewrite(path: string, lines: readonly string[]): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, lines.map((line) => `${line}\n`).join(""), {
    mode: 0o600,
  });
  renameSync(fresh, path);
}
