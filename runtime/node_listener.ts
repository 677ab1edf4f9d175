/**
 * Listening on Node.
 *
 * @module
 */

import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { NodeTransport } from "./node_transport.ts";
import type { Address, Listener, TransportListenOptions } from "./transport.ts";

function createListener(
  options: TransportListenOptions,
  accept: (socket: Socket) => void,
): Server {
  const { tls } = options;
  const socketOptions = { allowHalfOpen: true, noDelay: true };
  if (tls === undefined) return createServer(socketOptions, accept);
  const server = createTlsServer({
    ...socketOptions,
    cert: tls.cert,
    key: tls.key,
    handshakeTimeout: options.handshakeTimeoutMs,
    ...(tls.alpnProtocols && { ALPNProtocols: [...tls.alpnProtocols] }),
  }, accept);
  // A peer that does not speak TLS, or not in time: nobody needs to know.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/** Keeps the connections of a TLS server that are in their handshake, by name. */
function watchHandshakes(server: Server): ReadonlyMap<string, Socket> {
  // The secured socket is another object than the one that was connected.
  const name = (socket: Socket): string =>
    `${socket.remoteAddress} ${socket.remotePort}`;
  const pending = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const key = name(socket);
    pending.set(key, socket);
    socket.on("close", () => {
      if (pending.get(key) === socket) pending.delete(key);
    });
  });
  server.on("secureConnection", (socket) => pending.delete(name(socket)));
  return pending;
}

/** A listener on `node:net` or `node:tls`. */
class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #handshakes: ReadonlyMap<string, Socket> | undefined;

  constructor(
    server: Server,
    handshakes: ReadonlyMap<string, Socket> | undefined,
  ) {
    this.#server = server;
    this.#handshakes = handshakes;
    const address = server.address();
    if (address === null) throw new Error("The listener has no address");
    this.address = typeof address === "string"
      ? { transport: "unix", path: address }
      : { transport: "tcp", hostname: address.address, port: address.port };
  }

  close(): Promise<void> {
    // The port is free when this returns; the server's "close" event would wait
    // for the last connection.
    this.#server.close();
    for (const socket of this.#handshakes?.values() ?? []) socket.destroy();
    return Promise.resolve();
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }
}

/**
 * Listens.
 *
 * @param options Where to listen, and whom to tell.
 * @returns The listener.
 * @throws {Error} If the address cannot be had.
 */
export async function listenNode(
  options: TransportListenOptions,
): Promise<Listener> {
  const { path, tls, acceptFailed } = options;
  let isFailing = false;
  const server = createListener(options, (socket) => {
    isFailing = false;
    options.accept(
      new NodeTransport(socket, { secure: tls !== undefined, path }),
    );
  });
  const handshakes = tls === undefined ? undefined : watchHandshakes(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({
      ...(path !== undefined
        ? { path }
        : { host: options.hostname ?? "0.0.0.0", port: options.port ?? 0 }),
      ...(options.backlog !== undefined && { backlog: options.backlog }),
      ...(options.reusePort !== undefined && { reusePort: options.reusePort }),
    }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // From here on an error is an `accept` that failed; the server lives on.
  server.on("error", (error) => {
    if (!isFailing) acceptFailed?.(error);
    isFailing = true;
  });
  return new NodeListener(server, handshakes);
}
