/**
 * SHA-1, for `Sec-WebSocket-Accept` and nothing else (RFC 6455, section 4.2.2).
 *
 * It is ours because `crypto.subtle` answers asynchronously, which would put a
 * turn of the event loop into each handshake, and because the codec imports
 * nothing. The protocol uses it as a checksum: no secret depends on it, and
 * SHA-1 must not be used where one would.
 *
 * @module
 */

/** Message schedule, shared: a call fills it anew for each block. */
const schedule = new Int32Array(80);

/**
 * Computes the SHA-1 digest of `message` (RFC 3174).
 *
 * @param message Bytes to digest. They are not modified.
 * @returns A new array of 20 bytes.
 */
export function sha1(message: Uint8Array): Uint8Array {
  const state = Int32Array.of(
    0x67452301,
    0xefcdab89,
    0x98badcfe,
    0x10325476,
    0xc3d2e1f0,
  );
  const padded = pad(message);
  for (let offset = 0; offset < padded.byteLength; offset += 64) {
    digestBlock(state, padded, offset);
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, index) => digest.setInt32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

/** Appends a one bit, zeros, and the length in bits (RFC 3174, section 4). */
function pad(message: Uint8Array): DataView {
  const length = message.length;
  const padded = new Uint8Array(((length + 8) >> 6) + 1 << 6);
  padded.set(message);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 0x2000_0000));
  view.setUint32(padded.length - 4, length << 3);
  return view;
}

/** Takes in one block of 64 bytes (RFC 3174, section 6.1). */
function digestBlock(state: Int32Array, block: DataView, offset: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = block.getInt32(offset + t * 4);
  for (let t = 16; t < 80; t++) {
    const word = schedule[t - 3]! ^ schedule[t - 8]! ^ schedule[t - 14]! ^
      schedule[t - 16]!;
    schedule[t] = rotate(word, 1);
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 80; t++) {
    const sum = (rotate(a, 5) + mix(t, b, c, d) + e + schedule[t]!) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = sum;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}

/** The function and the constant of step `t` (RFC 3174, section 5). */
function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
