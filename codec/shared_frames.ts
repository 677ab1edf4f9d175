/**
 * Frames that many connections send one after the other. Whoever has sent the
 * same ones stands at the same place in the row, so that a thousand connections
 * cost a reference each, and one copy for all of them that puts the bytes side
 * by side.
 *
 * @module
 */

/** The place that connections reach who have nothing else to send. */
let latest: SharedFrames | undefined;

/** A row of frames, to be sent in one piece. Its bytes are only read. */
export class SharedFrames {
  /** Length of the row, in bytes. */
  readonly byteLength: number;

  /** The row without its last frame, until its bytes stand side by side. */
  #before: SharedFrames | undefined;
  /** The row that is longer by one frame, whichever was asked for last. */
  #after: SharedFrames | undefined;
  /** The last frame, or all of them. */
  #bytes: Uint8Array;

  private constructor(before: SharedFrames | undefined, frame: Uint8Array) {
    this.#before = before;
    this.#bytes = frame;
    this.byteLength = frame.length +
      (before === undefined ? 0 : before.byteLength);
  }

  /**
   * Begins a row.
   *
   * @param frame Whole frame. It is kept by reference: it must not change.
   * @returns The same row for all who begin with that frame, one after the other.
   */
  static begin(frame: Uint8Array): SharedFrames {
    if (latest === undefined || latest.#bytes !== frame) {
      latest = new SharedFrames(undefined, frame);
    }
    return latest;
  }

  /**
   * Makes a row that is longer by one frame. This one stays as it is.
   *
   * @param frame Whole frame. It is kept by reference: it must not change.
   * @returns The same row for all who append that frame, one after the other.
   */
  append(frame: Uint8Array): SharedFrames {
    const after = this.#after;
    if (after !== undefined && after.#bytes === frame) return after;
    return this.#after = new SharedFrames(this, frame);
  }

  /**
   * Puts the frames side by side.
   *
   * @returns The bytes, the same array for everyone; they must not be modified.
   */
  take(): Uint8Array {
    if (this.#before !== undefined) SharedFrames.#join(this);
    // A caller who gives the buffer away too early (`postMessage`) loses that
    // message, and no more than that.
    return this.#bytes.length === this.byteLength
      ? this.#bytes
      : new Uint8Array(this.byteLength);
  }

  static #join(whole: SharedFrames): void {
    const bytes = new Uint8Array(whole.byteLength);
    let row: SharedFrames | undefined = whole;
    while (row !== undefined) {
      const earlier: SharedFrames | undefined = row.#before;
      // Nothing is left of a frame that was given away, see `take`.
      if (row.#bytes.length > 0) bytes.set(row.#bytes, earlier?.byteLength);
      // What is kept of a row that has been sent must not keep the rest.
      if (earlier !== undefined) earlier.#after = undefined;
      row = earlier;
    }
    whole.#bytes = bytes;
    whole.#before = undefined;
  }
}
