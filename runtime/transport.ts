/**
 * The contract between Sockeye and a runtime: bytes in, bytes out.
 *
 * Nothing here knows what a WebSocket is. `deno.ts`, `bun.ts` and `node.ts`
 * each implement {@linkcode Runtime}; everything above them sees only this file.
 *
 * Rules of a transport:
 *
 * - It calls its sink from the event loop only, never from inside one of the
 *   transport's own methods, so a caller need not expect re-entrance.
 * - It calls `close()` exactly once, last, whatever ended it; after
 *   `destroy()` too.
 * - It never throws for what the network does, and never rejects unheard.
 *
 * Rule of a sink: it does not throw. A transport catches nothing for it; what
 * an exception does depends on the runtime (the connection ends with it on Deno
 * and Bun, the process on Node).
 *
 * @module
 */

/** Where one end of a transport is. */
export type Address =
  | {
    /** A TCP socket, TLS or not. */
    readonly transport: "tcp";
    /** IP address, without brackets. */
    readonly hostname: string;
    /** Port number. */
    readonly port: number;
  }
  | {
    /** A Unix domain socket. */
    readonly transport: "unix";
    /** Path of the socket file, empty for an unnamed end. */
    readonly path: string;
  };

/** Who receives what happens on a {@linkcode Transport}. */
export interface TransportSink {
  /**
   * Bytes arrived.
   *
   * @param chunk Lent until this call returns: the sink may overwrite it, and
   * the transport reuses it afterwards, unless it says `givesChunks`. Never
   * empty, and never a `Buffer`, whose `slice` would not copy.
   */
  data(chunk: Uint8Array): void;
  /** All that was handed to `write` has left; more may be written. */
  drain(): void;
  /**
   * The peer has ended its side (FIN). Writing is still possible. On Deno a RST
   * after it shows only at the next write, so whoever goes on waiting needs a
   * timer.
   */
  end(): void;
  /**
   * The transport is gone, both ways. Called once, after everything else.
   *
   * @param error What broke it; absent after an orderly end or `destroy()`.
   */
  close(error?: Error): void;
}

/** A connected byte stream. */
export interface Transport {
  /** Address of the peer. */
  readonly remoteAddress: Address;
  /** Address of this end. */
  readonly localAddress: Address;
  /** Whether the bytes travel through TLS. */
  readonly secure: boolean;
  /**
   * Whether each chunk is memory of its own, which the sink may keep. It is no
   * larger than what arrived.
   */
  readonly givesChunks: boolean;
  /**
   * Who is told. May be replaced at any time, also from inside a call to it;
   * the next call goes to the new one.
   */
  sink: TransportSink;
  /** Starts reading. Before it, the sink is not called. Called once. */
  start(sink: TransportSink): void;
  /**
   * Sends bytes.
   *
   * Call it only while {@linkcode Transport.bufferedBytes} is 0.
   *
   * @param chunk Bytes to send, not empty. They are never modified.
   * @returns `true` when the transport is done with `chunk` and takes the next
   * one at once; `false` when it holds on to `chunk`, which must then stay
   * unchanged until the sink's `drain()`. After `end`, `destroy` or a failure it
   * returns `true` and drops the bytes.
   */
  write(chunk: Uint8Array): boolean;
  /** Bytes handed to `write` that have not left yet. 0 means: write freely. */
  readonly bufferedBytes: number;
  /**
   * Total of bytes that have left, ever growing. That it moved shows that the
   * peer is taking what it is sent.
   */
  readonly writtenBytes: number;
  /**
   * Stops reading. Bytes then wait in the kernel (on Node and on Deno's TLS
   * about 128 KiB of them in the socket object), and slow the peer down. At most
   * one chunk that was already on its way may still arrive.
   */
  pause(): void;
  /** Reads again after `pause`. */
  resume(): void;
  /** Ends this side (FIN) after what was written has left. Reading goes on. */
  end(): void;
  /**
   * Drops the connection at once, with whatever has not been sent: what
   * `bufferedBytes` counts. Bytes that have left may still be delivered.
   */
  destroy(): void;
}

/** TLS settings of a listener. PEM texts. */
export interface ListenTls {
  /** Certificate chain, PEM. */
  readonly cert: string;
  /** Private key, PEM. */
  readonly key: string;
  /** Protocols to offer by ALPN, in order of preference. */
  readonly alpnProtocols?: readonly string[];
}

/** What to listen on: a TCP port, or a Unix socket where `path` is given. */
export interface TransportListenOptions {
  /** Interface, `"0.0.0.0"` where absent. */
  readonly hostname?: string;
  /** Port; 0 takes a free one. */
  readonly port?: number;
  /** Path of a Unix socket. */
  readonly path?: string;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog?: number;
  /** Whether several processes may share the port (`SO_REUSEPORT`). */
  readonly reusePort?: boolean;
  /** Serve TLS. */
  readonly tls?: ListenTls;
  /** How long a TLS handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /**
   * Called with each new connection; TLS is already established. It calls
   * `start` before it returns, or `destroy`.
   */
  accept(transport: Transport): void;
  /**
   * Told when accepting begins to fail, such as for lack of descriptors. Only
   * Deno tells; Bun and Node go on in silence.
   */
  acceptFailed?(error: Error): void;
}

/** A listening socket. */
export interface Listener {
  /** Where it listens, with the real port. */
  readonly address: Address;
  /**
   * Stops accepting, and frees the port (and the file of a Unix socket) before
   * the promise settles. Connections live on. Idempotent.
   */
  close(): Promise<void>;
  /** Lets the listener keep the process alive (the default). */
  ref(): void;
  /** Lets the process end although the listener is open. */
  unref(): void;
}

/** TLS settings of a client connection. PEM texts. */
export interface ConnectTls {
  /** Authorities to trust instead of the system's, PEM. */
  readonly ca?: string | readonly string[];
  /** Client certificate chain, PEM. */
  readonly cert?: string;
  /** Client private key, PEM. */
  readonly key?: string;
  /**
   * Whether the server's certificate must be valid.
   *
   * @default {true}
   */
  readonly rejectUnauthorized?: boolean;
  /** Name to send (SNI) and to check; the target's host where absent. */
  readonly serverName?: string;
  /** Protocols to offer by ALPN. */
  readonly alpnProtocols?: readonly string[];
}

/** A way to the target through something else that is connected to first. */
export interface Tunnel {
  /** Host name or IP address of what is in between. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Speak TLS with it; `{}` for the defaults. */
  readonly tls?: ConnectTls;
  /**
   * Asks it for the way to the target.
   *
   * @param transport Connected to it, not started. The runtime takes it back, also
   * after a failure.
   * @returns Settles once all that comes is the target's, none of which has.
   */
  open(transport: Transport): Promise<void>;
}

/** An address of this machine's to connect from. */
export interface LocalAddress {
  /** IP address, without brackets. */
  readonly hostname: string;
  /** Port; a free one where absent or 0. */
  readonly port?: number;
}

/** Where to connect to. */
export interface TransportConnectOptions {
  /** Host name or IP address (no brackets), `"127.0.0.1"` where absent. */
  readonly hostname?: string;
  /** Port; missing only beside `path`. */
  readonly port?: number;
  /** Path of a Unix socket, instead of host and port. */
  readonly path?: string;
  /** Speak TLS; `{}` for the defaults. */
  readonly tls?: ConnectTls;
  /** Connect from here; not with `path`. */
  readonly localAddress?: LocalAddress;
  /** Go through this; host and port are then those to be reached in the end. */
  readonly tunnel?: Tunnel;
  /** Gives up when aborted; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** What the root is told of a request beside the request itself. */
export interface RootRequestInfo {
  /** Address of the client, not of anything in between. */
  readonly remoteAddress: Address;
  /** Whether the client came through TLS. */
  readonly secure: boolean;
}

/** Request line and headers of an upgrade that arrived late on a kept-alive connection. */
export interface LateUpgrade {
  /** Method, as sent. */
  readonly method: string;
  /** Request target, as sent: path and query. */
  readonly target: string;
  /** Header lines in order; lines of one name may have been joined with `, `. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What serves the requests that are not for a handler. */
export interface RootOptions {
  /** Answers ordinary requests. */
  fetch(
    request: Request,
    info: RootRequestInfo,
  ): Response | Promise<Response>;
  /** Whether a request on a kept-alive connection is to be upgraded by the owner. */
  claims(request: Request): boolean;
  /**
   * Takes over a connection whose latest request was claimed. All responses to
   * earlier requests have been handed to `transport.write` or sent.
   *
   * @param transport Started: give it a `sink` before the call returns. It may
   * be another object than the one that was taken.
   * @param leftover Bytes that followed the request head, as far as known; lent
   * until the call returns.
   */
  upgrade(
    request: LateUpgrade,
    transport: Transport,
    leftover: Uint8Array,
  ): void;
  /** Told of an exception out of `fetch`, and of the server's own failures. */
  failed?(error: Error): void;
}

/** The runtime's own HTTP server, fed with connections that were accepted elsewhere. */
export interface Root {
  /**
   * Serves a connection; it is the root's from now on.
   *
   * @param transport A started transport.
   * @param head Bytes already read from it, lent until the call returns.
   */
  take(transport: Transport, head: Uint8Array): void;
  /**
   * Stops. Responses under way are finished, at most for `timeoutMs`, then
   * everything left is dropped. Idempotent.
   */
  close(timeoutMs: number): Promise<void>;
}

/** One runtime's sockets. */
export interface Runtime {
  /** Which one. */
  readonly name: "deno" | "bun" | "node";
  /** Listens. Rejects where the address cannot be had. */
  listen(options: TransportListenOptions): Promise<Listener>;
  /** Connects; the transport is not started yet. */
  connect(options: TransportConnectOptions): Promise<Transport>;
  /** Prepares the runtime's HTTP server. Nothing is started before the first `take`. */
  openRoot(options: RootOptions): Root;
  /** Lets the process end although a timer from `setTimeout`/`setInterval` is pending. */
  unrefTimer(timer: unknown): void;
}

/** The runtime that was loaded: `import` of a loaded module costs 2 µs and more. */
let loaded: Promise<Runtime> | undefined;

/** Loads the part for the runtime that this code runs on. */
export function loadRuntime(): Promise<Runtime> {
  return loaded ??= load();
}

/**
 * Puts another runtime in the place of the real one, for tests. `listen` and `dial`
 * ask for the runtime before they return their promise, so that it is enough to
 * have it in place while they are called.
 *
 * @param runtime The runtime.
 * @returns What puts the one before back.
 */
export function useRuntime(runtime: Promise<Runtime>): () => void {
  const before = loaded;
  loaded = runtime;
  return () => {
    loaded = before;
  };
}

async function load(): Promise<Runtime> {
  if ("Deno" in globalThis) return (await import("./deno.ts")).denoRuntime;
  if ("Bun" in globalThis) return (await import("./bun.ts")).bunRuntime;
  return (await import("./node.ts")).nodeRuntime;
}
