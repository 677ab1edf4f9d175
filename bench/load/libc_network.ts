/**
 * Sockets by system calls, with which the generator costs about what a C program
 * costs: with a runtime's own it would be what limits the figures of the fastest
 * rows. Without TLS.
 */
import { hasLibc, type Libc, openLibc } from "../libc/calls.ts";
import { Epoll, READABLE, WRITABLE } from "../libc/epoll.ts";
import { connect, reset, send } from "../libc/socket.ts";
import type { Network, RawSocket, SocketEvents, Target } from "./network.ts";

const READ_BYTES = 512 * 1024;

/** One socket: what to tell, and whether it waits to send. */
interface Entry {
  readonly events: SocketEvents;
  waiting: boolean;
}

/** Whether this process can have it. */
export const hasLibcNetwork: () => boolean = hasLibc;

/** Binds the system calls. */
export async function openLibcNetwork(): Promise<Network> {
  return new LibcNetwork(await openLibc());
}

class LibcNetwork implements Network {
  readonly name = "libc";
  readonly #libc: Libc;
  readonly #epoll: Epoll;
  readonly #entries: (Entry | undefined)[] = [];
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #bufferPointer: number;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#epoll = new Epoll(libc);
    this.#bufferPointer = libc.pointer(this.#buffer);
  }

  open(target: Target, events: SocketEvents): Promise<RawSocket> {
    const libc = this.#libc;
    const fd = connect(libc, target);
    if (fd < 0) {
      return Promise.reject(new Error(`Cannot connect to ${target.port}`));
    }
    const entry: Entry = { events, waiting: false };
    this.#entries[fd] = entry;
    this.#epoll.add(fd, READABLE);
    let known: Uint8Array | undefined;
    let pointer = 0;
    return Promise.resolve({
      write: (bytes, start, end) => {
        if (bytes !== known) {
          known = bytes;
          pointer = libc.pointer(bytes);
        }
        return this.#send(fd, entry, pointer + start, end - start);
      },
      end: () => {
        this.#entries[fd] = undefined;
        libc.calls.close(fd);
      },
      destroy: () => {
        this.#entries[fd] = undefined;
        reset(libc, fd);
      },
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
    const epoll = this.#epoll;
    const count = epoll.wait(10);
    for (let index = 0; index < count; index++) {
      const fd = epoll.fdAt(index);
      const entry = this.#entries[fd];
      if (entry === undefined) continue;
      const flags = epoll.flagsAt(index);
      if ((flags & WRITABLE) !== 0) this.#drain(fd, entry);
      if ((flags & ~WRITABLE) !== 0) this.#receive(fd, entry);
    }
  }

  #receive(fd: number, entry: Entry): void {
    const { calls } = this.#libc;
    const bytes = calls.recv(fd, this.#bufferPointer, READ_BYTES, 0);
    // 0 is the end; -1 cannot be "try again", for the socket was ready.
    if (bytes > 0) entry.events.data(this.#buffer, bytes);
    else entry.events.close();
  }

  #drain(fd: number, entry: Entry): void {
    entry.waiting = false;
    this.#epoll.change(fd, READABLE);
    entry.events.drain();
  }

  #send(fd: number, entry: Entry, pointer: number, length: number): number {
    const sent = send(this.#libc, fd, pointer, length);
    if (sent < length && !entry.waiting) {
      entry.waiting = true;
      this.#epoll.change(fd, READABLE | WRITABLE);
    }
    return sent;
  }
}
