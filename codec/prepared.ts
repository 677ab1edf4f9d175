/**
 * A message framed once, to be sent to many.
 *
 * @module
 */

import { FIN_BIT, OPCODES, RSV1_BIT } from "./frame.ts";
import type { Message } from "./message.ts";
import { Output } from "./output.ts";
import type { SharedTransform } from "./transform.ts";

/**
 * A message with its frame, as a server sends it. Server frames are not masked
 * (RFC 6455, section 5.1), so all connections can share the bytes.
 */
export interface PreparedMessage {
  /** The message; bytes are those in the frame. */
  readonly data: Message;
  /** The whole frame; only read. */
  readonly frame: Uint8Array;
  /** Whether transforms may change it. */
  readonly compress: boolean;
  /** Frames of what transforms made of it, each made when it is first needed. */
  changed?: Map<SharedTransform, Uint8Array>;
}

/**
 * Frames a message once, for `Protocol.sendPrepared`.
 *
 * @param data Message: a string as text, bytes as binary. Bytes are copied into
 * the frame.
 * @param compress Whether the transforms of those who send it may change it.
 */
export function prepareMessage(
  data: Message,
  compress = true,
): PreparedMessage {
  const output = new Output(false);
  if (typeof data === "string") {
    output.writeText(FIN_BIT | OPCODES.text, data);
  } else {
    output.writeFrame(FIN_BIT | OPCODES.binary, data, false);
  }
  const frame = takeAll(output);
  if (typeof data === "string") return { data, frame, compress };
  const copy = frame.subarray(frame.length - data.length);
  return { data: copy, frame, compress };
}

/**
 * The payload of a message that was framed before.
 *
 * @param message What {@linkcode prepareMessage} returned.
 * @returns A part of the frame; it must not be modified.
 */
export function preparedPayload(message: PreparedMessage): Uint8Array {
  const { data, frame } = message;
  if (typeof data !== "string") return data;
  // Section 5.2: the second byte says how long the length is.
  const lengthCode = frame[1];
  const headerBytes = lengthCode === 126 ? 4 : lengthCode === 127 ? 10 : 2;
  return frame.subarray(headerBytes);
}

/**
 * The frame of a message for all peers that can be sent what one transform makes
 * of it. That happens once, however many they are.
 *
 * @param message What {@linkcode prepareMessage} returned.
 * @param transform What changes it.
 * @returns A frame with RSV1, or the message's own where it goes as it is.
 */
export function sharedFrame(
  message: PreparedMessage,
  transform: SharedTransform,
): Uint8Array {
  const known = message.changed ??= new Map();
  let frame = known.get(transform);
  if (frame === undefined) {
    frame = changeFrame(message, transform);
    known.set(transform, frame);
  }
  return frame;
}

function changeFrame(
  message: PreparedMessage,
  transform: SharedTransform,
): Uint8Array {
  const payload = transform.encode(preparedPayload(message));
  if (payload === undefined) return message.frame;
  const opcode = typeof message.data === "string"
    ? OPCODES.text
    : OPCODES.binary;
  const output = new Output(false);
  output.writeFrame(FIN_BIT | RSV1_BIT | opcode, payload, true);
  return takeAll(output);
}

/** Takes frames in one piece, in memory of their own. */
function takeAll(output: Output): Uint8Array {
  const frame = new Uint8Array(output.byteLength);
  let at = 0;
  for (let part = output.take(); part !== undefined; part = output.take()) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
