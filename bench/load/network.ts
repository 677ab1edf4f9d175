/** How the load generator reaches the network: one contract, two ways. */
import type { Write } from "./sender.ts";

/** Where to connect to. */
export interface Target {
  /** Host name or address. */
  readonly hostname: string;
  /** Port. */
  readonly port: number;
  /** Speak TLS, trusting any certificate. */
  readonly tls: boolean;
}

/** Who is told what happens on a {@linkcode RawSocket}. */
export interface SocketEvents {
  /**
   * Bytes arrived: `buffer[0, length)`, lent until the call returns. Two
   * arguments, for a view on each chunk would cost as much as parsing it.
   */
  data(buffer: Uint8Array, length: number): void;
  /** The socket takes bytes again. */
  drain(): void;
  /** The socket is gone. */
  close(error?: Error): void;
}

/** A connected socket. */
export interface RawSocket {
  /** Writes; see {@linkcode Write}. */
  readonly write: Write;
  /** Closes it, after what has been written. */
  end(): void;
  /** Drops the connection, by a reset where the system calls allow it. */
  destroy(): void;
}

/** A way to open sockets and to have their events delivered. */
export interface Network {
  /** Which one, for the report. */
  readonly name: "libc" | "bun" | "node";
  /** Connects. Events arrive while {@linkcode Network.run} is running. */
  open(target: Target, events: SocketEvents): Promise<RawSocket>;
  /** Delivers events until `done`, asked every few milliseconds or more often. */
  run(done: () => boolean): Promise<void>;
}
