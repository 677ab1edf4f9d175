/** Sockets of a worker, after `Create-on-worker-shutdown` of the web platform. */
import { Worker } from "node:worker_threads";
import { assertEquals, test } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { serve, until } from "../site/served.ts";

test("Create-on-worker-shutdown: a worker's end ends its sockets, nothing else", async () => {
  await serve({}, async ({ port, site }) => {
    const before = site.connections.size;
    const url = new URL("./worker.ts", import.meta.url);
    const worker = new Worker(url, {
      workerData: `ws://127.0.0.1:${port}/echo`,
    });
    const opened = new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    assertEquals(await within(opened, "the worker's socket"), "open");
    await worker.terminate();
    await until(() => site.connections.size === before, "the sockets' end");
  });
});
