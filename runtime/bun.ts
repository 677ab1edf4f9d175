/**
 * The part for Bun.
 *
 * @module
 */

import { connectBun } from "./bun_connect.ts";
import { BunListener } from "./bun_listener.ts";
import { openBunRoot } from "./bun_root.ts";
import type { Runtime } from "./transport.ts";

/** Bun's sockets. */
export const bunRuntime: Runtime = {
  name: "bun",
  async listen(options) {
    if (options.path === undefined) return new BunListener(options);
    const { listenOnSocketFile } = await import("./node_socket_file.ts");
    return await listenOnSocketFile(
      options.path,
      () => new BunListener(options),
    );
  },
  async connect(options) {
    // `Bun.connect` forgets `localAddress` while it resolves a name.
    if (options.tunnel === undefined && !options.localAddress) {
      return await connectBun(options);
    }
    return await (await import("./node.ts")).nodeRuntime.connect(options);
  },
  openRoot: openBunRoot,
  unrefTimer(timer) {
    (timer as { unref(): void }).unref();
  },
};
