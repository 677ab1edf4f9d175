/**
 * A network in memory: listeners, and wires to them.
 *
 * @module
 */

import type {
  Address,
  Listener,
  Runtime,
  Transport,
  TransportConnectOptions,
  TransportListenOptions,
} from "../runtime/transport.ts";
import { openMemoryRoot } from "./memory_root.ts";
import { MemoryWire, type WireOptions } from "./wire.ts";

/** First of the ports that are given out. */
const FIRST_FREE_PORT = 49_152;

/** How one side connects. */
export interface Caller {
  /** IP address that the other side sees. */
  readonly hostname: string;
  /** How its wires behave. */
  readonly wire: WireOptions;
  /** Told of each wire before the other side accepts it. */
  connected?(wire: MemoryWire): void;
}

/** An error with a code, as the runtimes give. */
function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function keyOf(where: { readonly port?: number; readonly path?: string }) {
  return where.path === undefined ? `${where.port}` : `unix ${where.path}`;
}

/** Sockets in memory. Every host name leads here; ports tell listeners apart. */
export class Network {
  readonly #listeners: Map<string, TransportListenOptions> = new Map();
  #nextPort = FIRST_FREE_PORT;

  /**
   * Makes a runtime of it.
   *
   * @param real The runtime at hand, for what is no socket.
   * @param caller How `connect` connects.
   */
  async runtime(real: Promise<Runtime>, caller: Caller): Promise<Runtime> {
    const { name, unrefTimer } = await real;
    return {
      name,
      unrefTimer,
      listen: (options) => this.#listen(options),
      connect: (options) => this.connect(options, caller),
      openRoot: openMemoryRoot,
    };
  }

  // Asynchronous, as everything that has to do with a network: what it throws
  // comes as a rejection.
  // deno-lint-ignore require-await
  async #listen(options: TransportListenOptions): Promise<Listener> {
    const { hostname = "0.0.0.0", path } = options;
    const port = options.port === 0 ? this.#freePort() : options.port;
    const key = keyOf({ port, path } as typeof options);
    if (this.#listeners.has(key)) {
      throw failure("EADDRINUSE", `Address already in use: ${key}`);
    }
    this.#listeners.set(key, options);
    return {
      address: path === undefined
        ? { transport: "tcp", hostname, port: port! }
        : { transport: "unix", path },
      close: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
      // There is nothing that could keep the process alive.
      ref: () => {},
      unref: () => {},
    };
  }

  /**
   * Connects.
   *
   * @param options Where to.
   * @param caller How.
   * @throws {Error} If nobody listens there, only one of both speaks TLS, or
   * the way leads through a proxy.
   */
  // deno-lint-ignore require-await
  async connect(
    options: TransportConnectOptions,
    caller: Caller,
  ): Promise<Transport> {
    options.signal?.throwIfAborted();
    const listener = this.#listeners.get(keyOf(options));
    if (listener === undefined) {
      throw failure("ECONNREFUSED", `Connection refused: ${keyOf(options)}`);
    }
    // Going round it would let a test pass that has the wrong proxy.
    if (options.tunnel !== undefined) {
      throw failure("ECONNREFUSED", "There are no proxies in memory");
    }
    const secure = options.tls !== undefined;
    if (secure !== (listener.tls !== undefined)) {
      throw failure("EPROTO", "Only one side speaks TLS");
    }
    const { client, server } = this.#addresses(options, caller);
    const wire = new MemoryWire({ client, server, secure }, caller.wire);
    caller.connected?.(wire);
    listener.accept(wire.server);
    return wire.client;
  }

  #addresses(
    { port, path }: TransportConnectOptions,
    { hostname }: Caller,
  ): { client: Address; server: Address } {
    if (path !== undefined) {
      return {
        client: { transport: "unix", path: "" },
        server: { transport: "unix", path },
      };
    }
    return {
      client: { transport: "tcp", hostname, port: this.#freePort() },
      server: { transport: "tcp", hostname: "127.0.0.1", port: port! },
    };
  }

  #freePort(): number {
    const port = this.#nextPort++;
    if (this.#nextPort > 65_535) this.#nextPort = FIRST_FREE_PORT;
    return port;
  }
}
