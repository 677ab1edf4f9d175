/**
 * What one says, all hear: the speaker too. Open the page twice.
 *
 *     deno run -A examples/broadcast.ts
 *     bun run examples/broadcast.ts
 *     node examples/broadcast.ts
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Handler, Site } from "@sockeye/sockeye";

const page = await readFile(new URL("broadcast.html", import.meta.url), "utf8");

const site = new Site({
  root: (request) =>
    new URL(request.url).pathname === "/"
      ? new Response(page, { headers: { "content-type": "text/html" } })
      : new Response("Not found.\n", { status: 404 }),
});

// Nobody keeps a list of clients: the site knows who is open.
class ToAll extends Handler {
  override message(data: string | Uint8Array) {
    const { sent, skipped } = site.broadcast(data);
    console.log(`sent to ${sent}, skipped ${skipped}`);
  }
}
site.addHandler("/all", ToAll);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
