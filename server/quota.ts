/**
 * How many connections there may be, in all and from one address.
 *
 * @module
 */

import type { Address } from "../runtime/transport.ts";
import { networkOf } from "./ip_address.ts";

/** Why there may not be one more. */
export type QuotaRefusal = "too-many-connections" | "too-many-from-address";

/** Counts connections by whom they belong to. */
export class Quota {
  readonly #max: number;
  readonly #maxPerAddress: number;
  /** Who holds a place, and the network that it counts for. */
  readonly #holders: Map<object, string | undefined> = new Map();
  /** Count of the places of a network; those with none are not here. */
  readonly #perNetwork: Map<string, number> = new Map();

  /**
   * @param max Most places.
   * @param maxPerAddress Most places for one address.
   */
  constructor(max: number, maxPerAddress: number) {
    this.#max = max;
    this.#maxPerAddress = maxPerAddress;
  }

  /** Places that are taken. */
  get size(): number {
    return this.#holders.size;
  }

  /** Networks that places are counted for. */
  get networks(): number {
    return this.#perNetwork.size;
  }

  /**
   * Takes a place.
   *
   * @param holder Whose it is; has none yet.
   * @param address Where it is. A Unix socket has no address to count for.
   * @returns Why there is none, or `undefined` if it was taken.
   */
  take(holder: object, address: Address): QuotaRefusal | undefined {
    if (this.#holders.size >= this.#max) return "too-many-connections";
    const network = this.#networkOf(address);
    if (network !== undefined) {
      const count = this.#perNetwork.get(network) ?? 0;
      if (count >= this.#maxPerAddress) return "too-many-from-address";
      this.#perNetwork.set(network, count + 1);
    }
    this.#holders.set(holder, network);
    return undefined;
  }

  /** Hands a place on. Whoever has none may ask, too. */
  move(holder: object, next: object): void {
    if (!this.#holders.has(holder)) return;
    this.#holders.set(next, this.#holders.get(holder));
    this.#holders.delete(holder);
  }

  /** Gives a place back. Whoever has none may ask, too. */
  release(holder: object): void {
    const network = this.#holders.get(holder);
    this.#holders.delete(holder);
    if (network === undefined) return;
    const count = this.#perNetwork.get(network)! - 1;
    if (count === 0) this.#perNetwork.delete(network);
    else this.#perNetwork.set(network, count);
  }

  #networkOf(address: Address): string | undefined {
    if (this.#maxPerAddress === Infinity || address.transport !== "tcp") {
      return undefined;
    }
    return networkOf(address.hostname);
  }
}
