/** Tells how far a bench is, on standard error: the tables go to standard output. */
import process from "node:process";

/** Counts steps; on a terminal in one line, elsewhere in a line for each part. */
export class Progress {
  readonly #total: number;
  readonly #startMs = performance.now();
  #done = 0;
  #part = "";

  /** Expects so many steps. */
  constructor(total: number) {
    this.#total = total;
  }

  /** Begins a step of a part, such as one row of a cell. */
  begin(part: string, step: string): void {
    const text = `${part} (${this.#done}/${this.#total}${this.#left()})`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${text} ${step}`);
    } else if (part !== this.#part) {
      process.stderr.write(`${text}\n`);
    }
    this.#part = part;
  }

  /** A step is over, well or not. */
  end(): void {
    this.#done++;
  }

  /** Says something that is to stay. */
  note(text: string): void {
    this.clear();
    process.stderr.write(`${text}\n`);
  }

  /** Takes the line away. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }

  /** How long it will take from here, once that can be told. */
  #left(): string {
    if (this.#done === 0) return "";
    const eachMs = (performance.now() - this.#startMs) / this.#done;
    const seconds = Math.ceil(eachMs * (this.#total - this.#done) / 1000);
    return seconds < 100
      ? `, ${seconds} s left`
      : `, ${Math.round(seconds / 60)} min left`;
  }
}
