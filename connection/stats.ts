/**
 * What is counted of a connection.
 *
 * @module
 */

import type { Link } from "./link.ts";

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

/**
 * Puts the counters of a connection together: they are kept where they arise.
 *
 * @param link Its link.
 * @param openFragments Fragments sent that did not end their message.
 * @param messagesDropped Messages for many that it was too slow for.
 */
export function statsOf(
  link: Link,
  openFragments: number,
  messagesDropped: number,
): ConnectionStats {
  const { bytesReceived, dataFramesSent, messagesReceived } = link;
  const { protocol, transport } = link;
  return {
    bytesReceived,
    bytesSent: transport.writtenBytes,
    payloadBytesReceived: protocol.payloadBytesReceived(bytesReceived),
    payloadBytesSent: protocol.payloadBytesSent(dataFramesSent),
    framesReceived: protocol.framesReceived,
    framesSent: dataFramesSent + protocol.controlFramesSent,
    messagesReceived,
    messagesSent: dataFramesSent - openFragments,
    messagesDropped,
  };
}
