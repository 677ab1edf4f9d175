/**
 * Turns the frames of a client into those of a server that returns them, in
 * place: mask key left out, payload unmasked (RFC 6455, section 5). The result is
 * shorter than what came, so it never overtakes it.
 */

/** Memory that chunks are read into, and that their echo is sent from. */
export interface EchoMemory {
  /** All of it; a chunk is read to {@linkcode CHUNK_START}. */
  readonly bytes: Uint8Array;
  /** The same, in words. */
  readonly words: Int32Array;
}

/** Where a chunk is to be read to: before it, room for the start of a header. */
export const CHUNK_START = 16;

/** Makes memory for chunks of so many bytes, a multiple of 4. */
export function makeEchoMemory(chunkBytes: number): EchoMemory {
  const bytes = new Uint8Array(CHUNK_START + chunkBytes);
  return { bytes, words: new Int32Array(bytes.buffer) };
}

/** The frames of one connection, across its chunks. */
export class FrameEcho {
  readonly #memory: EchoMemory;
  /** The start of a header, whose rest is still to come. */
  readonly #kept = new Uint8Array(CHUNK_START);
  #keptBytes = 0;
  #payloadLeft = 0;
  /** The key, turned so that its lowest byte is for the next byte of payload. */
  #key = 0;
  /** Whether a Close frame has come, the last one. */
  isClosing = false;
  /** Where the echo of the latest chunk starts in memory. */
  start = 0;
  /** Where it ends. */
  end = 0;

  /** Starts with the first frame. */
  constructor(memory: EchoMemory) {
    this.#memory = memory;
  }

  /** Turns a chunk of so many bytes, read to {@linkcode CHUNK_START}, into its echo. */
  turn(chunkBytes: number): void {
    const { bytes } = this.#memory;
    const end = CHUNK_START + chunkBytes;
    let at = CHUNK_START - this.#keptBytes;
    bytes.set(this.#kept.subarray(0, this.#keptBytes), at);
    // Headers lose the 4 bytes of the key: what is read and what is written stay
    // aligned alike, and so the payload can go word by word.
    let out = this.start = at & 3;
    for (;;) {
      if (this.#payloadLeft === 0) {
        const headBytes = headLength(bytes, at, end);
        if (at + headBytes > end) break;
        this.#readHead(at, headBytes);
        bytes.copyWithin(out, at, at + headBytes - 4);
        // A Ping is answered by a Pong with the same payload (section 5.5.3).
        if (((bytes[out] ?? 0) & 0x0f) === 0x9) bytes[out] = 0x8a;
        bytes[out + 1] = (bytes[out + 1] ?? 0) & 0x7f;
        at += headBytes;
        out += headBytes - 4;
      }
      const taken = Math.min(this.#payloadLeft, end - at);
      this.#key = unmask(this.#memory, at, out, taken, this.#key);
      this.#payloadLeft -= taken;
      at += taken;
      out += taken;
      if (this.#payloadLeft > 0) break;
    }
    this.end = out;
    this.#keptBytes = end - at;
    this.#kept.set(bytes.subarray(at, end));
  }

  #readHead(at: number, headBytes: number): void {
    const { bytes } = this.#memory;
    const opcode = (bytes[at] ?? 0) & 0x0f;
    // Nobody is pinged here.
    if (opcode === 0xa) throw new Error("A Pong that was not asked for");
    if (opcode === 0x8) this.isClosing = true;
    const keyAt = at + headBytes - 4;
    this.#payloadLeft = (bytes[at + 1] ?? 0) & 0x7f;
    if (headBytes > 6) {
      this.#payloadLeft = 0;
      for (let index = at + 2; index < keyAt; index++) {
        this.#payloadLeft = this.#payloadLeft * 256 + (bytes[index] ?? 0);
      }
    }
    this.#key = (bytes[keyAt] ?? 0) | (bytes[keyAt + 1] ?? 0) << 8 |
      (bytes[keyAt + 2] ?? 0) << 16 | (bytes[keyAt + 3] ?? 0) << 24;
  }
}

/** Bytes of the header at `at`; more than there are where it cannot be told. */
function headLength(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return CHUNK_START;
  const code = (bytes[at + 1] ?? 0) & 0x7f;
  return code < 126 ? 6 : code === 126 ? 8 : 14;
}

/** Unmasks from one place to an earlier one; returns the key, turned further. */
function unmask(
  { bytes, words }: EchoMemory,
  from: number,
  to: number,
  length: number,
  key: number,
): number {
  const end = from + length;
  let at = from;
  let out = to;
  for (; at < end && (at & 3) !== 0; key = key >>> 8 | key << 24) {
    bytes[out++] = (bytes[at++] ?? 0) ^ key;
  }
  const lastWord = end >> 2;
  let word = at >> 2;
  let outWord = out >> 2;
  while (word < lastWord) words[outWord++] = (words[word++] ?? 0) ^ key;
  if (at < word << 2) {
    out += (word << 2) - at;
    at = word << 2;
  }
  for (; at < end; key = key >>> 8 | key << 24) {
    bytes[out++] = (bytes[at++] ?? 0) ^ key;
  }
  return key;
}
