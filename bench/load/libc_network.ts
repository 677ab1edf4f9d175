/**
 * Sockets by system calls: `epoll`, `recv` and `send` of the C library through
 * Bun's foreign function interface. A runtime's own sockets cost the generator
 * as much per chunk as the server under test pays, so it would be what limits
 * the figures of the fastest rows; this costs about what a C program costs.
 * Linux on x86-64 and arm64, without TLS.
 */
import process from "node:process";
import type { Network, RawSocket, SocketEvents, Target } from "./network.ts";

/** The system calls, as Bun binds them. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  setsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: number,
  ): number;
  fcntl(fd: number, command: number, value: number): number;
  send(fd: number, pointer: number, length: number, flags: number): number;
  recv(fd: number, pointer: number, length: number, flags: number): number;
  close(fd: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(
    epoll: number,
    operation: number,
    fd: number,
    event: Uint8Array,
  ): number;
  epoll_wait(
    epoll: number,
    pointer: number,
    count: number,
    timeoutMs: number,
  ): number;
}

/** `bun:ffi`, as far as it is used here. */
interface ForeignFunctions {
  dlopen(path: string, symbols: unknown): { symbols: Libc };
  ptr(bytes: Uint8Array): number;
}

const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const F_SETFL = 4;
const O_NONBLOCK = 0x800;
const MSG_NOSIGNAL = 0x4000;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;

/** Results are small: `i64_fast` gives them as numbers. */
const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "i64_fast", "i32"], returns: "i64_fast" },
  recv: { args: ["i32", "ptr", "i64_fast", "i32"], returns: "i64_fast" },
  close: { args: ["i32"], returns: "i32" },
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
} as const;

const MAX_EVENTS = 256;
const READ_BYTES = 512 * 1024;

/** One socket: what to tell, and whether it waits to send. */
interface Entry {
  readonly events: SocketEvents;
  waiting: boolean;
}

/** Whether this process can have it. */
export function hasLibcNetwork(): boolean {
  return "Bun" in globalThis && process.platform === "linux" &&
    (process.arch === "x64" || process.arch === "arm64");
}

/** Binds the system calls. */
export async function openLibcNetwork(): Promise<Network> {
  // In a variable: only Bun knows this module.
  const specifier = "bun:ffi";
  const ffi = await import(specifier) as ForeignFunctions;
  return new LibcNetwork(ffi, ffi.dlopen("libc.so.6", SYMBOLS).symbols);
}

class LibcNetwork implements Network {
  readonly name = "libc";
  readonly #ffi: ForeignFunctions;
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #entries: (Entry | undefined)[] = [];
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #bufferPointer: number;
  // struct epoll_event is packed on x86-64 alone.
  readonly #stride = process.arch === "x64" ? 12 : 16;
  readonly #ready = new Uint8Array(MAX_EVENTS * 16);
  readonly #readyPointer: number;

  constructor(ffi: ForeignFunctions, libc: Libc) {
    this.#ffi = ffi;
    this.#libc = libc;
    this.#epoll = libc.epoll_create1(0);
    this.#bufferPointer = ffi.ptr(this.#buffer);
    this.#readyPointer = ffi.ptr(this.#ready);
  }

  open(target: Target, events: SocketEvents): Promise<RawSocket> {
    const libc = this.#libc;
    const fd = libc.socket(AF_INET, SOCK_STREAM, 0);
    const address = socketAddress(target);
    if (fd < 0 || libc.connect(fd, address, address.length) !== 0) {
      return Promise.reject(new Error(`Cannot connect to ${target.port}`));
    }
    const one = Uint8Array.of(1, 0, 0, 0);
    libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, one, 4);
    libc.fcntl(fd, F_SETFL, O_NONBLOCK);
    const entry: Entry = { events, waiting: false };
    this.#entries[fd] = entry;
    this.#watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    let known: Uint8Array | undefined;
    let pointer = 0;
    return Promise.resolve({
      write: (bytes, start, end) => {
        if (bytes !== known) {
          known = bytes;
          pointer = this.#ffi.ptr(bytes);
        }
        return this.#send(fd, entry, pointer + start, end - start);
      },
      destroy: () => void libc.close(fd),
    });
  }

  async run(done: () => boolean): Promise<void> {
    while (!done()) {
      this.#turn();
      // Lets promises settle; what runs under load makes none.
      await undefined;
    }
  }

  /** Waits for events, at most 10 ms, and hands them out. */
  #turn(): void {
    const count = this.#libc.epoll_wait(
      this.#epoll,
      this.#readyPointer,
      MAX_EVENTS,
      10,
    );
    const ready = this.#ready;
    for (let index = 0; index < count; index++) {
      const at = index * this.#stride;
      const data = at + this.#stride - 8;
      const fd = (ready[data] ?? 0) | (ready[data + 1] ?? 0) << 8 |
        (ready[data + 2] ?? 0) << 16;
      const entry = this.#entries[fd];
      if (entry === undefined) continue;
      const flags = ready[at] ?? 0;
      if ((flags & EPOLLOUT) !== 0) this.#drain(fd, entry);
      if ((flags & ~EPOLLOUT) !== 0) this.#receive(fd, entry);
    }
  }

  #receive(fd: number, entry: Entry): void {
    const bytes = this.#libc.recv(fd, this.#bufferPointer, READ_BYTES, 0);
    // 0 is the end; -1 cannot be "try again", for the socket was ready.
    if (bytes > 0) entry.events.data(this.#buffer, bytes);
    else entry.events.close();
  }

  #drain(fd: number, entry: Entry): void {
    entry.waiting = false;
    this.#watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    entry.events.drain();
  }

  #send(fd: number, entry: Entry, pointer: number, length: number): number {
    const sent = Math.max(
      0,
      this.#libc.send(fd, pointer, length, MSG_NOSIGNAL),
    );
    if (sent < length && !entry.waiting) {
      entry.waiting = true;
      this.#watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
    }
    return sent;
  }

  #watch(operation: number, fd: number, flags: number): void {
    const event = new Uint8Array(16);
    event[0] = flags;
    new DataView(event.buffer).setUint32(this.#stride - 8, fd, true);
    this.#libc.epoll_ctl(this.#epoll, operation, fd, event);
  }
}

/** A `struct sockaddr_in`. */
function socketAddress(target: Target): Uint8Array {
  const address = new Uint8Array(16);
  address[0] = AF_INET;
  address[2] = target.port >>> 8;
  address[3] = target.port & 0xff;
  address.set(target.hostname.split(".").map(Number), 4);
  return address;
}
