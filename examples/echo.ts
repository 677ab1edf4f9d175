/**
 * An echo, with a page that talks to it.
 *
 *     deno run -A examples/echo.ts [--port 8080]
 *     bun run examples/echo.ts [--port 8080]
 *     node examples/echo.ts [--port 8080]
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import { Handler, Site } from "@sockeye/sockeye";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: process.env.PORT ?? "8080" },
    hostname: { type: "string", default: process.env.HOST ?? "127.0.0.1" },
  },
});

class Echo extends Handler {
  override message(data: string | Uint8Array) {
    this.connection.send(data);
  }
}

const page = await readFile(new URL("echo.html", import.meta.url), "utf8");

const site = new Site({
  root: (request) =>
    new URL(request.url).pathname === "/"
      ? new Response(page, { headers: { "content-type": "text/html" } })
      : new Response("Not found.\n", { status: 404 }),
});
site.addHandler("/echo", Echo);

const server = await site.listen({
  port: Number(values.port),
  hostname: values.hostname,
});
if (server.addr.transport === "tcp") {
  console.log(`Listening on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
