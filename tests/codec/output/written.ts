/** What tests write to an output, and take from it. */
import type { Output } from "../../../codec/output.ts";
import { seededRandom } from "../../harness/random.ts";

/** First byte of a frame that is a whole text. */
export const TEXT = 0x81;
/** First byte of a frame that is a whole binary message. */
export const BINARY = 0x82;
/** What the random bytes are made of. */
export const SEED = 0x0a7;

/** All chunks, copied as they come. */
export function takeAll(output: Output): Uint8Array<ArrayBuffer>[] {
  const chunks = [];
  for (let chunk = output.take(); chunk; chunk = output.take()) {
    chunks.push(new Uint8Array(chunk));
  }
  return chunks;
}

const NOISE = seededRandom(SEED).bytes(750_000);

/** Random bytes, always the same ones for the same arguments. */
export function payload(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const start = (length * 31 + seed * 17) % 99_991;
  return NOISE.slice(start, start + length);
}
