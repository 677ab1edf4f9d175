/**
 * As much of Bun's socket API as Sockeye uses, so that no type package is
 * needed, and the one set of callbacks that all sockets share.
 *
 * @module
 */

/** A socket of Bun's. `data` is whoever owns it. */
export interface BunSocket {
  data: BunSocketOwner;
  readonly authorized: boolean;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** Writes what the kernel takes; returns how much, or -1 once closed. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Sends FIN (on TLS close_notify); reading goes on. */
  shutdown(): void;
  /** Closes; on TLS only once everything has left. */
  close(): void;
  /** Closes at once, with a RST. */
  terminate(): void;
}

/** Who owns a socket, and is told what happens on it. */
export interface BunSocketOwner {
  /** The socket is connected; on TLS before the handshake. */
  onOpen(socket: BunSocket): void;
  /** The TLS handshake has succeeded or failed. */
  onHandshake(socket: BunSocket, success: boolean, error: Error | null): void;
  /** Bytes arrived, in an array that is nobody else's. */
  onData(chunk: Uint8Array): void;
  /** Perhaps more can be written. Bun calls it too often rather than too rarely. */
  onDrain(): void;
  /** The peer has sent FIN. Not called when that ends the socket altogether. */
  onEnd(): void;
  /** The socket is gone. */
  onClose(error: Error | undefined): void;
  /** A callback threw. */
  onError(error: Error): void;
}

/** The callbacks that Bun takes. */
export interface BunSocketHandlers {
  readonly binaryType: "uint8array";
  open(socket: BunSocket): void;
  handshake(socket: BunSocket, success: boolean, error: Error | null): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
  connectError(socket: BunSocket, error: Error): void;
}

/** TLS settings that Bun takes. */
export interface BunTls {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string | string[];
  readonly serverName?: string;
  readonly rejectUnauthorized?: boolean;
  /** As on the wire: see {@linkcode encodeAlpn}. */
  readonly ALPNProtocols?: Uint8Array;
}

/** A listener of Bun's. */
export interface BunSocketListener {
  readonly hostname?: string;
  readonly port?: number;
  stop(closeActiveConnections?: boolean): void;
  ref(): void;
  unref(): void;
}

interface BunTarget {
  readonly hostname?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly tls?: BunTls;
  readonly allowHalfOpen: true;
  readonly socket: BunSocketHandlers;
}

/** The part of the global `Bun` that has to do with sockets. */
export interface BunSockets {
  listen(
    options: BunTarget & {
      readonly backlog?: number;
      readonly reusePort?: boolean;
      readonly exclusive?: boolean;
    },
  ): BunSocketListener;
  connect(
    options: BunTarget & { readonly data: BunSocketOwner },
  ): Promise<BunSocket>;
}

/** Finds the global `Bun`; call it on Bun only. */
export function bunSockets(): BunSockets {
  return (globalThis as unknown as { readonly Bun: BunSockets }).Bun;
}

/**
 * Writes a list of protocols as ALPN has it (RFC 7301, section 3.1), which is
 * how Bun wants it: each name after a byte with its length.
 *
 * @param protocols Names, in order of preference.
 * @returns The list.
 */
export function encodeAlpn(protocols: readonly string[]): Uint8Array {
  const names = protocols.map((name) => new TextEncoder().encode(name));
  return Uint8Array.from(names.flatMap((name) => [name.length, ...name]));
}

/**
 * Makes the callbacks for a listener or for connecting.
 *
 * @param open Called with each new socket; gives it its owner.
 * @returns What Bun takes as `socket`.
 */
export function bunHandlers(
  open: (socket: BunSocket) => void,
): BunSocketHandlers {
  return {
    // Not a `Buffer`, whose `slice` does not copy.
    binaryType: "uint8array",
    open,
    handshake: (socket, success, error) =>
      socket.data.onHandshake(socket, success, error),
    data: (socket, chunk) => socket.data.onData(chunk),
    drain: (socket) => socket.data.onDrain(),
    end: (socket) => socket.data.onEnd(),
    close: (socket, error) => socket.data.onClose(error),
    error: (socket, error) => socket.data.onError(error),
    // The promise of `connect` rejects as well.
    connectError() {},
  };
}

/**
 * Adds to the message of an error what the system calls it: Bun (1.4.5) says "Failed
 * to connect" and "Failed to listen at 0.0.0.0", and the reason in `code` alone.
 *
 * @param error What Bun threw. It is changed, and returned.
 */
export function withCode(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && !error.message.includes(code)) {
    error.message += `: ${code}`;
  }
  return error;
}
