/**
 * What every server of the bench shares: it says where it listens, ends on
 * SIGTERM, and answers commands on standard input, each with a line of JSON.
 *
 * - `gc` collects garbage where the runtime lets a program ask for it, and
 *   answers `{"gc":true}` or `{"gc":false}`.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

interface Collectors {
  readonly gc?: () => void;
  readonly Bun?: { gc(synchronous: boolean): void };
}

/** Whether messages are to be kept rather than echoed: memory mode LC-5. */
export const KEEPS_MESSAGES: boolean = process.argv.includes("--keep");

/** How messages are to be compressed, as the server knows it; absent for not at all. */
export const DEFLATE: string | undefined = process.argv
  .find((argument) => argument.startsWith("--deflate="))?.split("=")[1];

/** A certificate for 127.0.0.1 and its key, as PEM texts, where TLS is asked for. */
export const TLS: { cert: string; key: string } | undefined =
  process.argv.includes("--tls")
    ? { cert: readCertificate("self.crt"), key: readCertificate("self.key") }
    : undefined;

function readCertificate(name: string): string {
  const url = new URL(`../../tests/certs/${name}`, import.meta.url);
  return readFileSync(url, "utf8");
}

/** Prints the port as `{"port":…}` and begins to obey commands. */
export function announce(port: number): void {
  process.on("SIGTERM", () => process.exit(0));
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (line === "gc") console.log(JSON.stringify({ gc: collectGarbage() }));
  });
  console.log(JSON.stringify({ port }));
}

function collectGarbage(): boolean {
  const { gc, Bun: bun } = globalThis as Collectors;
  if (bun !== undefined) bun.gc(true);
  else if (gc !== undefined) gc();
  else return false;
  return true;
}
