/**
 * Listening on Deno, without TLS.
 *
 * The loop calls `accept()` itself: `for await` over a listener, and
 * `Deno.serve`, end for good at the first failed `accept`, such as one for lack
 * of descriptors.
 *
 * @module
 */

import { DenoTransport, toAddress } from "./deno_transport.ts";
import { toError } from "./to_error.ts";
import type { Address, Listener, TransportListenOptions } from "./transport.ts";

/** Wait after the first failure to accept, in milliseconds; then doubled. */
const FIRST_WAIT_MS = 5;
/** Longest wait after a failure to accept, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/**
 * Whether a connection was reset before it was accepted, as probes of load
 * balancers are. Deno asks for its addresses, and fails where it has none any
 * more. Nothing is wrong with the listener then, and waiting would let those who
 * reset hold everybody else up.
 */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

type StreamListener = Deno.TcpListener | Deno.UnixListener;

function open(options: TransportListenOptions): StreamListener {
  if (options.path !== undefined) {
    return Deno.listen({ transport: "unix", path: options.path });
  }
  // `reusePort` is not in the stable types, and an option that is `undefined`
  // is not the same as one that is absent.
  const tcp: Deno.TcpListenOptions & { reusePort?: boolean } = {
    hostname: options.hostname ?? "0.0.0.0",
    port: options.port ?? 0,
  };
  if (options.backlog !== undefined) tcp.tcpBacklog = options.backlog;
  if (options.reusePort !== undefined) tcp.reusePort = options.reusePort;
  return Deno.listen(tcp);
}

/** A listener on Deno's. */
export class DenoListener implements Listener {
  readonly address: Address;
  readonly #listener: StreamListener;
  readonly #options: TransportListenOptions;
  readonly #loop: Promise<void>;
  #isClosed = false;
  #isUnref = false;
  #waitTimer: ReturnType<typeof setTimeout> | undefined;
  #endWait: (() => void) | undefined;

  /**
   * @param options Where to listen, and whom to tell.
   * @throws {Error} If the address cannot be had.
   */
  constructor(options: TransportListenOptions) {
    this.#options = options;
    this.#listener = open(options);
    this.address = toAddress(this.#listener.addr);
    this.#loop = this.#acceptAll();
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#listener.close();
      this.#endWait?.();
    }
    // A pending `accept` holds the port until it has failed.
    await this.#loop;
  }

  ref(): void {
    this.#isUnref = false;
    if (this.#isClosed) return;
    this.#listener.ref();
    if (this.#waitTimer !== undefined) Deno.refTimer(this.#waitTimer);
  }

  unref(): void {
    this.#isUnref = true;
    if (this.#isClosed) return;
    this.#listener.unref();
    if (this.#waitTimer !== undefined) Deno.unrefTimer(this.#waitTimer);
  }

  async #acceptAll(): Promise<void> {
    let waitMs = 0;
    while (!this.#isClosed) {
      try {
        const conn = await this.#listener.accept();
        waitMs = 0;
        this.#welcome(conn);
      } catch (error) {
        if (this.#isClosed) return;
        if (isGone(error)) continue;
        if (waitMs === 0) this.#tell(error);
        waitMs = Math.min(Math.max(FIRST_WAIT_MS, waitMs * 2), MAX_WAIT_MS);
        await this.#wait(waitMs);
      }
    }
  }

  #tell(error: unknown): void {
    this.#options.acceptFailed?.(toError(error));
  }

  /** Waits, but not beyond `close`. */
  #wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(this.#waitTimer);
        this.#waitTimer = undefined;
        this.#endWait = undefined;
        resolve();
      };
      this.#endWait = end;
      const timer = setTimeout(end, waitMs);
      if (this.#isUnref) Deno.unrefTimer(timer);
      this.#waitTimer = timer;
    });
  }

  #welcome(conn: Deno.TcpConn | Deno.UnixConn): void {
    if ("setNoDelay" in conn) conn.setNoDelay(true);
    this.#options.accept(new DenoTransport(conn));
  }
}
