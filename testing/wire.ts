/**
 * What lies between two ends: how it behaves, and how it fails.
 *
 * @module
 */

import { checkAmount, type Connection, connectionOf } from "../connection.ts";
import type { Address } from "../runtime/transport.ts";
import { joinEnds, type MemoryTransport } from "./memory_transport.ts";

/** How a wire behaves. */
export interface WireOptions {
  /**
   * Most bytes that arrive at once, at either end; 1 cuts everything to single
   * bytes. `Infinity` lets arrive together what was sent together.
   *
   * @default {Infinity}
   */
  readonly chunkBytes?: number;
  /**
   * Bytes that the network holds, in each direction: one who sends more to a peer
   * that does not read finds them in `bufferedAmount`.
   *
   * @default {65_536}
   */
  readonly capacityBytes?: number;
}

/** The network between two ends in memory. Everything about it may be changed. */
export interface Wire {
  /** Most bytes that arrive at once, at either end. */
  chunkBytes: number;
  /** Bytes that it holds, in each direction. */
  capacityBytes: number;
  /** Whether nothing comes through. */
  readonly isStalled: boolean;
  /**
   * Lets nothing through any more, as when a cable is pulled: what is sent gets as
   * far as `capacityBytes`, and neither end learns of the other, nor of its end.
   */
  stall(): void;
  /** Lets everything through again that waited, and what follows. */
  flow(): void;
  /** Breaks: both ends see a reset. What was on its way is lost. */
  reset(): void;
}

/** Names of the options of a wire. */
export const WIRE_OPTION_NAMES: readonly string[] = [
  "chunkBytes",
  "capacityBytes",
];

/** Where the ends of a wire are. */
export interface WireAddresses {
  /** The one who connected. */
  readonly client: Address;
  /** The one who listened. */
  readonly server: Address;
  /** Whether it passes for TLS. */
  readonly secure: boolean;
}

/** Implements {@linkcode Wire}. */
export class MemoryWire implements Wire {
  /** The end that connected. */
  readonly client: MemoryTransport;
  /** The end that listened. */
  readonly server: MemoryTransport;

  /**
   * @param addresses Where its ends are.
   * @param options How it behaves; checked by {@linkcode checkWire}.
   */
  constructor(addresses: WireAddresses, options: WireOptions = {}) {
    const { client, server, secure } = addresses;
    const { chunkBytes = Infinity, capacityBytes = 65_536 } = options;
    const shared = { secure, chunkBytes, capacityBytes };
    [this.client, this.server] = joinEnds(
      { localAddress: client, remoteAddress: server, ...shared },
      { localAddress: server, remoteAddress: client, ...shared },
    );
  }

  get chunkBytes(): number {
    return this.client.chunkBytes;
  }

  set chunkBytes(bytes: number) {
    checkWire("change the wire", { chunkBytes: bytes });
    this.client.chunkBytes = this.server.chunkBytes = bytes;
  }

  get capacityBytes(): number {
    return this.client.capacityBytes;
  }

  set capacityBytes(bytes: number) {
    checkWire("change the wire", { capacityBytes: bytes });
    this.client.capacityBytes = this.server.capacityBytes = bytes;
  }

  get isStalled(): boolean {
    return this.client.stalled;
  }

  stall(): void {
    this.client.stalled = this.server.stalled = true;
  }

  flow(): void {
    this.client.stalled = this.server.stalled = false;
  }

  reset(): void {
    this.client.reset();
  }

  /** The server's connection, once there is one. */
  get serverConnection(): Connection | undefined {
    return connectionOf(this.server.sink);
  }
}

/**
 * Refuses what cannot have been meant.
 *
 * @param what What the options are for, for the message.
 * @param options Options as given, possibly among others.
 * @throws {TypeError} If one is not a number.
 * @throws {RangeError} If one is less than 1.
 */
export function checkWire(what: string, options: WireOptions): void {
  for (const name of WIRE_OPTION_NAMES) {
    const value = options[name as keyof WireOptions];
    if (value === undefined) continue;
    checkAmount(what, name, value);
    if (value < 1) {
      throw new RangeError(`Cannot ${what}: ${name} is less than 1: ${value}`);
    }
  }
}
