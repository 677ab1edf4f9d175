/**
 * The contract between Sockeye and a server of the runtime's own that keeps its
 * sockets to itself and hands out WebSockets instead: `Deno.serve`, `Bun.serve`.
 *
 * Unlike `transport.ts` it knows a WebSocket, as an object that takes and reports
 * whole messages. What they are for it does not know. Node has no such server.
 *
 * @module
 */

import type { Address } from "./transport.ts";

/** Why a host itself ends a WebSocket. */
export type HostEndCause = "ping-timeout" | "protocol-error" | "too-big";

/** How a WebSocket of the host's has ended. */
export interface HostEnd {
  /** The peer's Close frame, where one arrived. */
  readonly received?: { readonly code: number; readonly reason: string };
  /** What the host ended it for, where it was the host. */
  readonly cause?: HostEndCause;
  /** What the host says of it. */
  readonly error?: Error;
}

/** A WebSocket of the host's. */
export interface HostSocket {
  /** Bytes that were handed over and have not left, as far as the host tells. */
  readonly bufferedBytes: number;
  /**
   * Sends a message.
   *
   * @param data Text, or bytes, which are copied.
   */
  send(data: string | Uint8Array): void;
  /** Sends a Ping; absent where the host cannot. */
  ping?(payload: Uint8Array): void;
  /** Calls the sink's `drain` when bytes have left. */
  watchDrain(): void;
  /**
   * Starts the closing handshake, after what was sent. The host answers a Close
   * frame of the peer's by itself.
   *
   * @param code Close code, `undefined` for none.
   * @param reason At most 123 bytes of UTF-8.
   */
  close(code: number | undefined, reason: string): void;
  /** Drops the connection at once, as far as the host can. */
  drop(): void;
}

/** Who is told what happens on a {@linkcode HostSocket}. */
export interface HostSocketSink {
  /** It is open. Called once, before all else but `close`. */
  open(socket: HostSocket): void;
  /**
   * A message arrived.
   *
   * @param data Text, or bytes that are lent.
   */
  message(data: string | Uint8Array): void;
  /** A Ping arrived, and the host has answered it. Only where the host tells. */
  ping(payload: Uint8Array): void;
  /** A Pong arrived. Only where the host tells. */
  pong(payload: Uint8Array): void;
  /** Bytes have left; perhaps not all. */
  drain(): void;
  /** It is gone, or will never open. Called once, possibly from inside `close`. */
  close(end: HostEnd): void;
}

/** How to answer a request with 101. */
export interface HostUpgrade {
  /** Headers beside those of the handshake, `Sec-WebSocket-Protocol` included. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /**
   * How long the host may hear nothing before it gives the peer up, in
   * milliseconds, 0 for ever. Only a host that cannot be told to ping takes it.
   */
  readonly idleTimeoutMs: number;
  /** How long it may take until the WebSocket is open, in milliseconds. */
  readonly openTimeoutMs: number;
  /** Who is told. */
  readonly sink: HostSocketSink;
}

/** A request that a host has handed over. */
export interface HostRequest {
  /** Address of the client, or of the proxy before the host. */
  readonly remoteAddress: Address;
  /**
   * Answers with 101.
   *
   * @returns What the host's fetch handler must return; `undefined` where the host
   * cannot upgrade, such as because the client has gone.
   * @throws What the host throws.
   */
  upgrade(options: HostUpgrade): Response | undefined;
}

/** A server of the runtime's own. */
export interface Host {
  /** Which one. */
  readonly name: HostName;
  /**
   * Takes a request.
   *
   * @param info What the host passed to its fetch handler beside the request.
   * @returns `undefined` where `info` is not what the host passes.
   */
  take(request: Request, info: unknown): HostRequest | undefined;
}

/** Names of the hosts. */
export type HostName = "deno" | "bun";

let loaded: Promise<Host | undefined> | undefined;

/** Loads the part for the runtime that this code runs on; `undefined` on Node. */
export function loadHost(): Promise<Host | undefined> {
  return loaded ??= load();
}

async function load(): Promise<Host | undefined> {
  if ("Deno" in globalThis) return (await import("./deno_host.ts")).denoHost;
  if ("Bun" in globalThis) return (await import("./bun_host.ts")).bunHost;
  return undefined;
}
