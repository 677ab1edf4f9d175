/**
 * How messages are compressed (permessage-deflate, RFC 7692): the options with
 * their defaults, and what is made of them once both sides have agreed.
 *
 * @module
 */

import type { DeflateAgreement, MessageTransform, Role } from "../codec.ts";
import type { makeDeflate } from "../runtime/message_deflate.ts";
import { checkAmount, checkKeys } from "./check.ts";

/**
 * How to compress, and what to agree on with the peer. Both sides have a say: the
 * smaller window holds, and whoever wants no context taken over has it so.
 *
 * A connection takes memory for it as it is used: at the defaults of a site up to
 * 4 KiB for what was received, and up to 14 KiB for what was sent.
 */
export interface CompressionOptions {
  /**
   * Shortest message that is compressed, in bytes. `Infinity` compresses none that
   * is sent.
   *
   * @default {128}
   */
  readonly thresholdBytes?: number;
  /**
   * How hard to look for repetitions: 1 (fast) to 9. With 0 nothing that is sent is
   * compressed.
   *
   * @default {6}
   */
  readonly level?: number;
  /**
   * How much memory the looking takes, 1 to 9. Between messages a connection holds
   * 2 to the power of `memoryLevel + 6` of it, in bytes, at most half a window,
   * beside two bytes for each of its window. A message over 2 KiB takes as much as
   * 2 to the power of `memoryLevel + 9` while it is compressed.
   *
   * @default {5}
   */
  readonly memoryLevel?: number;
  /**
   * How far back the server may reach when it compresses: 2 to that power, in
   * bytes; 8 to 15. With context takeover either side keeps as many bytes of what
   * was sent. The default is 12 (4 KiB) on a server, and 15 (32 KiB) where one
   * dials, which leaves the choice to the server.
   */
  readonly serverMaxWindowBits?: number;
  /**
   * How far back the client may reach, as `serverMaxWindowBits`. A client that does
   * not let a server limit its window is told to compress each message by itself.
   */
  readonly clientMaxWindowBits?: number;
  /**
   * Whether the server has to compress each message by itself: nothing is kept
   * between messages, and short ones hardly shrink.
   *
   * @default {false}
   */
  readonly serverNoContextTakeover?: boolean;
  /**
   * Whether the client has to compress each message by itself.
   *
   * @default {false}
   */
  readonly clientNoContextTakeover?: boolean;
}

/** Options of compression, all of them. */
export interface CompressionSettings
  extends Required<CompressionOptions>, DeflateAgreement {}

const SERVER_COMPRESSION: CompressionSettings = {
  thresholdBytes: 128,
  level: 6,
  memoryLevel: 5,
  serverMaxWindowBits: 12,
  clientMaxWindowBits: 12,
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
};

/** What is compressed where nothing is said; the windows depend on the side. */
export const DEFAULT_COMPRESSION: Readonly<Record<Role, CompressionSettings>> =
  {
    server: SERVER_COMPRESSION,
    // A server that knows no windows would have to decline an offer that names one.
    client: {
      ...SERVER_COMPRESSION,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
    },
  };

const OPTION_NAMES = new Set(Object.keys(SERVER_COMPRESSION));

/** Whole numbers, with the least and the most that each may be. */
const RANGES: readonly (readonly [
  name: "level" | "memoryLevel" | "serverMaxWindowBits" | "clientMaxWindowBits",
  least: number,
  most: number,
])[] = [
  ["level", 0, 9],
  ["memoryLevel", 1, 9],
  ["serverMaxWindowBits", 8, 15],
  ["clientMaxWindowBits", 8, 15],
];

const FLAGS = ["serverNoContextTakeover", "clientNoContextTakeover"] as const;

/**
 * Fills the options of compression up with the defaults.
 *
 * @param what What the options are for, for messages.
 * @param role Our own side.
 * @param options What was given: `true` for the defaults, `false` for none.
 * @returns The settings; the same object for everyone who has the defaults.
 * @throws {TypeError} If something is unknown or of the wrong kind.
 * @throws {RangeError} If a number is out of its range.
 */
export function compressionSettings(
  what: string,
  role: Role,
  options: boolean | CompressionOptions,
): CompressionSettings | undefined {
  if (options === false) return undefined;
  const defaults = DEFAULT_COMPRESSION[role];
  if (options === true) return defaults;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${what}: compression is neither a boolean nor an object`,
    );
  }
  checkKeys(what, options, OPTION_NAMES, "compression");
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const settings: CompressionSettings = { ...defaults, ...given };
  checkAmount(what, "thresholdBytes", settings.thresholdBytes);
  for (const [name, least, most] of RANGES) {
    const value = settings[name];
    checkAmount(what, name, value);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`Cannot ${what}: ${name} is out of range: ${value}`);
    }
  }
  for (const name of FLAGS) {
    if (typeof settings[name] !== "boolean") {
      throw new TypeError(`Cannot ${what}: ${name} is not a boolean`);
    }
  }
  return settings;
}

let loading: Promise<void> | undefined;
let make: typeof makeDeflate | undefined;

/**
 * Loads what compresses. Who compresses nothing is spared it: with zlib it takes 3 MiB
 * on Deno and 7 on Bun, and some 15 ms of starting.
 *
 * @returns A promise that settles when it is there.
 */
export function loadCompression(): Promise<void> {
  return loading ??= import("../runtime/message_deflate.ts").then((loaded) => {
    make = loaded.makeDeflate;
  });
}

/** Settles when what compresses is there, if anybody has asked for it. */
export async function compressionLoaded(): Promise<void> {
  await loading;
}

/** Whether what compresses is there, so that it may be agreed on. */
export function isCompressionLoaded(): boolean {
  return make !== undefined;
}

/**
 * Makes what compresses the messages of one connection, once it has been loaded.
 *
 * @param role Our own side.
 * @param agreement What was agreed on; absent where nothing is compressed.
 * @param settings How to compress.
 */
export function messageTransform(
  role: Role,
  agreement: DeflateAgreement | undefined,
  settings: CompressionSettings | undefined,
): MessageTransform | undefined {
  if (agreement === undefined || settings === undefined) return undefined;
  return make?.(role, agreement, settings);
}
