/**
 * A heartbeat every second and a reply to each text, with a page that connects
 * at the press of a button. `heartbeat_client.ts` talks to it too.
 *
 *     deno run -A examples/heartbeat.ts
 *     bun run examples/heartbeat.ts
 *     node examples/heartbeat.ts
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Handler, Site } from "@sockeye/sockeye";

class Heartbeat extends Handler {
  #count = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  override open() {
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), 1_000);
  }

  override message(data: string | Uint8Array) {
    if (typeof data === "string") this.connection.send(`reply to ${data}`);
  }

  override close() {
    clearInterval(this.#timer);
  }

  #beat() {
    this.connection.send(`heartbeat ${++this.#count}`);
  }
}

const page = await readFile(new URL("heartbeat.html", import.meta.url), "utf8");

const site = new Site({
  root: (request) =>
    new URL(request.url).pathname === "/"
      ? new Response(page, { headers: { "content-type": "text/html" } })
      : new Response("Not found.\n", { status: 404 }),
});
site.addHandler("/heartbeat", Heartbeat);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
