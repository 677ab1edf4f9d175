/**
 * Sockets of `node:net` and `node:tls` on their way.
 *
 * @module
 */

import { connect, isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
} from "node:tls";
import { checkKeyPair } from "./node_key_pair.ts";
import type { ConnectTls, TransportConnectOptions } from "./transport.ts";

/** What a socket is connected to. */
export type Target = { readonly path: string } | {
  readonly host: string;
  readonly port: number;
  readonly family?: number;
  readonly localAddress?: string;
  readonly localPort?: number;
};

/** A socket that has been told where to, and what it then waits for. */
export interface Pending {
  readonly socket: Socket;
  /** TLS included. */
  readonly ready: Promise<void>;
}

/**
 * Opens a socket.
 *
 * @param target Where to.
 * @param options How.
 * @throws {Error} If a certificate or a key cannot be used.
 */
export function open(
  target: Target,
  options: TransportConnectOptions,
): Pending {
  const { tls, signal, hostname = "127.0.0.1" } = options;
  if (tls !== undefined) {
    const socket = openTls(target, tls, hostname);
    return { socket, ready: settle(socket, "secureConnect", signal) };
  }
  const socket = connect({ ...target, allowHalfOpen: true });
  return { socket, ready: settle(socket, "connect", signal) };
}

/**
 * Opens a socket that speaks TLS.
 *
 * @param target Where to, or a socket to speak it on.
 * @param tls How.
 * @param hostname Name to send and to check, where `tls` has none.
 * @throws {Error} If a certificate or a key cannot be used.
 */
export function openTls(
  target: Target | { readonly socket: Socket },
  tls: ConnectTls,
  hostname: string,
): Socket {
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

/** Waits for `event`. After a failure, or when the signal aborts, the socket is gone. */
export function settle(
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
