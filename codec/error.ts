/**
 * What can go wrong with a peer after the handshake, and which close code says so.
 *
 * @module
 */

/**
 * Close code for each way in which a peer can break the protocol or exceed a
 * limit (RFC 6455, section 7.4.1).
 */
export const PROTOCOL_CLOSE_CODES = {
  /** A reserved bit is set that no extension gave a meaning (section 5.2). */
  "reserved-bits": 1002,
  /** The opcode is not defined (section 5.2). */
  "reserved-opcode": 1002,
  /** A control frame has FIN unset (section 5.5). */
  "fragmented-control": 1002,
  /** A control frame carries more than 125 bytes (section 5.5). */
  "control-too-long": 1002,
  /** A continuation frame without a message to continue (section 5.4). */
  "unexpected-continuation": 1002,
  /** A new message inside a fragmented one (section 5.4). */
  "expected-continuation": 1002,
  /** A client's frame is not masked (section 5.1). */
  "mask-required": 1002,
  /** A server's frame is masked (section 5.1). */
  "mask-forbidden": 1002,
  /** The length is not in its shortest form (section 5.2). */
  "length-not-minimal": 1002,
  /** The most significant bit of a 64-bit length is set (section 5.2). */
  "length-too-big": 1002,
  /** The message is larger than `maxMessageBytes`, or, in pieces, `maxStreamBytes`. */
  "message-too-big": 1009,
  /** The message has more fragments than `maxFragments`. */
  "too-many-fragments": 1008,
  /** Text, or a close reason, that is not UTF-8 (section 8.1). */
  "invalid-utf8": 1007,
  /** A close code that must not be sent (section 7.4). */
  "invalid-close-code": 1002,
  /** A Close frame of one byte (section 5.5.1). */
  "invalid-close-length": 1002,
  /** Compressed data that cannot be inflated (RFC 7692, section 7.2.2). */
  "invalid-deflate": 1007,
} as const;

/** Names of the ways in which a peer can break the protocol. */
export type ProtocolErrorReason = keyof typeof PROTOCOL_CLOSE_CODES;

/** What the peer is told, in the reason of the Close frame. */
const DESCRIPTIONS: Readonly<Record<ProtocolErrorReason, string>> = {
  "reserved-bits": "a reserved bit is set",
  "reserved-opcode": "the opcode is not defined",
  "fragmented-control": "a control frame is fragmented",
  "control-too-long": "a control frame has more than 125 bytes",
  "unexpected-continuation": "there is no message to continue",
  "expected-continuation": "the previous message has not ended",
  "mask-required": "a frame is not masked",
  "mask-forbidden": "a frame is masked",
  "length-not-minimal": "a length is not in its shortest form",
  "length-too-big": "a length has its highest bit set",
  "message-too-big": "the message is too big",
  "too-many-fragments": "the message has too many fragments",
  "invalid-utf8": "text is not valid UTF-8",
  "invalid-close-code": "the close code must not be sent",
  "invalid-close-length": "a Close frame has one byte",
  "invalid-deflate": "compressed data is invalid",
};

/**
 * A peer broke the protocol, or exceeded a limit.
 *
 * The codec never throws it: it goes out as a Close frame with
 * {@linkcode ProtocolError.code}, and comes back in the close report.
 */
export class ProtocolError extends Error {
  /** Class name. */
  override readonly name = "ProtocolError";
  /** Which rule. */
  readonly reason: ProtocolErrorReason;
  /** Close code sent to the peer. */
  readonly code: number;

  /**
   * Makes the error, with the text that the peer is told.
   *
   * @param reason Which rule was broken.
   */
  constructor(reason: ProtocolErrorReason) {
    super(DESCRIPTIONS[reason]);
    this.reason = reason;
    this.code = PROTOCOL_CLOSE_CODES[reason];
  }
}
