/** Frames written as RFC 6455, section 5.2, spells them out. */
import { maskInPlace } from "../../tests/harness/frame.ts";

/** Longest header. */
const MAX_HEADER_BYTES = 14;

/** What a header says. */
export interface PlainHeader {
  /** The final bit and the opcode. */
  readonly first: number;
  /** Length of the payload, in bytes. */
  readonly size: number;
  /** Masking key, absent in a server's frame. */
  readonly key?: Uint8Array | undefined;
}

/** Writes a header at an index; returns the index after it. */
export function writeHeaderPlainly(
  view: DataView,
  at: number,
  header: PlainHeader,
): number {
  const { first, size, key } = header;
  const maskBit = key === undefined ? 0 : 0x80;
  let end = at + 2;
  view.setUint8(at, first);
  if (size < 126) {
    view.setUint8(at + 1, maskBit | size);
  } else if (size < 65_536) {
    view.setUint8(at + 1, maskBit | 126);
    view.setUint16(at + 2, size);
    end += 2;
  } else {
    view.setUint8(at + 1, maskBit | 127);
    view.setBigUint64(at + 2, BigInt(size));
    end += 8;
  }
  for (const byte of key ?? []) view.setUint8(end++, byte);
  return end;
}

/** Makes a frame. */
export function framePlainly(
  first: number,
  payload: Uint8Array,
  key: Uint8Array | undefined,
): Uint8Array {
  const size = payload.length;
  const bytes = new Uint8Array(MAX_HEADER_BYTES + size);
  const view = new DataView(bytes.buffer);
  const start = writeHeaderPlainly(view, 0, { first, size, key });
  bytes.set(payload, start);
  const end = start + size;
  if (key !== undefined) maskInPlace(bytes.subarray(start, end), key);
  return bytes.subarray(0, end);
}
