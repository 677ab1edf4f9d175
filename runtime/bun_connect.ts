/**
 * Connecting on Bun.
 *
 * @module
 */

import {
  bunHandlers,
  type BunSocket,
  type BunSocketOwner,
  bunSockets,
  type BunTls,
  encodeAlpn,
  withCode,
} from "./bun_socket.ts";
import { BunTransport } from "./bun_transport.ts";
import type {
  ConnectTls,
  Transport,
  TransportConnectOptions,
} from "./transport.ts";

const handlers = bunHandlers((socket) => socket.data.onOpen(socket));

/** Owns a socket until it is connected and, on TLS, found trustworthy. */
class Connecting implements BunSocketOwner {
  readonly transport: Promise<Transport>;
  readonly #options: TransportConnectOptions;
  #resolve!: (transport: Transport) => void;
  #reject!: (reason: unknown) => void;
  #socket: BunSocket | undefined;
  #isSettled = false;
  readonly #abort = (): void => this.fail(this.#options.signal?.reason);

  constructor(options: TransportConnectOptions) {
    this.#options = options;
    this.transport = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    options.signal?.addEventListener("abort", this.#abort);
  }

  fail(reason: unknown): void {
    if (this.#settle()) this.#reject(reason);
    // Calls `onClose` before it returns.
    this.#socket?.terminate();
  }

  onOpen(socket: BunSocket): void {
    // Bun cannot cancel a connection attempt: it ends here, or when the kernel
    // gives it up.
    if (this.#isSettled) return socket.terminate();
    this.#socket = socket;
    if (this.#options.tls === undefined) this.#succeed(socket);
  }

  onHandshake(socket: BunSocket, success: boolean, error: Error | null): void {
    if (this.#isSettled) return;
    if (this.#options.tls?.rejectUnauthorized !== false) {
      if (success && socket.authorized) return this.#succeed(socket);
      return this.fail(error ?? new Error("TLS handshake failed"));
    }
    // `success` is false for a wrong host name too, which is to be ignored.
    const code = (error as { code?: string } | null)?.code;
    if (success || (code !== "ECONNRESET" && code !== "EPROTO")) {
      return this.#succeed(socket);
    }
    this.fail(error);
  }

  onData(): void {}
  onDrain(): void {}

  onEnd(): void {
    this.fail(new Error("Connection ended during the TLS handshake"));
  }

  onClose(error: Error | undefined): void {
    this.fail(
      error ?? new Error("TLS handshake failed: certificate not accepted"),
    );
  }

  onError(error: Error): void {
    this.fail(error);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    return true;
  }

  #succeed(socket: BunSocket): void {
    if (!this.#settle()) return;
    // Nobody listens before `start`.
    socket.pause();
    const { path, tls } = this.#options;
    const secure = tls !== undefined;
    this.#resolve(new BunTransport(socket, { secure, isPaused: true, path }));
  }
}

const IP_ADDRESS = /^[\d.]+$|:/;

/** The name to send, and to check; empty where it goes without saying. */
function serverNameOf(options: TransportConnectOptions): string {
  const { hostname = "127.0.0.1", path, tls } = options;
  const name = tls?.serverName ?? hostname;
  // RFC 6066, section 3: "Literal IPv4 and IPv6 addresses are not permitted in
  // "HostName"." With an empty name Bun sends none, and checks against the
  // address it connects to.
  const isImplied = path === undefined && name === hostname;
  return isImplied && IP_ADDRESS.test(name) ? "" : name;
}

function toBunTls(options: TransportConnectOptions, tls: ConnectTls): BunTls {
  const { ca, alpnProtocols } = tls;
  return {
    serverName: serverNameOf(options),
    rejectUnauthorized: tls.rejectUnauthorized ?? true,
    ...(ca !== undefined && { ca: typeof ca === "string" ? ca : [...ca] }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
    ...(alpnProtocols && { ALPNProtocols: encodeAlpn(alpnProtocols) }),
  };
}

/**
 * Connects.
 *
 * @param options Where to, and how.
 * @returns The transport, not started.
 * @throws {Error} If it cannot be had, or the signal's reason.
 */
export async function connectBun(
  options: TransportConnectOptions,
): Promise<Transport> {
  options.signal?.throwIfAborted();
  const { path, tls } = options;
  const hostname = options.hostname ?? "127.0.0.1";
  const connecting = new Connecting(options);
  bunSockets().connect({
    ...(path !== undefined
      ? { unix: path }
      : { hostname, port: options.port ?? 0 }),
    ...(tls && { tls: toBunTls(options, tls) }),
    allowHalfOpen: true,
    socket: handlers,
    data: connecting,
  }).catch((error: unknown) => connecting.fail(withCode(error)));
  return await connecting.transport;
}
