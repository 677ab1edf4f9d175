/**
 * A network in memory in the place of the real one.
 *
 * @module
 */

import { checkKeys } from "../connection.ts";
import { loadRuntime, useRuntime } from "../runtime/transport.ts";
import { Network } from "./network.ts";
import {
  checkWire,
  type MemoryWire,
  type Wire,
  WIRE_OPTION_NAMES,
  type WireOptions,
} from "./wire.ts";

/** How a {@linkcode MemoryNetwork} behaves. */
export interface MemoryNetworkOptions extends WireOptions {
  /**
   * IP address of those who dial, as servers see it.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
}

const OPTION_NAMES = new Set(["hostname", ...WIRE_OPTION_NAMES]);

/**
 * Stands in for the network: while it is in place, every `site.listen` listens in
 * memory and every `dial` connects there, so that a program that does both is
 * tested as it is, without a socket.
 *
 * Any host name will do; the port tells listeners apart. `wss:` goes to those who
 * listen with `tls`, whose certificate is not looked at. Requests to a site's root
 * are answered one to a connection.
 *
 * @example A program with a server and a client of its own
 * ```ts
 * import { dial, Site } from "@sockeye/sockeye";
 * import { MemoryNetwork } from "@sockeye/sockeye/testing";
 * import { strictEqual } from "node:assert";
 *
 * using _network = new MemoryNetwork();
 * const site = new Site();
 * site.addHandler("/double", async (connection) => {
 *   for await (const message of connection) connection.send(`${message}${message}`);
 * });
 * await using _server = await site.listen({ port: 80 });
 *
 * await using connection = await dial("ws://example.com/double");
 * connection.send("ha");
 * strictEqual(await connection.receive(), "haha");
 * ```
 */
export class MemoryNetwork implements Disposable {
  readonly #wires: MemoryWire[] = [];
  readonly #restore: () => void;
  #isDisposed = false;

  /**
   * Puts the network in place.
   *
   * @param options How it behaves.
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {RangeError} If a number is less than 1.
   */
  constructor(options: MemoryNetworkOptions = {}) {
    checkKeys("make the network", options, OPTION_NAMES);
    checkWire("make the network", options);
    const { hostname = "127.0.0.1" } = options;
    if (typeof hostname !== "string") {
      throw new TypeError("Cannot make the network: hostname is not a string");
    }
    this.#restore = useRuntime(
      new Network().runtime(loadRuntime(), {
        hostname,
        wire: options,
        connected: (wire) => void this.#wires.push(wire),
      }),
    );
  }

  /** The wires of all connections that were made so far, in their order. */
  get wires(): readonly Wire[] {
    return this.#wires;
  }

  /** Puts the real network back. What is connected stays so. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#restore();
  }
}
