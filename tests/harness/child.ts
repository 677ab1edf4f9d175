/**
 * Other programs as peers: where they are, and how to talk to them. A peer
 * prints one JSON value per line.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.ts";
import { rawConnect } from "./raw_client.ts";

/** Names of the runtimes. */
export type RuntimeName = "deno" | "bun" | "node";

/** All three. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** The runtime that this test runs on. */
export const currentRuntime: RuntimeName = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/** Path of a file of the checkout, given from its root. */
export function checkoutPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** The first of some paths where something is. */
export function firstThere(
  paths: readonly (string | undefined)[],
): string | undefined {
  return paths.find((path) => path !== undefined && existsSync(path));
}

/** Where a runtime's binary is; `undefined` where it is not installed. */
export function runtimePath(name: RuntimeName): string | undefined {
  if (name === currentRuntime) return process.execPath;
  return firstThere([
    process.env[`SOCKEYE_${name.toUpperCase()}`],
    checkoutPath(`node_modules/.bin/${name}`),
  ]);
}

const DEBIAN_WEBSOCKETS = "/usr/lib/python3/dist-packages/websockets";

/** A Python that has `websockets`, as the runner or Debian has it. */
export const pythonPath: string | undefined = firstThere([
  process.env["SOCKEYE_PYTHON"],
  ...(existsSync(DEBIAN_WEBSOCKETS) ? ["/usr/bin/python3"] : []),
]);

/** A Chromium. */
export const chromiumPath: string | undefined = firstThere([
  process.env["SOCKEYE_CHROMIUM"],
  "/usr/bin/chromium",
]);

/**
 * Arguments that make a runtime run a script.
 *
 * @param flags More flags for Deno.
 */
export function scriptArguments(
  name: RuntimeName,
  script: string,
  flags: readonly string[] = ["--no-check"],
): string[] {
  const path = checkoutPath(script);
  return name === "deno" ? ["run", "-A", ...flags, path] : [path];
}

/** How a child ended. */
export interface ChildExit {
  /** Exit code; `null` after a signal. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly signal: string | null;
}

/** A child process. Dispose of it: it is killed, and waited for. */
export class Child implements AsyncDisposable {
  /** Settles when the process and its pipes are gone. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #stderr = "";
  #gone = false;
  #wake: (() => void) | undefined;

  /** Starts a program, with more in its environment where `env` says so. */
  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#process = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", NODE_NO_WARNINGS: "1", ...env },
      cwd: checkoutPath(""),
    });
    const { stdin, stdout, stderr } = this.#process;
    // A child that has ended cannot be written to: its exit says it better.
    stdin?.on("error", () => {});
    createInterface({ input: stdout! }).on("line", (line: string) => {
      this.#lines.push(line);
      this.#wake?.();
    });
    stderr?.on("data", (chunk: Uint8Array) => {
      this.#stderr += new TextDecoder().decode(chunk);
    });
    this.exited = new Promise((resolve) => {
      this.#process.on("error", (error: Error) => {
        this.#stderr += `${error}`;
      });
      this.#process.on(
        "close",
        (code: number | null, signal: string | null) => {
          this.#gone = true;
          this.#wake?.();
          resolve({ code, signal });
        },
      );
    });
  }

  /** Starts a script of the checkout on the runtime that this test runs on. */
  static running(
    script: string,
    args: readonly string[] = [],
    env?: Readonly<Record<string, string>>,
  ): Child {
    const command = runtimePath(currentRuntime) ?? "";
    const all = [...scriptArguments(currentRuntime, script), ...args];
    return new Child(command, all, env);
  }

  /** What it has printed to standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The lines that it has printed and nobody has waited for, up to now. */
  get output(): string {
    return this.#lines.join("\n");
  }

  /** Waits for its next line. */
  async line(timeoutMs = 30_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (true) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#gone) throw new Error(`The child has ended: ${this.#stderr}`);
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const what = `a line of the child, which said "${this.#stderr}"`;
      await within(woken, what, deadline - Date.now());
    }
  }

  /** Waits for its next line, and reads the JSON in it. */
  async json<T>(timeoutMs?: number): Promise<T> {
    return JSON.parse(await this.line(timeoutMs)) as T;
  }

  /** Sends a line to its standard input. */
  say(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Ends its standard input. */
  endInput(): void {
    this.#process.stdin?.end();
  }

  /** Sends it a signal. */
  signal(
    name: "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT",
  ): void {
    // Not by the child's own `kill`: after it Deno 2.9.6 reports that signal as
    // what ended the child, though it ended by itself.
    const { pid } = this.#process;
    if (pid === undefined || this.#gone) return;
    try {
      process.kill(pid, name);
    } catch (error) {
      // It has just ended, and that has yet to be told.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Waits until it listens on a port of 127.0.0.1; tells whether it ever did. */
  async listens(port: number): Promise<boolean> {
    const deadline = Date.now() + 10_000;
    while (!this.#gone && Date.now() < deadline) {
      try {
        await (await rawConnect(port))[Symbol.asyncDispose]();
        return true;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    return false;
  }

  /** Waits until it has ended by itself, in good order; fails otherwise. */
  async assertEnds(timeoutMs?: number): Promise<void> {
    const what = "the end of a child";
    const { code, signal } = await within(this.exited, what, timeoutMs);
    if (code === 0 && this.#stderr === "") return;
    throw new Error(`The child ended with ${code ?? signal}: ${this.#stderr}`);
  }

  /** Kills it, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await within(this.exited, "the end of a child");
  }
}
