/**
 * What one sets up a protocol with, and what holds where one does not.
 *
 * @module
 */

import type { Role } from "./frame.ts";
import type { MessageOptions } from "./message_rules.ts";
import { plainDecoding, type TextDecoding } from "./text_decoding.ts";
import type { TextWriter } from "./text_writer.ts";
import type { MessageTransform } from "./transform.ts";

/** How to set up a `Protocol`. */
export interface ProtocolOptions {
  /** Our own side. */
  readonly role: Role;
  /**
   * Largest message accepted, in bytes, counted after decompression and across
   * fragments. A larger one ends the connection with close code 1009.
   *
   * @default {1_048_576}
   */
  readonly maxMessageBytes?: number;
  /**
   * Most fragments that a message may have; more end the connection with 1008.
   *
   * @default {16_384}
   */
  readonly maxFragments?: number;
  /** How to make strings; `TextDecoder` where absent. */
  readonly decoding?: TextDecoding;
  /** How to make bytes of strings; `TextEncoder` where absent. */
  readonly writeUtf8?: TextWriter | undefined;
  /**
   * Largest `Uint8Array` that costs no more to make than a view on an existing
   * one, in bytes. Small binary messages above it that arrive together share a
   * buffer.
   *
   * @default {0}
   */
  readonly cheapArrayBytes?: number;
  /** What an extension does to messages; nothing where absent. */
  readonly transform?: MessageTransform;
}

/** Largest message where no limit is given, in bytes. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;
/** Most fragments of a message where no limit is given. */
export const DEFAULT_MAX_FRAGMENTS = 16_384;

/**
 * Fills options up with the defaults.
 *
 * @returns The same object where nothing is absent, so that many can share it.
 */
export function withDefaults(options: ProtocolOptions): MessageOptions {
  const { maxMessageBytes, maxFragments, decoding, cheapArrayBytes } = options;
  const isComplete = maxMessageBytes !== undefined &&
    maxFragments !== undefined && decoding !== undefined &&
    cheapArrayBytes !== undefined;
  if (isComplete) return options as MessageOptions;
  return {
    maxMessageBytes: maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
    maxFragments: maxFragments ?? DEFAULT_MAX_FRAGMENTS,
    decoding: decoding ?? plainDecoding,
    cheapArrayBytes: cheapArrayBytes ?? 0,
    transform: options.transform,
  };
}
