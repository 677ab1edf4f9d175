/**
 * The seam for extensions that change messages, such as permessage-deflate
 * (RFC 7692): what a runtime provides, for the codec compresses nothing itself.
 *
 * @module
 */

import type { ProtocolErrorReason } from "./error.ts";

/** Changes messages that go to many, once for all who share it. */
export interface SharedTransform {
  /**
   * Changes a message so that every peer can restore it, whatever it was sent
   * before.
   *
   * @param payload Payload; only read.
   * @returns What is to be sent with RSV1, which the transform gives away, or
   * `undefined` to send the message as it is.
   */
  encode(payload: Uint8Array): Uint8Array | undefined;
}

/** Restores messages that arrived with RSV1 piece by piece, one after the other. */
export interface PieceDecoder {
  /**
   * Takes the next part of a message's payload, once `pull` has no more of the one
   * before it.
   *
   * @param payload The part, possibly empty; given away.
   * @param isLast Whether it is the last one of its message.
   */
  push(payload: Uint8Array, isLast: boolean): void;
  /**
   * Restores as much as is good to hold at a time, 64 KiB or so.
   *
   * @returns Bytes that it gives away, not none; `undefined` where all of the part
   * is restored; or what is wrong, after which nothing is asked of it any more.
   */
  pull(): Uint8Array | ProtocolErrorReason | undefined;
}

/**
 * Changes the payload of whole messages on their way in and out: the seam for
 * permessage-deflate (RFC 7692). Messages so changed carry RSV1.
 */
export interface MessageTransform {
  /**
   * What changes messages for many: the same object in all transforms whose peers
   * can be sent the same. Where it is absent each message is changed for each peer.
   */
  readonly shared?: SharedTransform;
  /**
   * Restores a message that arrived with RSV1.
   *
   * @param payload Payload of all its frames; only read, and lent.
   * @param maxBytes Most bytes that the result may have.
   * @param mayLend Whether the result need not last longer than until the next
   * call, for a text will have been made of it by then.
   * @returns The payload, which the transform gives away or lends, or what is wrong.
   */
  decode(
    payload: Uint8Array,
    maxBytes: number,
    mayLend: boolean,
  ): Uint8Array | ProtocolErrorReason;
  /**
   * Changes a message that is to be sent.
   *
   * @param payload Payload; only read.
   * @returns What is to be sent with RSV1, which the transform gives away, or
   * `undefined` to send the message as it is.
   */
  encode(payload: Uint8Array): Uint8Array | undefined;
  /**
   * Notes that the peer is sent bytes with RSV1 that `encode` has not changed: those
   * that it declined, as a part of a message of which it has changed others, or
   * those of a message that `shared` has changed. The peer takes them for context.
   *
   * @param payload The bytes, before the change; only read.
   */
  noteShared?(payload: Uint8Array): void;
  /**
   * Makes what restores messages piece by piece, after those that `decode` has
   * restored. Where it is absent a message with RSV1 is always delivered whole.
   */
  decodePieces?(): PieceDecoder;
  /** Lets go of what it keeps between messages; nothing comes after it. */
  release?(): void;
}
