/**
 * Output that is ready to leave, in parts: full blocks, and payloads that stand by
 * reference.
 *
 * @module
 */

/** Bytes that leave in one write. */
export interface OutputPart {
  /** The bytes; only read. */
  readonly bytes: Uint8Array;
  /** What `bytes` measured when it was kept. */
  readonly length: number;
  /** The block to give back once the bytes have left. */
  readonly block: Uint8Array | undefined;
}

/** How many parts are let go of at a time, so that the cost stays linear. */
const DROPPED_PARTS = 64;

/** Parts in the order in which they leave, one connection's. */
export class OutputQueue {
  readonly #parts: OutputPart[] = [];
  #next = 0;

  /** Whether all parts have been taken. */
  get isEmpty(): boolean {
    return this.#next === this.#parts.length;
  }

  /**
   * Appends a part.
   *
   * @param bytes Kept by reference: they must not change afterwards.
   * @param block The block that they are in, if it is to be given back.
   */
  push(bytes: Uint8Array, block?: Uint8Array): void {
    this.#parts.push({ bytes, length: bytes.length, block });
  }

  /** Takes the next part, of which there must be one. */
  take(): OutputPart {
    const part = this.#parts[this.#next++]!;
    if (this.#next === DROPPED_PARTS) {
      this.#parts.splice(0, DROPPED_PARTS);
      this.#next = 0;
    }
    // A caller who gives the buffer away too early (`postMessage`, or a
    // WebAssembly memory that grew) loses that message, and no more than that.
    return part.bytes.length === part.length
      ? part
      : { ...part, bytes: new Uint8Array(part.length) };
  }
}
