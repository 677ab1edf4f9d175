/**
 * Connecting on Deno.
 *
 * @module
 */
import { DenoTransport } from "./deno_transport.ts";
import type {
  ConnectTls,
  Transport,
  TransportConnectOptions,
} from "./transport.ts";

/**
 * Whether Deno's own API can do what is asked for. It has no way to leave the
 * server's certificate unchecked, and none to give a client certificate to a
 * connection that can be aborted while it connects or whose server name is not
 * the host. `node:tls` on Deno has all that.
 */
function isNative(tls: ConnectTls): boolean {
  return tls.rejectUnauthorized !== false && tls.cert === undefined &&
    tls.key === undefined;
}

/** Lets `signal` close `conn` while `work` is under way. */
async function abortable<T>(
  conn: Deno.Conn,
  signal: AbortSignal | undefined,
  work: Promise<T>,
): Promise<T> {
  const abort = (): void => conn.close();
  signal?.addEventListener("abort", abort);
  try {
    const result = await work;
    signal?.throwIfAborted();
    return result;
  } catch (error) {
    // Tells the signal's reason, not that the connection is closed.
    signal?.throwIfAborted();
    conn.close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function connectUnix(
  path: string,
  signal: AbortSignal | undefined,
): Promise<Transport> {
  signal?.throwIfAborted();
  const conn = await Deno.connect({ transport: "unix", path });
  if (signal?.aborted) conn.close();
  signal?.throwIfAborted();
  return new DenoTransport(conn, false);
}

async function connectTls(
  conn: Deno.TcpConn,
  tls: ConnectTls,
  options: TransportConnectOptions,
): Promise<Transport> {
  const { ca, alpnProtocols } = tls;
  // Takes the connection over: the handle changes, no byte moves.
  const secured = await Deno.startTls(conn, {
    hostname: tls.serverName ?? options.hostname ?? "127.0.0.1",
    ...(ca !== undefined &&
      { caCerts: typeof ca === "string" ? [ca] : [...ca] }),
    ...(alpnProtocols && { alpnProtocols: [...alpnProtocols] }),
  });
  await abortable(secured, options.signal, secured.handshake());
  return new DenoTransport(secured, true);
}

/**
 * Connects.
 *
 * @param options Where to, and how.
 * @returns The transport, not started.
 * @throws {Error} If it cannot be had, or the signal's reason.
 */
export async function connectDeno(
  options: TransportConnectOptions,
): Promise<Transport> {
  const { signal, tls } = options;
  if (options.path !== undefined && tls === undefined) {
    return await connectUnix(options.path, signal);
  }
  if (tls !== undefined && (options.path !== undefined || !isNative(tls))) {
    return await (await import("./node.ts")).nodeRuntime.connect(options);
  }
  const conn = await Deno.connect({
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port ?? 0,
    ...(signal && { signal }),
  });
  try {
    conn.setNoDelay(true);
    if (tls === undefined) return new DenoTransport(conn, false);
    return await connectTls(conn, tls, options);
  } catch (error) {
    try {
      conn.close();
    } catch {
      // It belongs to the TLS connection already, which is closed.
    }
    throw error;
  }
}
