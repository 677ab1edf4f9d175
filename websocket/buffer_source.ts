/**
 * Bytes as the web platform takes them.
 *
 * @module
 */

import { isArrayBuffer } from "../connection.ts";

/**
 * Copies what `send` and `write` are given.
 *
 * @param data An `ArrayBuffer`, or a view of one.
 * @returns A copy of its bytes; `undefined` if it is something else.
 * @throws {TypeError} If its buffer is shared, or can be resized.
 */
export function bytesOf(data: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(data)) {
    checkBuffer(data.buffer);
    return copyOf(data.buffer, data.byteOffset, data.byteLength);
  }
  if (!isArrayBuffer(data)) return undefined;
  checkBuffer(data);
  return copyOf(data, 0, data.byteLength);
}

/** Of a buffer that was transferred nothing is left: no bytes, which is no error. */
function copyOf(
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (length === 0) return new Uint8Array(0);
  return new Uint8Array(buffer, offset, length).slice();
}

/** Web IDL, section 3.2.25: without `[AllowShared]`, `[AllowResizable]` it throws. */
function checkBuffer(
  buffer: ArrayBufferLike,
): asserts buffer is ArrayBuffer {
  if (!isArrayBuffer(buffer)) {
    throw new TypeError("Cannot send: the bytes are in a shared buffer");
  }
  if (buffer.resizable) {
    throw new TypeError("Cannot send: the buffer can be resized");
  }
}
