/**
 * The last bytes that a peer was sent, or sent, compressed: the context of its
 * next message (RFC 7692, section 7.1.1).
 *
 * @module
 */

/** Where context and message stand side by side; everybody's, one after the other. */
let staged: Uint8Array = new Uint8Array(0);

const NO_BYTES = new Uint8Array(0);
/** What a context begins with, in bytes. */
const FIRST_BYTES = 256;

/** The stage, as long as the last who asked for room needed, or longer. */
export function stage(): Uint8Array {
  return staged;
}

/** Context of one direction of one connection. Takes memory as it fills. */
export class History {
  /** How much is kept at most, in bytes. */
  readonly maxBytes: number;
  /** How much there is, in bytes. */
  byteLength = 0;
  #bytes: Uint8Array = NO_BYTES;

  /** @param windowBits How much is kept: 2 to that power, in bytes. */
  constructor(windowBits: number) {
    this.maxBytes = 1 << windowBits;
  }

  /** What there is; only to be read, and only until more is kept. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.byteLength);
  }

  /** Lets go of what there is. */
  clear(): void {
    this.#bytes = NO_BYTES;
    this.byteLength = 0;
  }

  /**
   * Puts the context on the stage, and room behind it.
   *
   * @param roomBytes How much room.
   * @returns Where on the stage the room begins.
   */
  loadWithRoom(roomBytes: number): number {
    const { byteLength } = this;
    if (staged.length < byteLength + roomBytes) {
      staged = new Uint8Array(this.maxBytes + roomBytes);
    }
    if (byteLength > 0) staged.set(this.bytes);
    return byteLength;
  }

  /**
   * Puts the context on the stage, and what may become context behind it.
   *
   * @returns Where on the stage the latter begins.
   */
  load(payload: Uint8Array): number {
    const start = this.loadWithRoom(payload.length);
    staged.set(payload, start);
    return start;
  }

  /** Keeps what stands on the stage before `end`, as much as is to be kept. */
  keep(end: number): void {
    const bytes = Math.min(end, this.maxBytes);
    if (this.#bytes.length < bytes) {
      let capacity = Math.max(FIRST_BYTES, this.#bytes.length * 2);
      while (capacity < bytes) capacity *= 2;
      this.#bytes = new Uint8Array(capacity);
    }
    this.#bytes.set(staged.subarray(end - bytes, end));
    this.byteLength = bytes;
  }

  /** Keeps what comes after what there is, as much as is to be kept. */
  append(payload: Uint8Array): void {
    const recent = payload.subarray(-this.maxBytes);
    const end = this.load(recent) + recent.length;
    this.keep(end);
  }
}
