/**
 * Bytes as the web platform takes them.
 *
 * @module
 */

/**
 * Copies what `send` and `write` are given.
 *
 * @param data An `ArrayBuffer`, or a view of one.
 * @returns A copy of its bytes; `undefined` if it is something else.
 * @throws {TypeError} If its buffer is shared, or can be resized.
 */
export function bytesOf(data: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(data)) {
    const { buffer, byteOffset, byteLength } = data;
    checkBuffer(buffer);
    return new Uint8Array(buffer, byteOffset, byteLength).slice();
  }
  if (!(data instanceof ArrayBuffer)) return undefined;
  checkBuffer(data);
  return new Uint8Array(data).slice();
}

/** Web IDL, section 3.2.25: without `[AllowShared]`, `[AllowResizable]` it throws. */
function checkBuffer(
  buffer: ArrayBufferLike,
): asserts buffer is ArrayBuffer {
  if (!(buffer instanceof ArrayBuffer)) {
    throw new TypeError("Cannot send: the bytes are in a shared buffer");
  }
  if (buffer.resizable) {
    throw new TypeError("Cannot send: the buffer can be resized");
  }
}
