/**
 * Tells `hello.ts` or `hello_tls.ts` a name, and prints the greeting.
 *
 *     deno run -A examples/hello_client.ts [URL [NAME [CERTIFICATE]]]
 *     bun run examples/hello_client.ts [URL [NAME [CERTIFICATE]]]
 *     node examples/hello_client.ts [URL [NAME [CERTIFICATE]]]
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { dial } from "@sockeye/sockeye";

const [url = "ws://localhost:8080/hello", name = "you", certificate] = process
  .argv.slice(2);

// A certificate that nobody has signed but its owner is trusted by name.
const tls = certificate && { ca: await readFile(certificate, "utf8") };
const connection = await dial(url, tls ? { tls } : {});

connection.send(name);
console.log(`>>> ${name}`);
for await (const greeting of connection) console.log(`<<< ${greeting}`);

const { code } = await connection.closed;
console.log(`closed: ${code}`);
