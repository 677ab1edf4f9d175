/**
 * Sends lines from standard input, and prints what comes.
 *
 *     deno run -A examples/client.ts ws://localhost:8080/echo
 *     bun run examples/client.ts ws://localhost:8080/echo
 *     node examples/client.ts ws://localhost:8080/echo
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { ClosedError, dial, HandshakeError } from "@sockeye/sockeye";

const url = process.argv[2];
if (url === undefined) {
  console.error("Usage: client.ts URL");
  process.exit(2);
}

const connection = await dial(url).catch((error) => {
  if (!(error instanceof HandshakeError)) throw error;
  console.error(`${error.message} (${error.reason})`);
  process.exit(1);
});

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => connection.send(line));
lines.on("close", () => connection.close());

try {
  for await (const message of connection) {
    console.log(
      typeof message === "string" ? message : `[${message.length} bytes]`,
    );
  }
} catch (error) {
  if (!(error instanceof ClosedError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
lines.close();
