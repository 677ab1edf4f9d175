/**
 * Takes files straight to the disk, however large they are: a message is a file,
 * and is written as it comes, no faster than the disk takes it.
 *
 *     deno run -A examples/upload.ts [FOLDER]
 *     bun run examples/upload.ts [FOLDER]
 *     node examples/upload.ts [FOLDER]
 *
 * FOLDER is where to put them, `uploads` where it is not given. `upload_client.ts`
 * sends a file.
 *
 * @module
 */

import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import {
  type ConnectionRequest,
  Handler,
  Site,
  type StreamedMessage,
  type UpgradeInfo,
} from "@sockeye/sockeye";

const folder = process.argv[2] ?? "uploads";
await mkdir(folder, { recursive: true });

/** No separators, and nothing that is hidden. */
const FILE_NAME = /^[\w-][\w.-]*$/;

class Upload extends Handler {
  static upgrade(_request: ConnectionRequest, { params }: UpgradeInfo) {
    if (FILE_NAME.test(params.name ?? "")) return;
    return new Response("That is no name for a file.\n", { status: 400 });
  }

  override async stream(message: StreamedMessage) {
    const { connection } = this;
    const path = join(folder, `${connection.params.name}`);
    if (!message.binary) return void connection.close(1003, "bytes only");
    const file = createWriteStream(path, { flags: "wx" });
    try {
      await pipeline(message, file);
    } catch (error) {
      const isThere = (error as { code?: unknown }).code === "EEXIST";
      if (isThere) return void connection.close(4409, "it is there already");
      // What has come of it is of no use.
      await rm(path, { force: true });
      throw error;
    }
    connection.send(`${file.bytesWritten} bytes`);
  }
}

const site = new Site();
site.addHandler("/upload/:name", Upload, {
  maxStreamBytes: 10 * 2 ** 30,
  maxFragments: Infinity,
});

const { PORT = "8080", HOST = "127.0.0.1" } = process.env;
const server = await site.listen({ port: Number(PORT), hostname: HOST });
if (server.addr.transport === "tcp") {
  console.log(`Files to ${folder} from ws://localhost:${server.addr.port}`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => server.shutdown());
}
