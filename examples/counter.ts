/**
 * One counter that all browsers share: who presses a button changes it for
 * everybody, and all see the same values in the same order.
 *
 *     deno run -A examples/counter.ts
 *     bun run examples/counter.ts
 *     node examples/counter.ts
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Handler, Site } from "@sockeye/sockeye";

const page = await readFile(new URL("counter.html", import.meta.url), "utf8");

const site = new Site({
  root: (request) =>
    new URL(request.url).pathname === "/"
      ? new Response(page, { headers: { "content-type": "text/html" } })
      : new Response("Not found.\n", { status: 404 }),
});

let value = 0;

function tellUsers() {
  const { size } = site.connections;
  site.broadcast(JSON.stringify({ type: "users", count: size }));
}

class Counter extends Handler {
  override open() {
    this.connection.send(JSON.stringify({ type: "value", value }));
    tellUsers();
  }

  override message(data: string | Uint8Array) {
    if (data === "plus") value++;
    else if (data === "minus") value--;
    else return void this.connection.close(1008, "plus or minus");
    site.broadcast(JSON.stringify({ type: "value", value }));
  }

  // It has left `site.connections` by now.
  override close() {
    tellUsers();
  }
}
site.addHandler("/counter", Counter);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
