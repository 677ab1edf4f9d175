/**
 * Messages that are received in pieces, as a user sees them.
 *
 * @module
 */

/**
 * A message that is received in pieces, as they arrive: an async iterable of
 * chunks, to be gone through once.
 *
 * Chunks are as large as they happen to come, up to what one read from the network
 * brings, or 64 KiB where the message is compressed; where its frames begin and end
 * is not seen. While none is asked for reading pauses, and the peer's sending with
 * it. Leaving the loop early discards the rest: it is read and dropped.
 *
 * The iterable throws a {@linkcode ClosedError} when the connection ends before the
 * message does, after the chunks that had arrived.
 *
 * @typeParam Chunk Type of a chunk.
 */
export interface MessageChunks<Chunk> extends AsyncIterable<Chunk> {
  /**
   * The chunks as a stream, in place of the iterable. Cancelling it discards the
   * rest of the message.
   */
  readonly readable: ReadableStream<Chunk>;
  /**
   * Puts the message together, in place of going through the chunks.
   *
   * @param maxBytes Largest that it may be, in bytes, or characters of text;
   * `maxMessageBytes` where absent. A larger one ends the connection with 1009.
   * @returns All of the message.
   * @throws {TypeError} If the message is being read, or the limit is not a number.
   * @throws {RangeError} If the limit is negative.
   * @throws {ClosedError} If the message is too large, or is never finished.
   */
  whole(maxBytes?: number): Promise<Chunk>;
}

/** A text that is received in pieces. Each holds whole characters. */
export interface StreamedText extends MessageChunks<string> {
  /** Whether it is binary. */
  readonly binary: false;
}

/** A binary message that is received in pieces. The bytes of each are yours. */
export interface StreamedBinary extends MessageChunks<Uint8Array> {
  /** Whether it is binary. */
  readonly binary: true;
}

/** A message that is received in pieces; `binary` tells of what kind. */
export type StreamedMessage = StreamedText | StreamedBinary;
