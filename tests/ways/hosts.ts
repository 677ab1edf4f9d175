/**
 * The runtimes' own servers, as a program of a user's would start them: with a
 * fetch handler, and on Bun what `websocket` says.
 */
import type { Site } from "../../server.ts";
import { certificate } from "../runtime/recorder.ts";

/** A fetch handler. */
export type Fetch = (
  request: Request,
  info: unknown,
) => Response | Promise<Response>;

/** A server of the runtime's own. */
export interface HostServer {
  readonly port: number;
  /** Stops it, and drops who is still there. */
  stop(): Promise<void>;
}

interface DenoServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
}

interface HostGlobals {
  readonly Deno: {
    serve(options: object, handler: Fetch): DenoServer;
  };
  readonly Bun: {
    serve(options: object): { readonly port: number; stop(now: true): void };
  };
}

const globals = globalThis as unknown as HostGlobals;

/** `Deno.serve`. */
export function serveOnDeno(fetch: Fetch, tls = false): HostServer {
  const controller = new AbortController();
  const server = globals.Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: controller.signal,
    onListen() {},
    ...(tls && { cert: certificate("leaf.crt"), key: certificate("leaf.key") }),
  }, fetch);
  return {
    port: server.addr.port,
    async stop() {
      controller.abort();
      await server.finished;
    },
  };
}

/** `Bun.serve`. */
export function serveOnBun(
  fetch: Fetch,
  websocket: Site["websocket"],
  tls = false,
): HostServer {
  const server = globals.Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch,
    websocket,
    ...(tls && {
      tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
    }),
  });
  return {
    port: server.port,
    stop() {
      server.stop(true);
      return Promise.resolve();
    },
  };
}

/** The server of the runtime at hand, which is not Node. */
export function serveHost(
  fetch: Fetch,
  websocket: Site["websocket"],
  tls = false,
): HostServer {
  return "Deno" in globalThis
    ? serveOnDeno(fetch, tls)
    : serveOnBun(fetch, websocket, tls);
}
