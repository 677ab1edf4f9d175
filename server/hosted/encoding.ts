/**
 * What a host's WebSocket has received, as frames: what a connection hears is
 * bytes, whoever carries them.
 *
 * @module
 */

import {
  encodeClose,
  FIN_BIT,
  MAX_HEADER_BYTES,
  NO_STATUS,
  OPCODES,
  writeHeader,
} from "../../codec.ts";

const encoder = new TextEncoder();

/**
 * Frames a payload as a client sends it. The key is 0, which changes nothing: the
 * frame goes no further than the connection.
 *
 * @param opcode What kind of frame.
 * @param payload Payload; copied.
 * @returns A new array.
 */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const header = encodeHeader(opcode, payload.length);
  const frame = new Uint8Array(header.length + payload.length);
  frame.set(header);
  frame.set(payload, header.length);
  return frame;
}

/**
 * Frames a message.
 *
 * @param data The message; bytes are copied.
 * @param maxBytes Of a longer one only the header is made, which is all that the
 * connection looks at before it refuses it.
 * @returns A new array.
 */
export function encodeMessage(
  data: string | Uint8Array,
  maxBytes: number,
): Uint8Array {
  const opcode = typeof data === "string" ? OPCODES.text : OPCODES.binary;
  // A UTF-16 code unit takes at least one byte.
  if (data.length > maxBytes) return encodeHeader(opcode, data.length);
  const payload = typeof data === "string" ? encoder.encode(data) : data;
  return payload.length > maxBytes
    ? encodeHeader(opcode, payload.length)
    : encodeFrame(opcode, payload);
}

/**
 * Frames a Close frame.
 *
 * @param code Close code, 1005 for none.
 * @param reason Reason.
 * @returns A new array.
 */
export function encodeCloseFrame(code: number, reason: string): Uint8Array {
  const payload = code === NO_STATUS
    ? encodeClose()
    : encodeClose(code, reason);
  return encodeFrame(OPCODES.close, payload);
}

function encodeHeader(opcode: number, payloadBytes: number): Uint8Array {
  const header = new Uint8Array(MAX_HEADER_BYTES);
  const end = writeHeader(header, 0, FIN_BIT | opcode, payloadBytes, 0);
  return header.subarray(0, end);
}
