/**
 * Connecting by `node:net` and `node:tls`: on Node, on Deno for those TLS options
 * that Deno's own API lacks, and through a tunnel everywhere: only here can TLS be
 * begun on a connection that is open.
 *
 * @module
 */
import { connect, isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
} from "node:tls";
import { NodeTransport } from "./node_transport.ts";
import type {
  ConnectTls,
  Transport,
  TransportConnectOptions,
  TransportSink,
  Tunnel,
} from "./transport.ts";

type Target = { readonly path: string } | { readonly socket: Socket } | {
  readonly host: string;
  readonly port: number;
};

function openTls(target: Target, tls: ConnectTls, hostname: string): Socket {
  const { ca, alpnProtocols } = tls;
  const name = tls.serverName ?? hostname;
  // The types leave `allowHalfOpen` out.
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    ...target,
    allowHalfOpen: true,
    // RFC 6066, section 3: "Literal IPv4 and IPv6 addresses are not permitted in
    // "HostName"." Without a name Node checks against the host it connects to.
    servername: isIP(name) ? "" : name,
    checkServerIdentity: (_host, certificate) =>
      checkServerIdentity(name, certificate),
    rejectUnauthorized: tls.rejectUnauthorized ?? true,
    ...(ca !== undefined && { ca: typeof ca === "string" ? ca : [...ca] }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
    ...(alpnProtocols && { ALPNProtocols: [...alpnProtocols] }),
  };
  return connectTls(options);
}

/** Waits for `event`, the signal, or a failure. */
function settle(
  socket: Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      signal?.removeEventListener("abort", abort);
      socket.off(event, succeed);
      socket.off("close", close);
    };
    const succeed = (): void => {
      finish();
      socket.off("error", fail);
      resolve();
    };
    // Its listener stays: an "error" that nobody hears would end the process.
    const fail = (error: Error): void => {
      finish();
      socket.destroy();
      reject(error);
    };
    const close = (): void => fail(new Error("Connection closed"));
    const abort = (): void => fail(signal?.reason);
    signal?.addEventListener("abort", abort);
    socket.on(event, succeed);
    socket.on("error", fail);
    socket.on("close", close);
  });
}

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
  const hostname = options.hostname ?? "127.0.0.1";
  const target: Target = path !== undefined
    ? { path }
    : { host: hostname, port: options.port ?? 0 };
  const socket = tls === undefined
    ? connect({ ...target, allowHalfOpen: true })
    : openTls(target, tls, hostname);
  await settle(socket, tls === undefined ? "connect" : "secureConnect", signal);
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
  const socket = await openTunnel(tunnel, signal);
  if (tls === undefined) {
    const secure = tunnel.tls !== undefined;
    return new TunnelTransport(socket, { secure, path: undefined });
  }
  const inner = openTls({ socket }, tls, hostname);
  try {
    await settle(inner, "secureConnect", signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return new NodeTransport(inner, { secure: true, path: undefined });
}

async function openTunnel(
  tunnel: Tunnel,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const { hostname, port, tls } = tunnel;
  const outer = await connectNode({
    hostname,
    port,
    ...(tls && { tls }),
    ...(signal && { signal }),
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
