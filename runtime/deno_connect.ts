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

/** How long a connection that nobody wants any more may still come. */
const LATE_MS = 100;

/**
 * Connects, or gives up with the signal.
 *
 * Deno (2.9.6) loses the descriptor of a connection that is made in the moment that
 * its signal aborts: of 1,000 such attempts on loopback some five stayed open. So
 * it hears of an abort only later. What is connected until then is closed here; what
 * is not is on its way to nowhere, most often.
 */
function connectTcp(
  options: Deno.ConnectOptions,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer = setTimeout(() => late.abort(), LATE_MS);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    Deno.connect({ ...options, signal: late.signal }).then((conn) => {
      finish();
      if (signal.aborted) conn.close();
      else resolve(conn);
    }, (error: unknown) => {
      finish();
      reject(error);
    });
  });
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
  const { hostname = "127.0.0.1", port = 0 } = options;
  const conn =
    await (signal === undefined
      ? Deno.connect({ hostname, port })
      : connectTcp({ hostname, port }, signal));
  try {
    // In the moment that it was connected.
    signal?.throwIfAborted();
    conn.setNoDelay(true);
    return new DenoTransport(conn);
  } catch (error) {
    conn.close();
    throw error;
  }
}
