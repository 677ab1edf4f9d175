/**
 * A topic with many subscribers, of whom some are stopped by the kernel (SIGSTOP):
 * whether the others notice, and what the stopped ones cost.
 *
 * Runs the site itself, on the runtime that runs it:
 *
 * ```sh
 * node bench/frozen.ts --connections 1000 --frozen 10 --rate 100 --seconds 60
 * ```
 *
 * Each policy gets its share of the frozen ones. First all are awake for a quarter
 * of the time, for comparison.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { Handler, Site } from "@sockeye/sockeye";
import { Child } from "./run/child.ts";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "1000" },
    frozen: { type: "string", default: "10" },
    rate: { type: "string", default: "100" },
    seconds: { type: "string", default: "60" },
    bytes: { type: "string", default: "2000" },
    smoke: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  console.log(`node bench/frozen.ts [options]

  --connections N  subscribers (1000)
  --frozen N       those that are stopped (10)
  --rate N         messages per second (100)
  --seconds N      for how long (60)
  --bytes N        payload of a message, 126 to 65535 (2000)
  --smoke          a moment with few: to see that it works`);
  process.exit();
}
const smoke = { connections: "40", frozen: "4", seconds: "1" };
const { connections, frozen, rate, seconds, bytes } = Object.fromEntries(
  Object.entries({ ...values, ...(values.smoke && smoke) })
    .map(([name, value]) => [name, Number(value)]),
) as Record<"connections" | "frozen" | "rate" | "seconds" | "bytes", number>;

const POLICIES = ["close", "drop-new", "drop-old", "latest"] as const;
/** Connections that one process reads. */
const READERS = 500;

class Member extends Handler {
  override open(): void {
    this.connection.subscribe("ticks");
  }
}

const site = new Site({ broadcastMaxBytes: 1_048_576, pingIntervalMs: 0 });
for (const policy of POLICIES) {
  site.addHandler(`/${policy}`, Member, { broadcastOverflow: policy });
}
const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
const { addr } = server;
const port = `${addr.transport === "tcp" ? addr.port : 0}`;

async function read(path: string, count: number): Promise<Child> {
  const args = [port, path, `${count}`];
  const child = new Child("node", "bench/frozen/readers.ts", { args });
  await child.read();
  return child;
}

const awake: Child[] = [];
for (let left = connections - frozen; left > 0; left -= READERS) {
  awake.push(await read("/close", Math.min(READERS, left)));
}
const asleep: Child[] = [];
for (const [at, policy] of POLICIES.entries()) {
  const share = Math.floor((frozen + at) / POLICIES.length);
  if (share > 0) asleep.push(await read(`/${policy}`, share));
}
const slow = [...site.connections].slice(connections - frozen);

let number = 0;
/** Publishes for a while; returns how many messages that were. */
async function publish(forSeconds: number): Promise<number> {
  const start = performance.now();
  const message = new Uint8Array(bytes);
  const view = new DataView(message.buffer);
  let sent = 0;
  while (performance.now() - start < forSeconds * 1_000) {
    const due = Math.floor((performance.now() - start) * rate / 1_000);
    for (; sent < due; sent++) {
      view.setFloat64(0, performance.timeOrigin + performance.now());
      view.setUint32(8, number++);
      site.publish("ticks", message);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return sent;
}

async function report(what: string, sent: number): Promise<void> {
  for (const child of awake) {
    const received = await child.ask("");
    console.log(what, sent, "messages:", JSON.stringify(received));
    const { least, most, disorder } = received;
    if (least === sent && most === sent && disorder === 0) continue;
    console.error("Some that were awake have not got everything in order");
    process.exitCode = 1;
  }
}

const mebibytes = (): number =>
  Math.round(process.memoryUsage().rss / 1_048_576);

await publish(1);
await report("warm-up:", number);
await report("all awake:", await publish(seconds / 4));
for (const child of asleep) process.kill(child.pid, "SIGSTOP");
const before = mebibytes();
let mostResident = before;
let mostBuffered = 0;
const timer = setInterval(() => {
  mostResident = Math.max(mostResident, mebibytes());
  for (const { bufferedAmount } of slow) {
    mostBuffered = Math.max(mostBuffered, bufferedAmount);
  }
}, 100);
await report(`${frozen} frozen:`, await publish(seconds));
clearInterval(timer);
console.log(`resident: ${before} MiB before, at most ${mostResident} MiB`);
console.log(`send buffer of a frozen one: at most ${mostBuffered} bytes`);
for (const { readyState, request, stats } of slow) {
  const path = new URL(request.url).pathname;
  console.log(path, readyState === 1 ? "open" : "gone", stats.messagesDropped);
}
for (const child of asleep) process.kill(child.pid, "SIGCONT");
await site.shutdown({ timeoutMs: 2_000 });
for (const child of [...awake, ...asleep]) await child.stop();
