/**
 * Payloads, and frames that can be unmasked in place again and again: with this
 * key text is text of the same lengths, masked or not.
 */
import { frame } from "../../tests/harness/frame.ts";

/** What fills payloads: each a unit of 4 bytes, over and over. */
export type Filling = "binary" | "ASCII" | "UTF-8";

/** All fillings. */
export const FILLINGS: readonly Filling[] = ["binary", "ASCII", "UTF-8"];

/** In the last, half of the bytes belong to characters of two bytes. */
const UNITS: Readonly<Record<Filling, readonly number[]>> = {
  binary: [0x80, 0x81, 0x82, 0x83],
  ASCII: [0x61, 0x62, 0x63, 0x64],
  "UTF-8": [0x61, 0x62, 0xc3, 0xa9],
};

/** Flips the last bit of each second byte. */
export const KEY: Uint8Array = Uint8Array.of(0, 1, 0, 1);
/** The same key as the codec handles it. */
export const KEY_WORD = 0x01000100;

/** Bytes of a chunk, as a busy transport reads them. */
const CHUNK_BYTES = 65_536;

/** Makes a payload; what is left after its last whole unit is ASCII. */
export function makePayload(filling: Filling, size: number): Uint8Array {
  const unit = UNITS[filling];
  return new Uint8Array(size).fill(0x61).map((byte, index) =>
    index < (size & ~3) ? unit[index & 3]! : byte
  );
}

/** How many messages make up a chunk; one where it is larger. */
export function countPerChunk(size: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / (size + 14)));
}

/** Masked frames in a chunk, or one in several. */
export function makeChunks(filling: Filling, size: number): Uint8Array[] {
  const one = frame({
    opcode: filling === "binary" ? "binary" : "text",
    mask: KEY,
    payload: makePayload(filling, size),
  });
  const stream = new Uint8Array(countPerChunk(size) * one.length);
  for (let at = 0; at < stream.length; at += one.length) stream.set(one, at);
  const chunks = [];
  for (let at = 0; at < stream.length; at += CHUNK_BYTES) {
    chunks.push(stream.slice(at, at + CHUNK_BYTES));
  }
  return chunks;
}
