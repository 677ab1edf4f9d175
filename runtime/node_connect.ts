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
import {
  type Attempt,
  ATTEMPT_DELAY_MS,
  type Endpoint,
  race,
} from "./eyeballs.ts";
import { addressesOf, allowBind } from "./node_addresses.ts";
import { checkKeyPair } from "./node_key_pair.ts";
import { NodeTransport } from "./node_transport.ts";
import type {
  ConnectTls,
  LocalAddress,
  Transport,
  TransportConnectOptions,
  TransportSink,
  Tunnel,
} from "./transport.ts";

type Target = { readonly path: string } | { readonly socket: Socket } | {
  readonly host: string;
  readonly port: number;
  readonly family?: number;
  readonly localAddress?: string;
  readonly localPort?: number;
};

/** A socket that has been told where to, and what it then waits for. */
interface Pending {
  readonly socket: Socket;
  /** TLS included. */
  readonly ready: Promise<void>;
}

function open(target: Target, options: TransportConnectOptions): Pending {
  const { tls, signal, hostname = "127.0.0.1" } = options;
  if (tls !== undefined) {
    const socket = openTls(target, tls, hostname);
    return { socket, ready: settle(socket, "secureConnect", signal) };
  }
  const to = target as Exclude<Target, { socket: Socket }>;
  const socket = connect({ ...to, allowHalfOpen: true });
  return { socket, ready: settle(socket, "connect", signal) };
}

/** @throws {Error} If a certificate or a key cannot be used. */
function openTls(target: Target, tls: ConnectTls, hostname: string): Socket {
  const { ca, cert, key, alpnProtocols } = tls;
  const name = tls.serverName ?? hostname;
  if (cert !== undefined && key !== undefined) checkKeyPair(cert, key);
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
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
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
    if (signal?.aborted) abort();
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
  const { socket, ready } = path !== undefined
    ? open({ path }, options)
    : await reach(options);
  await ready;
  if (path === undefined) socket.setNoDelay(true);
  return new NodeTransport(socket, { secure: tls !== undefined, path });
}

/**
 * Finds the address of a host that answers first. What a runtime does of itself is
 * no race: it drops an attempt after 250 ms (Node) or 500 ms (Deno) for the next,
 * so that two addresses that need longer are never reached (Node's issue 54359).
 */
async function reach(options: TransportConnectOptions): Promise<Pending> {
  const { hostname = "127.0.0.1", port = 0, localAddress, signal } = options;
  const local = localAddress && {
    localAddress: localAddress.hostname,
    localPort: localAddress.port ?? 0,
  };
  if (local) await allowBind(local.localAddress, local.localPort);
  const family = isIP(hostname);
  const all = family === 0
    ? await unlessAborted(addressesOf(hostname, port), signal)
    : [{ address: hostname, family }];
  // `unlessAborted` and what is opened hear of no abort but the next.
  signal?.throwIfAborted();
  const endpoints = all && localAddress ? matching(all, localAddress) : all;
  const openTo = (host: string): Pending =>
    open({ host, port, ...local }, options);
  if (endpoints === undefined) {
    const family = local && { family: isIP(local.localAddress) };
    return open({ host: hostname, port, ...family, ...local }, options);
  }
  if (endpoints.length === 1) return openTo(endpoints[0]!.address);
  return await race(endpoints, ({ address }) => attempt(openTo(address)), {
    delayMs: ATTEMPT_DELAY_MS,
    signal,
  });
}

/** The race is one to the TCP connection; TLS follows on the winner. */
function attempt(pending: Pending): Attempt<Pending> {
  const { socket, ready } = pending;
  const connected = new Promise<Pending>((resolve, reject) => {
    socket.once("connect", () => resolve(pending));
    ready.catch(reject);
  });
  return { connected, cancel: () => socket.destroy() };
}

/** Addresses that can be connected to from `local`. */
function matching(
  endpoints: readonly Endpoint[],
  local: LocalAddress,
): Endpoint[] {
  const family = isIP(local.hostname);
  const found = endpoints.filter((endpoint) => endpoint.family === family);
  if (found.length === 0) {
    throw Object.assign(
      new Error(`No IPv${family} address to reach from ${local.hostname}`),
      { code: "EADDRNOTAVAIL" },
    );
  }
  // One port is for one attempt.
  return local.port ? found.slice(0, 1) : found;
}

/** Waits no longer than the signal does; a resolver cannot be told to stop. */
function unlessAborted<T>(
  task: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return task;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    task.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
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
