/**
 * One connection's side of a closed loop: so many messages in flight, a new one
 * for each that returns.
 */
import type { Pattern } from "./pattern.ts";

/** Writes `bytes[start, end)`; returns how many the socket has taken. */
export type Write = (bytes: Uint8Array, start: number, end: number) => number;

/** Sends frames of a ring in order, as fast as the socket takes them. */
export class Sender {
  readonly #pattern: Pattern;
  readonly #write: Write;
  #frame = 0;
  #start = 0;
  #end = 0;

  /** Starts at the ring's first frame. */
  constructor(pattern: Pattern, write: Write) {
    this.#pattern = pattern;
    this.#write = write;
  }

  /** Sends the next `frames` of the ring; those unsent never exceed one turn. */
  send(frames: number): void {
    if (frames === 0) return;
    const { offsets, count, turnBytes } = this.#pattern;
    const next = this.#frame + frames;
    const bytes = (offsets[next] ?? 0) - (offsets[this.#frame] ?? 0);
    this.#frame = next >= count ? next - count : next;
    const blocked = this.#end > this.#start;
    if (this.#start >= turnBytes) {
      this.#start -= turnBytes;
      this.#end -= turnBytes;
    }
    this.#end += bytes;
    if (!blocked) this.flush();
  }

  /** Goes on where the socket took no more. */
  flush(): void {
    if (this.#start === this.#end) return;
    this.#start += this.#write(this.#pattern.wire, this.#start, this.#end);
  }
}
