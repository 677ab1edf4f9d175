/**
 * A thread for each core, all on one port: the kernel gives each connection to one
 * of them (`SO_REUSEPORT`, on Linux).
 *
 *     deno run -A --unstable-net examples/multicore.ts
 *     bun run examples/multicore.ts
 *     node examples/multicore.ts
 *
 * @module
 */

import { once } from "node:events";
import { availableParallelism } from "node:os";
import process from "node:process";
import {
  isMainThread,
  parentPort,
  threadId,
  Worker,
  workerData,
} from "node:worker_threads";
import { Handler, Site } from "@sockeye/sockeye";

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;

class ThreadName extends Handler {
  override open() {
    this.connection.send(`This is thread ${threadId}.`);
  }
}

const site = new Site();
site.addHandler("/thread", ThreadName);
const server = await site.listen({
  port: isMainThread ? Number(PORT) : workerData,
  hostname: HOST,
  reusePort: true,
});
if (server.addr.transport !== "tcp") throw new Error("not on TCP");
const { port } = server.addr;

if (isMainThread) {
  const workers = Array.from(
    { length: availableParallelism() - 1 },
    () => new Worker(new URL(import.meta.url), { workerData: port }),
  );
  // Each says when it listens.
  await Promise.all(workers.map((worker) => once(worker, "message")));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const worker of workers) worker.postMessage("end");
      server.shutdown();
    });
  }
  // Last: another thread may have a client before this one has gone on.
  console.log(`Listening on ws://localhost:${port}/thread`);
} else {
  parentPort?.once("message", () => server.shutdown());
  parentPort?.postMessage("listening");
}
