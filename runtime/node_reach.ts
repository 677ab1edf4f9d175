/**
 * Which of a host's addresses a socket is opened to.
 *
 * @module
 */

import { isIP } from "node:net";
import {
  type Attempt,
  ATTEMPT_DELAY_MS,
  type Endpoint,
  race,
} from "./eyeballs.ts";
import { addressesOf, allowBind } from "./node_addresses.ts";
import { open, type Pending } from "./node_socket.ts";
import type { LocalAddress, TransportConnectOptions } from "./transport.ts";

/**
 * Opens a socket to the address of a host that answers first. What a runtime does of
 * itself is no race: it drops an attempt after 250 ms (Node) or 500 ms (Deno) for the
 * next, so that two addresses that need longer are never reached (Node's issue
 * 54359).
 *
 * @param options Where to, and how.
 * @returns Its socket; on TLS the handshake may be under way.
 * @throws {Error} If there is none, or the signal's reason.
 */
export async function reach(
  options: TransportConnectOptions,
): Promise<Pending> {
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
