/**
 * The root on Bun: a private `Bun.serve`.
 *
 * @module
 */

import { connectBun } from "./bun_connect.ts";
import {
  type PrivateHandler,
  type PrivateServer,
  SpliceRoot,
} from "./splice_root.ts";
import type { RootOptions } from "./transport.ts";

interface BunServer {
  readonly port: number;
  stop(closeActiveConnections?: boolean): Promise<void>;
  unref(): void;
  requestIP(request: Request): { readonly port: number } | null;
}

interface BunHttp {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    readonly idleTimeout: number;
    readonly maxRequestBodySize: number;
    fetch(request: Request, server: BunServer): Response | Promise<Response>;
  }): BunServer;
}

function serve(handler: PrivateHandler): PrivateServer {
  const { serve } = (globalThis as unknown as { readonly Bun: BunHttp }).Bun;
  const server = serve({
    hostname: "127.0.0.1",
    port: 0,
    // The default, 10 s, would cut off long answers and events.
    idleTimeout: 0,
    // No limit, as on Deno and Node: it is for the root to set one.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, server) =>
      handler(request, server.requestIP(request)?.port ?? -1),
  });
  // The connections keep the process alive, and the listener before them.
  server.unref();
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => finish = resolve);
  return {
    port: server.port,
    finished,
    async stop() {
      await server.stop();
      finish();
    },
    kill() {
      // Its promise may wait for a handler that never answers.
      server.stop(true).catch(() => {});
      finish();
    },
  };
}

/**
 * Prepares the root.
 *
 * @param options Who answers.
 * @returns The root.
 */
export function openBunRoot(options: RootOptions): SpliceRoot {
  return new SpliceRoot({
    serve,
    connect: (port) => connectBun({ hostname: "127.0.0.1", port }),
  }, options);
}
