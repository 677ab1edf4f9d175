/**
 * The root on Deno: a private `Deno.serve`.
 *
 * @module
 */

import { connectDeno } from "./deno_connect.ts";
import {
  type PrivateHandler,
  type PrivateServer,
  SpliceRoot,
} from "./splice_root.ts";
import type { RootOptions } from "./transport.ts";

function start(
  handler: PrivateHandler,
  signal: AbortSignal,
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal,
    // Says nothing: nobody needs to know the address.
    onListen() {},
  }, (request, info) => handler(request, info.remoteAddr.port));
}

function serve(handler: PrivateHandler): PrivateServer {
  const controller = new AbortController();
  let server = start(handler, controller.signal);
  if (server.addr.hostname !== "127.0.0.1") {
    // The environment variable DENO_SERVE_ADDRESS moves the first server of a
    // process to another address, which need not be private.
    server.shutdown();
    server = start(handler, controller.signal);
  }
  // The connections keep the process alive, and the listener before them.
  server.unref();
  return {
    port: server.addr.port,
    finished: server.finished,
    stop: () => server.shutdown(),
    kill: () => controller.abort(),
  };
}

/**
 * Prepares the root.
 *
 * @param options Who answers.
 * @returns The root.
 */
export function openDenoRoot(options: RootOptions): SpliceRoot {
  return new SpliceRoot({
    serve,
    connect: (port) => connectDeno({ hostname: "127.0.0.1", port }),
  }, options);
}
