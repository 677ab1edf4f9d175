/**
 * Lines of a stream that is no terminal.
 *
 * @module
 */

/** A line that is longer is given up, so that memory is not. */
const MAX_LENGTH: number = 2 ** 28;

/**
 * Splits text that arrives in pieces. A line ends with LF or CR LF alone: other
 * characters that break lines, such as U+2028 in JSON, are part of it.
 */
export class LineSplitter {
  readonly #decoder: TextDecoder = new TextDecoder();
  /** Pieces of the line under way: joined once, however many they are. */
  readonly #pieces: string[] = [];
  readonly #maxLength: number;
  /** Length of the pieces. */
  #length = 0;

  /** @param maxLength Length of the longest line, in UTF-16 code units. */
  constructor(maxLength: number = MAX_LENGTH) {
    this.#maxLength = maxLength;
  }

  /**
   * Takes a piece.
   *
   * @param chunk Bytes; only read.
   * @returns The lines that ended in it, without their ends.
   * @throws {RangeError} If a line is too long.
   */
  receive(chunk: Uint8Array): string[] {
    return this.#split(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Ends; returns what came after the last line end, if anything. */
  end(): string[] {
    const lines = this.#split(this.#decoder.decode());
    const rest = this.#pieces.splice(0).join("");
    return rest === "" ? lines : [...lines, rest];
  }

  #split(text: string): string[] {
    const parts = text.split("\n");
    const rest = parts.pop()!;
    const lines = parts.map((part, index) => {
      const line = index === 0 ? this.#pieces.splice(0).join("") + part : part;
      return line.endsWith("\r") ? line.slice(0, -1) : line;
    });
    if (rest !== "") this.#pieces.push(rest);
    this.#length = parts.length > 0 ? rest.length : this.#length + rest.length;
    if (this.#length <= this.#maxLength) return lines;
    throw new RangeError(`A line is over ${this.#maxLength} characters long`);
  }
}
