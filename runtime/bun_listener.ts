/**
 * Listening on Bun.
 *
 * @module
 */

import {
  bunHandlers,
  type BunSocket,
  type BunSocketListener,
  type BunSocketOwner,
  bunSockets,
  encodeAlpn,
  withCode,
} from "./bun_socket.ts";
import { BunTransport } from "./bun_transport.ts";
import type { Address, Listener, TransportListenOptions } from "./transport.ts";

/** Owns a socket in the middle of its TLS handshake. */
class Greeting implements BunSocketOwner {
  readonly #socket: BunSocket;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #pending: Set<Greeting>;
  readonly #accept: (socket: BunSocket) => void;

  constructor(
    socket: BunSocket,
    timeoutMs: number,
    pending: Set<Greeting>,
    accept: (socket: BunSocket) => void,
  ) {
    this.#socket = socket;
    this.#pending = pending;
    this.#accept = accept;
    this.#timer = setTimeout(() => this.drop(), timeoutMs);
    pending.add(this);
  }

  drop(): void {
    this.#finish();
    this.#socket.terminate();
  }

  onOpen(): void {}

  // The listener asks for no client certificate, so Bun's verdict on it
  // (`authorized`) says nothing.
  onHandshake(socket: BunSocket, success: boolean): void {
    if (!success) return this.drop();
    this.#finish();
    this.#accept(socket);
  }

  onData(): void {}
  onDrain(): void {}

  // Half a handshake, then FIN.
  onEnd(): void {
    this.drop();
  }

  onClose(): void {
    this.#finish();
  }

  onError(): void {
    this.drop();
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#pending.delete(this);
  }
}

function open(
  options: TransportListenOptions,
  accept: (socket: BunSocket) => void,
): BunSocketListener {
  const { tls } = options;
  try {
    return bunSockets().listen({
      ...(options.path !== undefined ? { unix: options.path } : {
        hostname: options.hostname ?? "0.0.0.0",
        port: options.port ?? 0,
      }),
      ...(options.backlog !== undefined && { backlog: options.backlog }),
      ...(options.reusePort !== undefined && { reusePort: options.reusePort }),
      ...(tls && {
        tls: {
          cert: tls.cert,
          key: tls.key,
          ...(tls.alpnProtocols &&
            { ALPNProtocols: encodeAlpn(tls.alpnProtocols) }),
        },
      }),
      allowHalfOpen: true,
      socket: bunHandlers(accept),
    });
  } catch (error) {
    throw withCode(error);
  }
}

/** A listener on Bun's. */
export class BunListener implements Listener {
  readonly address: Address;
  readonly #listener: BunSocketListener;
  readonly #greetings: Set<Greeting> = new Set();

  /**
   * @param options Where to listen, and whom to tell.
   * @throws {Error} If the address cannot be had.
   */
  constructor(options: TransportListenOptions) {
    const { path } = options;
    const shared = { secure: options.tls !== undefined, isPaused: false, path };
    const accept = (socket: BunSocket): void =>
      options.accept(new BunTransport(socket, shared));
    this.#listener = open(
      options,
      options.tls === undefined ? accept : (socket) => {
        socket.data = new Greeting(
          socket,
          options.handshakeTimeoutMs,
          this.#greetings,
          accept,
        );
      },
    );
    const { hostname, port } = this.#listener;
    this.address = path !== undefined
      ? { transport: "unix", path }
      : { transport: "tcp", hostname: hostname ?? "", port: port ?? 0 };
  }

  close(): Promise<void> {
    this.#listener.stop();
    for (const greeting of this.#greetings) greeting.drop();
    return Promise.resolve();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}
