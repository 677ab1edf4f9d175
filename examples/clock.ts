/**
 * Shows the time on a page: one timer, one message, for all who look.
 *
 *     deno run -A examples/clock.ts
 *     bun run examples/clock.ts
 *     node examples/clock.ts
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Handler, Site } from "@sockeye/sockeye";

const page = await readFile(new URL("clock.html", import.meta.url), "utf8");

const site = new Site({
  root: (request) =>
    new URL(request.url).pathname === "/"
      ? new Response(page, { headers: { "content-type": "text/html" } })
      : new Response("Not found.\n", { status: 404 }),
});

const now = () => new Date().toISOString();

class Clock extends Handler {
  override open() {
    this.connection.send(now());
  }
}
site.addHandler("/clock", Clock);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}

const timer = setInterval(() => site.broadcast(now()), 1_000);
await server.finished;
clearInterval(timer);
