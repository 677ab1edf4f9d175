/**
 * The same site, in a server of the runtime's own: both Deno and Bun serve what a
 * program exports. Node's HTTP server has no WebSockets, so there it listens.
 *
 *     deno serve -A --port 8080 examples/hosted.ts
 *     PORT=8080 bun run examples/hosted.ts
 *     PORT=8080 node examples/hosted.ts
 *
 * @module
 */

import process from "node:process";
import { Handler, Site } from "@sockeye/sockeye";

class Echo extends Handler {
  override message(data: string | Uint8Array) {
    this.connection.send(data);
  }
}

const site: Site = new Site({
  root: (request) => new Response(`No WebSocket: ${request.method}\n`),
});
site.addHandler("/echo", Echo);

export default site;

if (!("Deno" in globalThis) && !("Bun" in globalThis)) {
  const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
  const { addr } = await site.listen({ port: Number(PORT), hostname: HOST });
  if (addr.transport === "tcp") {
    console.log(`Listening on http://localhost:${addr.port}/`);
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await site.shutdown({ reason: "the example ends", timeoutMs: 2_000 });
    process.exit(0);
  });
}
