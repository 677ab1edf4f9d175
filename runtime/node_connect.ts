/**
 * Connecting by `node:net` and `node:tls`: on Node, on Deno for those TLS options
 * that Deno's own API lacks, and through a tunnel everywhere: only here can TLS be
 * begun on a connection that is open.
 *
 * @module
 */

import type { Socket } from "node:net";
import { reach } from "./node_reach.ts";
import { open, openTls, settle } from "./node_socket.ts";
import { NodeTransport } from "./node_transport.ts";
import type {
  Transport,
  TransportConnectOptions,
  TransportSink,
  Tunnel,
} from "./transport.ts";

/**
 * Connects.
 *
 * @param options Where to, and how.
 * @returns The transport, not started.
 * @throws {Error} If it cannot be had, or the signal's reason.
 */
export async function connectNode(
  options: TransportConnectOptions,
): Promise<Transport> {
  const { path, tls, signal, tunnel } = options;
  signal?.throwIfAborted();
  if (tunnel !== undefined) return await connectThrough(tunnel, options);
  const { socket, ready } = path !== undefined
    ? open({ path }, options)
    : await reach(options);
  await ready;
  if (path === undefined) socket.setNoDelay(true);
  return new NodeTransport(socket, { secure: tls !== undefined, path });
}

/** A socket that was read from before, and has been paused since. */
class TunnelTransport extends NodeTransport {
  override start(sink: TransportSink): void {
    super.start(sink);
    this.resume();
  }
}

/** Connects through something in between, on every runtime. */
async function connectThrough(
  tunnel: Tunnel,
  options: TransportConnectOptions,
): Promise<Transport> {
  const { tls, signal, hostname = "127.0.0.1" } = options;
  const socket = await openTunnel(tunnel, options);
  if (tls === undefined) {
    const secure = tunnel.tls !== undefined;
    return new TunnelTransport(socket, { secure, path: undefined });
  }
  let inner: Socket;
  try {
    inner = openTls({ socket }, tls, hostname);
    await settle(inner, "secureConnect", signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return new NodeTransport(inner, { secure: true, path: undefined });
}

async function openTunnel(
  tunnel: Tunnel,
  options: TransportConnectOptions,
): Promise<Socket> {
  const { hostname, port, tls } = tunnel;
  const { signal, localAddress } = options;
  const outer = await connectNode({
    hostname,
    port,
    ...(tls && { tls }),
    ...(signal && { signal }),
    ...(localAddress && { localAddress }),
  }) as NodeTransport;
  const abort = (): void => outer.destroy();
  signal?.addEventListener("abort", abort);
  try {
    await tunnel.open(outer);
    signal?.throwIfAborted();
    return outer.release();
  } catch (error) {
    outer.destroy();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
