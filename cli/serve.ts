/**
 * A site at hand.
 *
 * @module
 */

import process from "node:process";
import { consoleLogger, type Server, Site } from "../server.ts";
import { printable } from "../connection.ts";
import type { ServeCommand } from "./arguments.ts";
import { serveFolder } from "./folder.ts";
import { writeError } from "./output.ts";

/**
 * Serves until a signal ends it.
 *
 * @param command What to serve, and where.
 * @returns Exit code: 1 where it cannot listen.
 */
export async function serve(command: ServeCommand): Promise<number> {
  let server: Server;
  try {
    server = await start(command);
  } catch (error) {
    writeError(`Cannot serve: ${printable((error as Error).message)}.`);
    return 1;
  }
  const stop = () => void server.shutdown();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  await server.finished;
  process.off("SIGINT", stop);
  process.off("SIGTERM", stop);
  return 0;
}

async function start(command: ServeCommand): Promise<Server> {
  const { dir, isBroadcast, origins, port, hostname, tls } = command;
  const site = new Site({
    origins: origins.includes("*") ? "*" : [...origins],
    root: dir === undefined
      ? () => new Response("A WebSocket server: connect on any path.\n")
      : await serveFolder(dir),
    onEvent: consoleLogger(),
  });
  site.addHandler("/*", {
    message: async (connection, data) => {
      if (isBroadcast) site.broadcast(data);
      // Who does not read the echo is not read from.
      else if (!connection.send(data)) await connection.drained.catch(() => {});
    },
  });
  return await site.listen({ port, hostname, ...(tls && { tls }) });
}
