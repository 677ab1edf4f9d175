/**
 * Greets `heartbeat.ts`, or any other server, and prints what it says.
 *
 *     deno run -A examples/heartbeat_client.ts [ws://localhost:8080/heartbeat]
 *     bun run examples/heartbeat_client.ts [ws://localhost:8080/heartbeat]
 *     node examples/heartbeat_client.ts [ws://localhost:8080/heartbeat]
 *
 * @module
 */

import process from "node:process";
import { dial } from "@sockeye/sockeye";

const { 2: url = "ws://localhost:8080/heartbeat" } = process.argv;

console.log("connecting...");
const connection = await dial(url);
console.log("connected!");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => connection.close());
}

connection.send("hello, world!");
for await (const message of connection) {
  if (typeof message === "string") console.log(`received text: '${message}'`);
}
