/** What a bench ran on: without it a figure says nothing. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Row } from "./rows.ts";
import { findRuntime, readVersion, ROOT } from "./runtimes.ts";

/** The machine, and the versions of what is measured. */
export interface Machine {
  /** When the run began. */
  readonly date: string;
  /** The processor's name. */
  readonly processor: string;
  /** Processor cores that the system shows. */
  readonly cores: number;
  /** Memory. */
  readonly memoryGiB: number;
  /** Operating system and its release. */
  readonly system: string;
  /** The commit of this repository, `+` where files differ from it. */
  readonly commit: string;
  /** Versions of the runtimes and libraries of the rows. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this machine, and what the rows need. */
export function describeMachine(rows: readonly Row[]): Machine {
  const versions: Record<string, string> = {};
  for (const runtime of new Set(rows.map(({ runtime }) => runtime))) {
    const binary = findRuntime(runtime);
    if (binary !== undefined) {
      Object.assign(versions, readVersion(runtime, binary));
    }
  }
  if (rows.some(({ file }) => file.includes("ws."))) {
    versions["ws"] = readPackageVersion("ws");
  }
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    commit: readCommit(),
    versions,
  };
}

function readPackageVersion(name: string): string {
  const file = join(ROOT, "node_modules", name, "package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8"));
  return String(version);
}

function readCommit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" })
      .trim();
  try {
    const changed = git("status", "--porcelain").length > 0;
    return `${git("rev-parse", "--short", "HEAD")}${changed ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}
