/**
 * Where the runtimes are. A launcher script would be measured along with what
 * it launches, so the binaries inside the npm packages are taken by themselves.
 */
import { execFileSync, spawnSync } from "node:child_process";
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

const found = new Map<RuntimeName, string | undefined>();

/** The binary of a runtime, or `undefined` where there is none. */
export function findRuntime(name: RuntimeName): string | undefined {
  if (!found.has(name)) {
    found.set(name, name === "python" ? findPython() : findBinary(name));
  }
  return found.get(name);
}

/** What `PYTHON` names, or the first that can import `websockets`. */
function findPython(): string | undefined {
  const named = process.env["PYTHON"];
  const pythons = named === undefined
    ? [...listInPath("python3"), "/usr/bin/python3"]
    : [named];
  return pythons.find((python) => {
    const script = "from websockets import serve";
    return spawnSync(python, ["-c", script]).status === 0;
  });
}

function findBinary(name: RuntimeName): string | undefined {
  const patterns = PLACES[name].map((place) =>
    join(ROOT, "node_modules", place)
  );
  return patterns.flatMap((pattern) => globSync(pattern)).find(isBinary) ??
    findInPath(name);
}

function findInPath(name: string): string | undefined {
  const files = listInPath(name);
  return files.find((file) => isBinary(realpathSync(file))) ?? files[0];
}

function listInPath(name: string): readonly string[] {
  return (process.env["PATH"] ?? "").split(delimiter)
    .map((folder) => join(folder, name)).filter(existsSync);
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

/** Versions of a runtime, and of the library that its rows stand for. */
export function readVersion(
  name: RuntimeName,
  binary: string,
): Readonly<Record<string, string>> {
  const ask = (...args: string[]): string =>
    execFileSync(binary, args, { encoding: "utf8", stdio: "pipe" }).trim();
  if (name === "python") {
    const [python = "", websockets = ""] = ask(
      "-c",
      "import platform, websockets; " +
        "print(platform.python_version(), websockets.__version__)",
    ).split(" ");
    return { python, websockets };
  }
  // `v24.21.0`, `1.4.5`, `deno 2.9.6 (stable, …)`.
  const text = ask("--version");
  return { [name]: /\d+\.\d+\.\d+\S*/.exec(text)?.[0] ?? text };
}
