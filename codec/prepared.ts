/**
 * A message framed once, to be sent to many.
 *
 * @module
 */

import { FIN_BIT, OPCODES } from "./frame.ts";
import type { Message } from "./message.ts";
import { Output } from "./output.ts";

/**
 * A message with its frame, as a server sends it. Server frames are not masked
 * (RFC 6455, section 5.1), so all connections can share the bytes.
 */
export interface PreparedMessage {
  /** The message; bytes are those in the frame. */
  readonly data: Message;
  /** The whole frame; only read. */
  readonly frame: Uint8Array;
}

/**
 * Frames a message once, for `Protocol.sendPrepared`.
 *
 * @param data Message: a string as text, bytes as binary. Bytes are copied into
 * the frame.
 */
export function prepareMessage(data: Message): PreparedMessage {
  const output = new Output(false);
  if (typeof data === "string") {
    output.writeText(FIN_BIT | OPCODES.text, data);
  } else {
    output.writeFrame(FIN_BIT | OPCODES.binary, data, false);
  }
  const frame = new Uint8Array(output.byteLength);
  let at = 0;
  for (let part = output.take(); part !== undefined; part = output.take()) {
    frame.set(part, at);
    at += part.length;
  }
  if (typeof data === "string") return { data, frame };
  return { data: frame.subarray(frame.length - data.length), frame };
}
