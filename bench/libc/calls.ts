/**
 * The system calls of sockets, through Bun's foreign function interface. A
 * runtime's own sockets cost about as much per chunk as what is measured; these
 * cost about what they cost a C program. Linux on x86-64 and arm64.
 */
import process from "node:process";

/** The system calls, as Bun binds them. A pointer is a number. */
export interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
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

/** The C library, and where its calls find memory. */
export interface Libc {
  /** The calls. */
  readonly calls: Calls;
  /** The address of an array's first byte. */
  pointer(bytes: Uint8Array): number;
}

/** `bun:ffi`, as far as it is used here. */
interface ForeignFunctions {
  dlopen(path: string, symbols: unknown): { symbols: Calls };
  ptr(bytes: Uint8Array): number;
}

/** Results are small: `i64_fast` gives them as numbers. */
const SYMBOLS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "i32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
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

/** Whether this process can have it. */
export function hasLibc(): boolean {
  return "Bun" in globalThis && process.platform === "linux" &&
    (process.arch === "x64" || process.arch === "arm64");
}

/** Binds the system calls. */
export async function openLibc(): Promise<Libc> {
  // In a variable: only Bun knows this module.
  const specifier = "bun:ffi";
  const { dlopen, ptr } = await import(specifier) as ForeignFunctions;
  const { symbols } = dlopen("libc.so.6", SYMBOLS);
  return { calls: symbols, pointer: ptr };
}
