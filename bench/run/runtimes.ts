/**
 * Where the runtimes are. A launcher script would be measured along with what
 * it launches, so the binaries inside the npm packages are taken by themselves.
 */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  globSync,
  openSync,
  readSync,
  realpathSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What a server runs on. */
export type RuntimeName = "deno" | "bun" | "node" | "python";

/** The repository's root. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Places of the binaries below `node_modules`. */
const PLACES: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ["@deno/*/deno", "@deno/*/deno.exe"],
  bun: ["@oven/bun-*/bin/bun*", "bun/bin/bun.exe", "bun/bin/bun"],
  node: ["node/bin/node", "node-bin-*/bin/node"],
  python: [],
};

/** First bytes of an ELF or Mach-O file, and of a Windows executable. */
const MAGICS = ["7f454c46", "cffaedfe", "cafebabe", "4d5a"];

/** The binary of a runtime, or `undefined` where there is none. */
export function findRuntime(name: RuntimeName): string | undefined {
  if (name === "python") return process.env["PYTHON"] ?? findInPath("python3");
  const patterns = PLACES[name].map((place) =>
    join(ROOT, "node_modules", place)
  );
  return patterns.flatMap((pattern) => globSync(pattern)).find(isBinary) ??
    findInPath(name);
}

function findInPath(name: string): string | undefined {
  const files = (process.env["PATH"] ?? "").split(delimiter)
    .map((folder) => join(folder, name)).filter(existsSync);
  return files.find((file) => isBinary(realpathSync(file))) ?? files[0];
}

function isBinary(file: string): boolean {
  const head = new Uint8Array(4);
  const descriptor = openSync(file, "r");
  readSync(descriptor, head);
  closeSync(descriptor);
  const hex = head.toHex?.() ??
    [...head].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return MAGICS.some((magic) => hex.startsWith(magic));
}

/** A runtime's version, as it tells it itself. */
export function readVersion(name: RuntimeName, binary: string): string {
  try {
    const text = name === "python"
      ? execFileSync(binary, [
        "-c",
        "import websockets; print('websockets', websockets.__version__)",
      ], { encoding: "utf8", stdio: "pipe" })
      : execFileSync(binary, ["--version"], { encoding: "utf8" });
    return text.split("\n")[0] ?? "";
  } catch {
    return "not usable";
  }
}
