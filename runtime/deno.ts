/**
 * The part for Deno.
 *
 * @module
 */
import { connectDeno } from "./deno_connect.ts";
import { DenoListener } from "./deno_listener.ts";
import type { Runtime } from "./transport.ts";

/** Deno's sockets. */
export const denoRuntime: Runtime = {
  name: "deno",
  async listen(options) {
    if (options.path === undefined) return new DenoListener(options);
    const { listenOnSocketFile } = await import("./node_socket_file.ts");
    return await listenOnSocketFile(
      options.path,
      () => new DenoListener(options),
    );
  },
  connect: connectDeno,
  openRoot() {
    throw new Error("not yet");
  },
  unrefTimer(timer) {
    Deno.unrefTimer(timer as number);
  },
};
