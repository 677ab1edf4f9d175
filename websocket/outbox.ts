/**
 * What a `WebSocket` sends: in call order although the content of a blob comes
 * later, and counted as `bufferedAmount` counts.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import { inTask } from "./events.ts";

/** The sending side of one connection. */
export class Outbox {
  #connection: Connection | undefined;
  /** Payload bytes given to a connection that was open. */
  #bytes = 0;
  /** Payload bytes that were given too late. They stay, as the standard says. */
  #lateBytes = 0;
  /**
   * Bytes that will have left the connection when the latest of those messages has;
   * `Infinity` until that is known.
   */
  #endBytes = Infinity;
  /** Whether the amount may not fall, since the task has not ended. */
  #isHeld = false;
  /** Settles when the blobs before have been sent. */
  #blobs: Promise<void> | undefined;

  /** @param connection Where messages go, once it is open. */
  open(connection: Connection): void {
    this.#connection = connection;
  }

  /**
   * Payload bytes that have not left this process. It does not fall during a task:
   * the standard counts what the current task has sent "regardless of whether the
   * user agent is able to transmit text in the background". Nor does it "reset to
   * zero once the connection closes".
   */
  get bufferedAmount(): number {
    if (!this.#isHeld && this.#bytes > 0) this.#sample();
    return this.#bytes + this.#lateBytes;
  }

  /**
   * Sends a message.
   *
   * @param message Text; bytes, which nobody changes any more; or a blob.
   */
  send(message: string | Uint8Array | Blob): void {
    // What earlier tasks have sent may have left, whether somebody has asked or not.
    if (!this.#isHeld) this.#sample();
    this.#bytes += sizeOf(message);
    this.#endBytes = Infinity;
    if (this.#blobs === undefined && !(message instanceof Blob)) {
      this.#connection!.send(message);
    } else {
      this.#queue(message);
    }
  }

  /** Counts a message that comes too late to be sent. */
  drop(message: string | Uint8Array | Blob): void {
    this.#lateBytes += sizeOf(message);
  }

  /** Calls back when what was sent before has been handed over; at once if it has. */
  afterBlobs(body: () => void): void {
    if (this.#blobs === undefined) body();
    else this.#blobs.then(body);
  }

  #queue(message: string | Uint8Array | Blob): void {
    const connection = this.#connection!;
    const before = this.#blobs;
    const sent = (async () => {
      try {
        // Reading starts now: blobs that wait for others need not wait to be read.
        const reading = message instanceof Blob
          ? message.arrayBuffer()
          : message;
        if (before !== undefined) await before;
        connection.send(await reading);
      } catch {
        // A file that has gone cannot be sent, and what follows may depend on it.
        connection.terminate();
      }
    })();
    this.#blobs = sent;
    sent.then(() => {
      if (this.#blobs !== sent) return;
      this.#blobs = undefined;
      this.#markEnd();
    });
  }

  #hold(): void {
    this.#isHeld = true;
    inTask(() => {
      this.#isHeld = false;
      if (this.#blobs === undefined) this.#markEnd();
    });
  }

  /** Notes where that ends which has been handed over until now. */
  #markEnd(): void {
    const connection = this.#connection!;
    // What it dropped is counted nowhere any more.
    if (connection.readyState === 3) return;
    this.#endBytes = connection.stats.bytesSent + connection.bufferedAmount;
  }

  #sample(): void {
    this.#hold();
    // Those of a blob that is being read are in no buffer yet.
    if (this.#blobs !== undefined) return;
    // What waits is counted with framing there, and compressed.
    const { readyState, bufferedAmount, stats } = this.#connection!;
    const left = readyState === 3
      ? Math.max(0, this.#endBytes - stats.bytesSent)
      : bufferedAmount;
    this.#bytes = Math.min(this.#bytes, left);
  }
}

/** Bytes of payload. */
function sizeOf(message: string | Uint8Array | Blob): number {
  if (message instanceof Blob) return message.size;
  return typeof message === "string" ? utf8Length(message) : message.length;
}

/** Bytes of a text in UTF-8; a lone surrogate counts as U+FFFD, 3 bytes. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    const isPair = unit >= 0xd800 && unit < 0xdc00 &&
      (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    // A pair has 4 bytes: the first unit counted as 3, the second as 1.
    if (isPair) i++;
  }
  return length;
}
