/**
 * Pings under way, and how long they took.
 *
 * @module
 */

import { MAX_CONTROL_BYTES } from "../codec.ts";
import { currentClock } from "./clock.ts";
import { toBytes } from "./sendable.ts";

interface PendingPing {
  readonly payload: Uint8Array;
  readonly sentMs: number;
  readonly resolve: (roundTripMs: number) => void;
  readonly reject: (error: Error) => void;
}

/** Random payload of a Ping that was given none, in bytes. */
const PAYLOAD_BYTES = 4;

/** The Pings that one side has sent and that have not been answered. */
export class Pings {
  /** Latest round trip, in milliseconds; `undefined` before the first. */
  latencyMs: number | undefined;
  /** Made with the first Ping. */
  #pending: PendingPing[] | undefined;

  /**
   * Makes the payload of a Ping.
   *
   * @param given What it is to be; copied. Where absent, it cannot be guessed.
   * @throws {TypeError} If it is not bytes.
   * @throws {RangeError} If it is too long.
   */
  static payload(given?: ArrayBuffer | ArrayBufferView): Uint8Array {
    if (given === undefined) {
      return crypto.getRandomValues(new Uint8Array(PAYLOAD_BYTES));
    }
    // Not `slice`: that of Node's `Buffer` returns a view on the same memory.
    const payload = new Uint8Array(toBytes("ping", given));
    if (payload.length > MAX_CONTROL_BYTES) {
      throw new RangeError(`Cannot ping: over 125 bytes: ${payload.length}`);
    }
    return payload;
  }

  /**
   * Notes a Ping that is being sent.
   *
   * @param payload Its payload; kept.
   * @returns The round trip in milliseconds. It may be ignored: its rejection is
   * heard.
   * @throws {Error} If a Ping with this payload is under way already.
   */
  start(payload: Uint8Array): Promise<number> {
    const pending = this.#pending ??= [];
    if (pending.some((ping) => isEqual(ping.payload, payload))) {
      throw new Error("Cannot ping: a Ping with this payload is under way");
    }
    const roundTrip = new Promise<number>((resolve, reject) => {
      const sentMs = currentClock().nowMs();
      pending.push({ payload, sentMs, resolve, reject });
    });
    roundTrip.catch(() => {});
    return roundTrip;
  }

  /**
   * Takes a Pong. It answers the Ping with the same payload, and those before it
   * (RFC 6455, section 5.5.3); any other is nobody's.
   */
  answer(payload: Uint8Array): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const index = pending.findIndex((ping) => isEqual(ping.payload, payload));
    if (index < 0) return;
    const now = currentClock().nowMs();
    for (const ping of pending.splice(0, index + 1)) {
      this.latencyMs = now - ping.sentMs;
      ping.resolve(this.latencyMs);
    }
  }

  /** Gives up on all. */
  end(error: Error): void {
    for (const ping of this.#pending ?? []) ping.reject(error);
    this.#pending = undefined;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
