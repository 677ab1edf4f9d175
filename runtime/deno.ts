/**
 * The part for Deno.
 *
 * TLS goes through `node:tls`, for Deno's own has two faults (2.9.6):
 *
 * - A connection that is closed in the middle of its handshake keeps its
 *   descriptor until the peer closes. So a silent peer, or a silent server at
 *   the other end of an aborted `connect`, could not be shaken off.
 * - `Deno.listenTls` has no way to turn Nagle's algorithm off: an exchange of
 *   64 KiB messages stalls for 40 ms each time (23 a second per connection,
 *   against 575 through `node:tls`).
 *
 * Besides, it can neither leave a certificate unchecked nor have a server name
 * and a client certificate at once.
 *
 * @module
 */

import { connectDeno } from "./deno_connect.ts";
import { DenoListener } from "./deno_listener.ts";
import { openDenoRoot } from "./deno_root.ts";
import type { Runtime } from "./transport.ts";

/** Deno's sockets. */
export const denoRuntime: Runtime = {
  name: "deno",
  async listen(options) {
    if (options.tls !== undefined) {
      return await (await import("./node.ts")).nodeRuntime.listen(options);
    }
    if (options.path === undefined) return new DenoListener(options);
    const { listenOnSocketFile } = await import("./node_socket_file.ts");
    return await listenOnSocketFile(
      options.path,
      () => new DenoListener(options),
    );
  },
  async connect(options) {
    const { tls, tunnel, localAddress } = options;
    // `Deno.connect` has no local address.
    if (tls === undefined && tunnel === undefined && !localAddress) {
      return await connectDeno(options);
    }
    return await (await import("./node.ts")).nodeRuntime.connect(options);
  },
  openRoot: openDenoRoot,
  unrefTimer(timer) {
    Deno.unrefTimer(timer as number);
  },
};
