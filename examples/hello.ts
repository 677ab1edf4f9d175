/**
 * Asks for a name and greets: a handler that is a function, at whose end the
 * connection is closed. `hello_client.ts` is the other half.
 *
 *     deno run -A examples/hello.ts
 *     bun run examples/hello.ts
 *     node examples/hello.ts
 *
 * @module
 */

import process from "node:process";
import { Site } from "@sockeye/sockeye";

const site = new Site();
site.addHandler("/hello", async (connection) => {
  const name = await connection.receive();
  console.log(`<<< ${name}`);

  const greeting = `Hello ${name}!`;
  connection.send(greeting);
  console.log(`>>> ${greeting}`);
});

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Listening on ws://localhost:${server.addr.port}/hello`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
