/**
 * Options of a connection: limits and times, with their defaults.
 *
 * @module
 */

import {
  DEFAULT_MAX_FRAGMENTS,
  DEFAULT_MAX_MESSAGE_BYTES,
  type Role,
} from "../codec.ts";
import { checkAmount } from "./check.ts";
import {
  type CompressionOptions,
  type CompressionSettings,
  compressionSettings,
  DEFAULT_COMPRESSION,
} from "./compression.ts";

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
   * Largest message accepted in pieces, in bytes: by the `stream` hook, and by
   * `receiveStream()`. Absent, it is `maxMessageBytes`. `Infinity` disables the
   * limit; memory stays bounded. `maxFragments` holds nevertheless.
   *
   * Where there is neither a `message` nor a `stream` hook it also says that
   * messages are received in pieces from the first one on, whoever takes them.
   */
  readonly maxStreamBytes?: number;
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
  /**
   * Whether to compress messages (permessage-deflate, RFC 7692) with a peer that
   * agrees to, and how. It costs memory for each connection, and time for each
   * message; `docs/compression.md` says how much, and when not to. Options of a
   * handler take the place of the site's as a whole.
   *
   * A site does nothing of it unless told to; `dial` offers it unless told not to.
   */
  readonly compression?: boolean | CompressionOptions;
}

/** What a message for many does where a peer does not keep up. */
export type BroadcastOverflow = "close" | "drop-new" | "drop-old" | "latest";

/** The limits and times of a connection. */
type ConnectionAmounts = Required<
  Omit<ConnectionOptions, "compression" | "maxStreamBytes">
>;

/** Options of a connection, all of them, and what a site adds. */
export interface ConnectionSettings extends ConnectionAmounts {
  /** How to compress; absent where nothing is compressed. */
  readonly compression?: CompressionSettings;
  /** Largest message in pieces, in bytes; `maxMessageBytes` where absent. */
  readonly maxStreamBytes?: number;
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

/** The defaults, but for compression. */
export const DEFAULT_CONNECTION_SETTINGS: ConnectionAmounts = {
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

/** Marks; under 1 they would be reached by an empty buffer, and for ever. */
const MARK_NAMES: readonly string[] = [
  "sendHighWaterBytes",
  "receiveHighWaterBytes",
  "receiveHighWaterMessages",
];

const AMOUNT_NAMES: readonly string[] = [
  ...Object.keys(DEFAULT_CONNECTION_SETTINGS),
  "maxStreamBytes",
];

/** Names of the options of a connection. */
export const CONNECTION_OPTION_NAMES: readonly string[] = [
  ...AMOUNT_NAMES,
  "compression",
];

/** What connections with the defaults share, and with it what hangs on it. */
const DEFAULTS: Readonly<Record<Role, ConnectionSettings>> = {
  server: DEFAULT_CONNECTION_SETTINGS,
  client: {
    ...DEFAULT_CONNECTION_SETTINGS,
    compression: DEFAULT_COMPRESSION.client,
  },
};

/**
 * Fills options up with the defaults.
 *
 * @param what What the options are for, for messages.
 * @param options Options as given, possibly among others.
 * @param role Our own side: a client offers compression, if nothing is said.
 * @throws {TypeError} If one is of the wrong kind.
 * @throws {RangeError} If one is negative or NaN, or a mark is less than 1.
 */
export function connectionSettings(
  what: string,
  options: ConnectionOptions,
  role: Role = "server",
): ConnectionSettings {
  const defaults = DEFAULTS[role];
  let settings: ConnectionSettings | undefined;
  for (const name of AMOUNT_NAMES) {
    const value = options[name as keyof ConnectionAmounts];
    if (value === undefined) continue;
    checkAmount(what, name, value);
    if (value < 1 && MARK_NAMES.includes(name)) {
      throw new RangeError(`Cannot ${what}: ${name} is less than 1: ${value}`);
    }
    settings = { ...settings ?? defaults, [name]: value };
  }
  if (options.compression === undefined) return settings ?? defaults;
  const compression = compressionSettings(what, role, options.compression);
  const { compression: _, ...amounts } = settings ?? defaults;
  return compression === undefined ? amounts : { ...amounts, compression };
}
