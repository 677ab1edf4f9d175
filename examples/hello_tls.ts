/**
 * `hello.ts` over TLS, with a certificate that it has signed itself. Give that to
 * the client:
 *
 *     deno run -A examples/hello_tls.ts
 *     bun run examples/hello_tls.ts
 *     node examples/hello_tls.ts
 *
 *     node examples/hello_client.ts wss://localhost:8443/hello Ann \
 *       examples/localhost.crt
 *
 * Anybody has the key beside this file. Make your own pair with:
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
 *       -days 365 -keyout localhost.key -out localhost.crt -subj /CN=localhost \
 *       -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
 *       -addext basicConstraints=critical,CA:FALSE
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Site } from "@sockeye/sockeye";

const site = new Site();
site.addHandler("/hello", async (connection) => {
  connection.send(`Hello ${await connection.receive()}!`);
});

const { PORT = "8443", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({
  port: Number(PORT),
  hostname: HOST,
  tls: {
    cert: await readFile(new URL("localhost.crt", import.meta.url), "utf8"),
    key: await readFile(new URL("localhost.key", import.meta.url), "utf8"),
  },
});
if (server.addr.transport === "tcp") {
  console.log(`Listening on wss://localhost:${server.addr.port}/hello`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
