/** Which processor cores the server and the load get, where `taskset` is there. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

/** Command prefixes, empty where nothing is pinned. */
export interface Pinning {
  /** Before the server's command. */
  readonly server: readonly string[];
  /** Before the load's command. */
  readonly load: readonly string[];
}

/** Everything runs wherever there is room. */
export const NO_PINNING: Pinning = { server: [], load: [] };

/** Picks two cores of this process's, not two threads of one core where avoidable. */
export function choosePinning(): Pinning {
  try {
    const own = execFileSync("taskset", ["-cp", String(process.pid)], {
      encoding: "utf8",
    });
    const cores = parseList(own.slice(own.lastIndexOf(":") + 1));
    const [server] = cores;
    if (server === undefined || cores.length < 2) return NO_PINNING;
    const siblings = readSiblings(server);
    const load = cores.find((core) => !siblings.includes(core)) ?? cores[1];
    return {
      server: ["taskset", "-c", String(server)],
      load: ["taskset", "-c", String(load)],
    };
  } catch {
    return NO_PINNING;
  }
}

/** The threads that share a core with `core`, itself among them. */
function readSiblings(core: number): readonly number[] {
  const file =
    `/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`;
  try {
    return parseList(readFileSync(file, "utf8"));
  } catch {
    return [core];
  }
}

/** Reads `0-3,8`. */
function parseList(text: string): number[] {
  return text.trim().split(",").flatMap((part) => {
    const [first = NaN, last = first] = part.split("-").map(Number);
    return Array.from(
      { length: last - first + 1 },
      (_, index) => first + index,
    );
  });
}
