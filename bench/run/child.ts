/** Starting and stopping the processes of the bench. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Row } from "./rows.ts";
import { findRuntime, ROOT, type RuntimeName } from "./runtimes.ts";

/** How to start a process. */
export interface ChildOptions {
  /** Command prefix that pins it to a core. */
  readonly pin?: readonly string[];
  /** Arguments for the runtime, before the file. */
  readonly flags?: readonly string[];
  /** Arguments for the program. */
  readonly args?: readonly string[];
}

/** What each runtime needs before the name of a file. */
const RUN_FLAGS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ["run", "-A", "--quiet"],
  bun: [],
  node: ["--disable-warning=ExperimentalWarning"],
  python: [],
};

const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

/** A process that prints lines of JSON. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #received: string[] = [];
  readonly #exited: Promise<void>;
  #waiting: ((line: string | undefined) => void) | undefined;
  #ended = false;
  #errors = "";

  /** Starts `file`, given from the repository's root, on a runtime. */
  constructor(runtime: RuntimeName, file: string, options: ChildOptions = {}) {
    const binary = findRuntime(runtime);
    if (binary === undefined) throw new Error(`Cannot find ${runtime}`);
    const { pin = [], flags = [], args = [] } = options;
    const runFlags = RUN_FLAGS[runtime];
    const command = [...pin, binary, ...runFlags, ...flags, file, ...args];
    const child = spawn(command[0] ?? "", command.slice(1), {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    running.add(child);
    this.#process = child;
    this.#exited = new Promise((resolve) => {
      child.once("close", () => {
        running.delete(child);
        this.#ended = true;
        this.#waiting?.(undefined);
        resolve();
      });
    });
    child.on("error", (error) => this.#errors += error.message);
    child.stdin?.on("error", () => {});
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#lines = createInterface({ input: child.stdout as never });
    this.#lines.on("line", (line) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#received.push(line);
      else waiting(line);
    });
  }

  /** Process id. Pinning replaces itself by what it starts, so it is the server's. */
  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** The next line of output, parsed. Rejects when the process ends first. */
  async read(): Promise<Record<string, unknown>> {
    const line = this.#received.shift() ?? await this.#nextLine();
    if (line === undefined) {
      const lines = this.#errors.trim().split("\n");
      throw new Error(
        lines.find((text) => /^\w*error: /i.test(text)) ?? lines.at(-1) ?? "",
      );
    }
    return JSON.parse(line) as Record<string, unknown>;
  }

  #nextLine(): Promise<string | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** Gives a command on standard input, and waits for the answer. */
  ask(command: string): Promise<Record<string, unknown>> {
    this.#process.stdin?.write(`${command}\n`);
    return this.read();
  }

  /** Ends it: SIGTERM, and SIGKILL for one that has not gone after 2 s. */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 2000);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** A server that listens. */
export interface RunningServer {
  /** Its process. */
  readonly child: Child;
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

/** Starts the server of a row, and waits for its port. */
export async function startServer(
  row: Row,
  options: ChildOptions = {},
): Promise<RunningServer> {
  const file = join("bench", row.file);
  const child = new Child(row.runtime, file, options);
  const { port } = await child.read();
  return { child, port: Number(port) };
}
