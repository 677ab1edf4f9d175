/**
 * Options of a connection: limits and times, with their defaults.
 *
 * @module
 */

import { DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_MESSAGE_BYTES } from "../codec.ts";

/** Limits and times of one connection. The same on both sides. */
export interface ConnectionOptions {
  /**
   * Largest message accepted, in bytes, counted after decompression and across
   * fragments. A larger one ends the connection with close code 1009.
   * `Infinity` disables the limit.
   *
   * @default {1_048_576}
   */
  readonly maxMessageBytes?: number;
  /**
   * Most fragments that one message may have. More end the connection with
   * close code 1008. `Infinity` disables the limit.
   *
   * @default {16_384}
   */
  readonly maxFragments?: number;
  /**
   * How long a connection may be silent before it is sent a Ping, in
   * milliseconds, give or take a quarter so that Pings spread. 0 sends none.
   *
   * @default {20_000}
   */
  readonly pingIntervalMs?: number;
  /**
   * How long after a Ping has been flushed the peer may stay silent, in
   * milliseconds. Any byte counts as life. Then the connection is closed with
   * 1011 and cause `ping-timeout`. 0 waits for ever.
   *
   * @default {20_000}
   */
  readonly pingTimeoutMs?: number;
  /**
   * How long the peer may take to answer a Close frame, and then to end the
   * stream, in milliseconds. Then the connection is dropped.
   *
   * When the peer closes first, a hook that is pending, or the one who takes the
   * messages, has half of it to finish before the peer is answered.
   *
   * @default {10_000}
   */
  readonly closeTimeoutMs?: number;
  /**
   * Bytes in the send buffer from which `send` returns `false`; at least 1.
   *
   * @default {65_536}
   */
  readonly sendHighWaterBytes?: number;
  /**
   * Bytes in the send buffer over which the connection is closed with 1013 and
   * cause `backpressure` when another message is sent. A single message may be
   * larger.
   *
   * @default {16_777_216}
   */
  readonly sendMaxBytes?: number;
  /**
   * Bytes received and not yet handled from which reading pauses; at least 1.
   *
   * @default {65_536}
   */
  readonly receiveHighWaterBytes?: number;
  /**
   * Messages received and not yet handled from which reading pauses; at least 1.
   *
   * @default {16}
   */
  readonly receiveHighWaterMessages?: number;
}

/** What a message for many does where a peer does not keep up. */
export type BroadcastOverflow = "close" | "drop-new" | "drop-old" | "latest";

/** Options of a connection, all of them, and what a site adds. */
export interface ConnectionSettings extends Required<ConnectionOptions> {
  /** Path that its handler is registered on; absent for one that was dialled. */
  readonly path?: string;
  /** Where messages for many are treated unlike others. */
  readonly overflow?: {
    /** What to do. */
    readonly policy: BroadcastOverflow;
    /** Bytes in the send buffer from which to do it. */
    readonly maxBytes: number;
  } | undefined;
}

/** The defaults. */
export const DEFAULT_CONNECTION_SETTINGS: Required<ConnectionOptions> = {
  maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
  maxFragments: DEFAULT_MAX_FRAGMENTS,
  pingIntervalMs: 20_000,
  pingTimeoutMs: 20_000,
  closeTimeoutMs: 10_000,
  sendHighWaterBytes: 65_536,
  sendMaxBytes: 16_777_216,
  receiveHighWaterBytes: 65_536,
  receiveHighWaterMessages: 16,
};

/**
 * Refuses options that have a key nobody knows, which is most often a typing
 * error that would pass for the default.
 *
 * @param what What the options are for, for the message.
 * @param options Options as given.
 * @param known Names that are allowed.
 * @throws {TypeError} If `options` is no object, or has another key.
 */
export function checkKeys(
  what: string,
  options: unknown,
  known: ReadonlySet<string>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${what}: the options are not an object`);
  }
  for (const key of Object.keys(options)) {
    if (!known.has(key)) {
      throw new TypeError(`Cannot ${what}: unknown option: ${key}`);
    }
  }
}

/**
 * Refuses a number that is not one, or is negative.
 *
 * @param what What the option is for, for the message.
 * @param name Name of the option.
 * @param value Value as given.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is negative or NaN.
 */
export function checkAmount(what: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${what}: ${name} is not a number`);
  }
  if (!(value >= 0)) {
    throw new RangeError(`Cannot ${what}: ${name} is out of range: ${value}`);
  }
}

/** Marks; under 1 they would be reached by an empty buffer, and for ever. */
const MARK_NAMES: readonly string[] = [
  "sendHighWaterBytes",
  "receiveHighWaterBytes",
  "receiveHighWaterMessages",
];

/** Names of the options of a connection. */
export const CONNECTION_OPTION_NAMES: readonly string[] = Object.keys(
  DEFAULT_CONNECTION_SETTINGS,
);

/**
 * Fills options up with the defaults.
 *
 * @param what What the options are for, for messages.
 * @param options Options as given, possibly among others.
 * @throws {TypeError} If one is not a number.
 * @throws {RangeError} If one is negative or NaN, or a mark is less than 1.
 */
export function connectionSettings(
  what: string,
  options: ConnectionOptions,
): ConnectionSettings {
  // Connections with the defaults share them, and with them what hangs on them.
  let settings: Record<string, number> | undefined;
  for (const name of CONNECTION_OPTION_NAMES) {
    const value = options[name as keyof ConnectionOptions];
    if (value === undefined) continue;
    checkAmount(what, name, value);
    if (value < 1 && MARK_NAMES.includes(name)) {
      throw new RangeError(`Cannot ${what}: ${name} is less than 1: ${value}`);
    }
    settings ??= { ...DEFAULT_CONNECTION_SETTINGS };
    settings[name] = value;
  }
  return (settings ?? DEFAULT_CONNECTION_SETTINGS) as ConnectionSettings;
}
