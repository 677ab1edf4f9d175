/**
 * What compression takes of memory and time, in a process of its own: prints the
 * growth of the scenario that its argument names, as one object in a line.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import {
  makeDeflate,
  type MessageDeflate,
} from "../../runtime/message_deflate.ts";
import { LIMIT, MIB_OF_ZEROS, SETTINGS, terms } from "./deflating.ts";

const { Bun, gc } = globalThis as {
  Bun?: { gc(force: boolean): void };
  gc?: () => void;
};

function collect(): void {
  if (Bun === undefined) gc!();
  else Bun.gc(true);
}

/** How much larger the process is after a body that was run before, in bytes. */
function growth(body: (count: number) => void, count: number): number {
  body(500);
  collect();
  const before = process.memoryUsage().rss;
  body(count);
  collect();
  return process.memoryUsage().rss - before;
}

/** One bomb of 1 GiB (PM-1). */
function bomb(): Record<string, unknown> {
  const bomb = Buffer.concat(Array(1_024).fill(MIB_OF_ZEROS));
  const deflate = makeDeflate("server", terms(12), SETTINGS);
  const rssBefore = process.memoryUsage().rss;
  const before = process.cpuUsage();
  const result = deflate.decode(bomb, LIMIT);
  const { user, system } = process.cpuUsage(before);
  const grownBytes = process.memoryUsage().rss - rssBefore;
  const cpuMs = (user + system) / 1000;
  return { result, cpuMs, grownBytes, bombBytes: bomb.length };
}

/** Contexts that are filled and released (PM-9). */
function contexts(): Record<string, unknown> {
  const line = Buffer.from("a line of a page, and numbers: ".repeat(600));
  const payload = makeDeflate("client", terms(15), SETTINGS).encode(line)!;
  const released: MessageDeflate[] = [];
  const grownBytes = growth((count) => {
    for (let round = 0; round < count; round++) {
      const deflate = makeDeflate("server", terms(15), SETTINGS);
      deflate.encode(Buffer.from(`tick ${round}, tick ${round + 1}`));
      deflate.decode(payload, LIMIT);
      deflate.release();
      released.push(deflate);
    }
  }, 8_000);
  return { grownBytes, released: released.length };
}

/** Small bombs, each on a connection of its own (PM-2). */
function bombs(): Record<string, unknown> {
  const bomb = Buffer.concat(Array(4).fill(MIB_OF_ZEROS));
  const connections: MessageDeflate[] = [];
  const results = new Set<unknown>();
  const grownBytes = growth((count) => {
    for (let index = 0; index < count; index++) {
      const deflate = makeDeflate("server", terms(12), SETTINGS);
      connections.push(deflate);
      results.add(deflate.decode(bomb, LIMIT));
    }
  }, 1_000);
  const alive = connections.length;
  return { grownBytes, alive, results: [...results] };
}

const SCENARIOS: Readonly<Record<string, () => Record<string, unknown>>> = {
  bomb,
  contexts,
  bombs,
};
console.log(JSON.stringify(SCENARIOS[process.argv[2]!]!()));
