/** TCP sockets over IPv4, as the bench needs them. */
import type { Libc } from "./calls.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const F_SETFL = 4;
const O_NONBLOCK = 0x800;
const BACKLOG = 1024;
/** `send` reports a peer that is gone rather than ending the process. */
const MSG_NOSIGNAL = 0x4000;

const ON = Uint8Array.of(1, 0, 0, 0);

/** Where to connect to, or to listen. */
export interface SocketAddress {
  /** An IPv4 address. */
  readonly hostname: string;
  /** Port. */
  readonly port: number;
}

/** Connects, and waits for it; -1 where nobody listens. */
export function connect(libc: Libc, to: SocketAddress): number {
  const { calls } = libc;
  const fd = calls.socket(AF_INET, SOCK_STREAM, 0);
  const address = encodeAddress(to);
  if (fd < 0 || calls.connect(fd, address, address.length) !== 0) return -1;
  calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4);
  calls.fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/** Listens on 127.0.0.1, on a port that is free. */
export function listen(libc: Libc): { fd: number; port: number } {
  const { calls } = libc;
  const fd = calls.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const address = encodeAddress({ hostname: "127.0.0.1", port: 0 });
  const failed = calls.bind(fd, address, address.length) !== 0 ||
    calls.listen(fd, BACKLOG) !== 0;
  if (failed) throw new Error("Cannot listen");
  calls.getsockname(fd, address, Uint8Array.of(address.length, 0, 0, 0));
  return { fd, port: (address[2] ?? 0) << 8 | (address[3] ?? 0) };
}

/** Takes a connection that waits; -1 where none does. */
export function accept(libc: Libc, listener: number): number {
  const { calls } = libc;
  const fd = calls.accept4(listener, null, null, SOCK_NONBLOCK);
  if (fd >= 0) calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4);
  return fd;
}

/** Sends what the socket takes now; returns how many bytes that were. */
export function send(
  libc: Libc,
  fd: number,
  pointer: number,
  length: number,
): number {
  return Math.max(0, libc.calls.send(fd, pointer, length, MSG_NOSIGNAL));
}

/** Drops a connection: the peer is sent a reset, and the port is free at once. */
export function reset({ calls }: Libc, fd: number): void {
  // A `struct linger`: on, for no time.
  const linger = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length);
  calls.close(fd);
}

/** A `struct sockaddr_in`. */
function encodeAddress({ hostname, port }: SocketAddress): Uint8Array {
  const address = new Uint8Array(16);
  address[0] = AF_INET;
  address[2] = port >>> 8;
  address[3] = port & 0xff;
  address.set(hostname.split(".").map(Number), 4);
  return address;
}
