/**
 * What is counted of a connection.
 *
 * @module
 */

/** Counters of one connection. */
export interface ConnectionStats {
  /** Bytes received after the handshake, framing included. */
  readonly bytesReceived: number;
  /** Bytes sent, the handshake and framing included. */
  readonly bytesSent: number;
  /**
   * Bytes received that were payload, of control frames as well; compressed where
   * they came so.
   */
  readonly payloadBytesReceived: number;
  /**
   * Bytes of payload that were sent, of control frames as well; compressed where
   * they went so. What waits in the send buffer counts already.
   */
  readonly payloadBytesSent: number;
  /** Frames received. */
  readonly framesReceived: number;
  /** Frames sent, those in the send buffer included. */
  readonly framesSent: number;
  /** Messages received, as far as they have been handed on. */
  readonly messagesReceived: number;
  /** Messages sent, those in the send buffer included. */
  readonly messagesSent: number;
  /**
   * Broadcasts, and messages of topics, that it did not get because it was too
   * slow, see `broadcastOverflow`.
   */
  readonly messagesDropped: number;
}
