/**
 * Sends a file to `upload.ts` as one message, which it reads as it goes.
 *
 *     deno run -A examples/upload_client.ts ws://localhost:8080 FILE
 *     bun run examples/upload_client.ts ws://localhost:8080 FILE
 *     node examples/upload_client.ts ws://localhost:8080 FILE
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { ClosedError, dial } from "@sockeye/sockeye";

const [server = "ws://localhost:8080", path = ""] = process.argv.slice(2);

try {
  const name = encodeURIComponent(basename(path));
  await using connection = await dial(`${server}/upload/${name}`);
  await connection.sendStream(createReadStream(path));
  console.log(await connection.receive());
} catch (error) {
  if (!(error instanceof ClosedError)) throw error;
  console.error(`Not taken: ${error.info.reason || error.info.code}`);
  process.exitCode = 1;
}
