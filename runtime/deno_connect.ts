/**
 * Connecting on Deno.
 *
 * @module
 */
import { DenoTransport } from "./deno_transport.ts";
import type { Transport, TransportConnectOptions } from "./transport.ts";

async function connectUnix(
  path: string,
  signal: AbortSignal | undefined,
): Promise<Transport> {
  signal?.throwIfAborted();
  const conn = await Deno.connect({ transport: "unix", path });
  if (signal?.aborted) conn.close();
  signal?.throwIfAborted();
  return new DenoTransport(conn);
}

/**
 * Connects, without TLS.
 *
 * @param options Where to.
 * @returns The transport, not started.
 * @throws {Error} If it cannot be had, or the signal's reason.
 */
export async function connectDeno(
  options: TransportConnectOptions,
): Promise<Transport> {
  const { path, signal } = options;
  if (path !== undefined) return await connectUnix(path, signal);
  const conn = await Deno.connect({
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port ?? 0,
    ...(signal && { signal }),
  });
  try {
    // Too late for Deno to hear of it.
    signal?.throwIfAborted();
    conn.setNoDelay(true);
    return new DenoTransport(conn);
  } catch (error) {
    conn.close();
    throw error;
  }
}
