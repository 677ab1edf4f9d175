/**
 * What an application hands over for sending, and how that is made a message.
 *
 * @module
 */

import type { Message } from "../codec.ts";
import { checkKeys } from "./check.ts";

/** What may be sent: text, or bytes of any kind. */
export type Sendable = string | ArrayBuffer | ArrayBufferView;

/** How to send a message. */
export interface SendOptions {
  /**
   * Whether the message may be compressed, where compression was negotiated.
   * Keep secrets and text that an attacker chooses out of one compressed stream.
   *
   * @default {true}
   */
  readonly compress?: boolean;
}

const SEND_OPTION_NAMES = new Set(["compress"]);

/** Throws where its `this` is no `ArrayBuffer`, whatever prototype that has. */
const byteLengthOf = Object.getOwnPropertyDescriptor(
  ArrayBuffer.prototype,
  "byteLength",
)!.get!;

/**
 * Tells whether a message may be compressed.
 *
 * @param options What `send` was given.
 * @throws {TypeError} If an option is unknown or of the wrong kind.
 */
export function mayCompress(options: SendOptions | undefined): boolean {
  if (options === undefined) return true;
  checkKeys("send", options, SEND_OPTION_NAMES);
  const { compress = true } = options;
  if (typeof compress !== "boolean") {
    throw new TypeError("Cannot send: compress is not a boolean");
  }
  return compress;
}

/**
 * Takes what `send` was given.
 *
 * @param data Anything.
 * @returns Text as it is; bytes as a view of exactly the bytes that were given.
 * @throws {TypeError} If it is neither.
 */
export function toMessage(data: unknown): Message {
  if (typeof data === "string" || data instanceof Uint8Array) return data;
  return toBytes("send", data);
}

/**
 * Takes bytes of any kind.
 *
 * @param what What they are for, for the message.
 * @param data Anything.
 * @throws {TypeError} If it is not bytes.
 */
export function toBytes(what: string, data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (isArrayBuffer(data)) return new Uint8Array(data);
  const type = data === null ? "null" : typeof data;
  throw new TypeError(`Cannot ${what}: neither a string nor bytes: ${type}`);
}

/**
 * Whether it is an `ArrayBuffer`, also of another realm, as `node:vm` and test
 * runners have.
 *
 * @param value Anything.
 */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    byteLengthOf.call(value);
    return true;
  } catch {
    return false;
  }
}
