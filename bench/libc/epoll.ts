/** Which of many sockets are ready (`epoll(7)`). */
import process from "node:process";
import type { Calls, Libc } from "./calls.ts";

/** A socket has something to read. */
export const READABLE = 1;
/** A socket takes bytes. */
export const WRITABLE = 4;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;

const MAX_EVENTS = 256;

/** Watches sockets; a closed one is forgotten by itself. */
export class Epoll {
  readonly #calls: Calls;
  readonly #fd: number;
  // struct epoll_event is packed on x86-64 alone.
  readonly #stride = process.arch === "x64" ? 12 : 16;
  readonly #ready = new Uint8Array(MAX_EVENTS * 16);
  readonly #readyPointer: number;

  /** Watches nothing yet. */
  constructor(libc: Libc) {
    this.#calls = libc.calls;
    this.#fd = libc.calls.epoll_create1(0);
    this.#readyPointer = libc.pointer(this.#ready);
  }

  /** Begins to watch a socket. */
  add(fd: number, flags: number): void {
    this.#control(EPOLL_CTL_ADD, fd, flags);
  }

  /** Watches for something else. */
  change(fd: number, flags: number): void {
    this.#control(EPOLL_CTL_MOD, fd, flags);
  }

  /** Waits until a socket is ready, or so long; returns how many are. */
  wait(timeoutMs: number): number {
    return this.#calls.epoll_wait(
      this.#fd,
      this.#readyPointer,
      MAX_EVENTS,
      timeoutMs,
    );
  }

  /** The socket that is ready at a place below what {@linkcode wait} returned. */
  fdAt(index: number): number {
    const at = (index + 1) * this.#stride - 8;
    const ready = this.#ready;
    return (ready[at] ?? 0) | (ready[at + 1] ?? 0) << 8 |
      (ready[at + 2] ?? 0) << 16;
  }

  /** For what it is ready; neither of both after a failure. */
  flagsAt(index: number): number {
    return this.#ready[index * this.#stride] ?? 0;
  }

  #control(operation: number, fd: number, flags: number): void {
    const event = new Uint8Array(16);
    event[0] = flags;
    new DataView(event.buffer).setUint32(this.#stride - 8, fd, true);
    this.#calls.epoll_ctl(this.#fd, operation, fd, event);
  }
}
