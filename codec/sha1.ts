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

// Shared: a digest is computed in one go, and four fresh arrays for each would cost
// twice as much as the computation (2.1 µs and 0.8 on Deno).
/** Message schedule: a call fills it anew for each block. */
const schedule = new Int32Array(80);
/** The five words of the digest. */
const state = new Int32Array(5);

/**
 * Computes the SHA-1 digest of `message` (RFC 3174).
 *
 * @param message Bytes to digest. They are not modified.
 * @param digest Where to put it, 20 bytes.
 * @returns `digest`.
 */
export function sha1(
  message: Uint8Array,
  digest: Uint8Array = new Uint8Array(20),
): Uint8Array {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  const length = message.length;
  const end = ((length + 8) >> 6) + 1 << 6;
  for (let offset = 0; offset < end; offset += 64) {
    loadBlock(message, offset);
    if (offset + 64 === end) {
      schedule[14] = Math.floor(length / 0x2000_0000);
      schedule[15] = length << 3;
    }
    digestBlock();
  }
  for (let index = 0; index < 20; index++) {
    digest[index] = state[index >> 2]! >>> (24 - (index & 3) * 8);
  }
  return digest;
}

/** Loads 64 bytes; behind the end a one bit, then zeros (RFC 3174, section 4). */
function loadBlock(message: Uint8Array, offset: number): void {
  const length = message.length;
  for (let t = 0; t < 16; t++) {
    const start = offset + t * 4;
    let word = 0;
    for (let at = start; at < start + 4; at++) {
      const byte = at < length ? message[at]! : at === length ? 0x80 : 0;
      word = word << 8 | byte;
    }
    schedule[t] = word;
  }
}

/** Takes in the block that was loaded (RFC 3174, section 6.1). */
function digestBlock(): void {
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
