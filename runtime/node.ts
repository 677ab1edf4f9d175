/**
 * The part for Node.
 *
 * @module
 */

import { connectNode } from "./node_connect.ts";
import { listenNode } from "./node_listener.ts";
import { openNodeRoot } from "./node_root.ts";
import type { Runtime } from "./transport.ts";

/** Node's sockets. */
export const nodeRuntime: Runtime = {
  name: "node",
  async listen(options) {
    if (options.path === undefined) return await listenNode(options);
    const { listenOnSocketFile } = await import("./node_socket_file.ts");
    return await listenOnSocketFile(options.path, () => listenNode(options));
  },
  connect: connectNode,
  openRoot: openNodeRoot,
  unrefTimer(timer) {
    (timer as { unref(): void }).unref();
  },
};
