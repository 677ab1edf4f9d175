/**
 * Lists and serves the files of a folder, and echoes on the same port.
 *
 *     deno run -A examples/files.ts [FOLDER]
 *
 * It takes `@std/http` and `@std/path` from JSR. On Deno alone: `serveDir` reads
 * files with what only Deno has.
 *
 * @module
 */

import process from "node:process";
import { serveDir } from "@std/http/file-server";
import { resolve } from "@std/path";
import { Handler, Site } from "@sockeye/sockeye";

class Echo extends Handler {
  override message(data: string | Uint8Array) {
    this.connection.send(data);
  }
}

const fsRoot = resolve(process.argv[2] ?? ".");

const site = new Site({
  root: (request) =>
    serveDir(request, { fsRoot, showDirListing: true, quiet: true }),
});
site.addHandler("/echo", Echo);

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Serving ${fsRoot} on http://localhost:${server.addr.port}/`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
