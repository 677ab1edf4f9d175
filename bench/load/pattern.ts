/**
 * What the load generator sends: client frames, masked once before the clock
 * starts, in a ring that is laid out twice in a row, so that any run of frames
 * up to the ring's length is one contiguous piece of memory.
 */

/** Kind of message to send. */
export type Kind = "text" | "binary";

/** A ring of pre-masked frames. */
export interface Pattern {
  /** Number of frames in the ring. */
  readonly count: number;
  /** The ring's bytes, twice in a row. */
  readonly wire: Uint8Array;
  /** Bytes of one turn of the ring. */
  readonly turnBytes: number;
  /** Where each frame starts in `wire`, for two turns, and the end of the second. */
  readonly offsets: Uint32Array;
  /** Payload bytes of each frame of one turn. */
  readonly lengths: Uint32Array;
  /** The unmasked payload of each frame of one turn. */
  readonly payloads: readonly Uint8Array[];
  /** The kind of every message. */
  readonly kind: Kind;
}

/** What a ring is made of. */
export interface PatternOptions {
  /** Text or binary messages. */
  readonly kind: Kind;
  /** Payload bytes of each message, taken in turn. */
  readonly sizes: readonly number[];
  /** Least number of frames in the ring: what is in flight at once. */
  readonly minFrames: number;
}

/** One in so many text messages of each size is not plain ASCII. */
const WIDE_TEXT_EVERY = 4;

/** Builds a ring: the sizes in turn, as often as text takes to be all its kinds. */
export function buildPattern(options: PatternOptions): Pattern {
  const { kind, sizes, minFrames } = options;
  const period = sizes.length * WIDE_TEXT_EVERY;
  const count = Math.ceil(minFrames / period) * period;
  const lengths = new Uint32Array(count);
  const payloads: Uint8Array[] = [];
  const frames: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const turn = Math.floor(index / sizes.length);
    const position = index % sizes.length;
    const length = sizes[position] ?? 0;
    // Shifted by the position, so that the sizes are not all wide in one turn.
    const isWide = (turn + position) % WIDE_TEXT_EVERY === WIDE_TEXT_EVERY - 1;
    const payload = kind === "binary"
      ? buildBytes(length, index)
      : buildText(length, index, isWide);
    lengths[index] = length;
    payloads.push(payload);
    frames.push(buildFrame(kind, payload, index));
  }
  const turnBytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  const wire = new Uint8Array(turnBytes * 2);
  const offsets = new Uint32Array(count * 2 + 1);
  let offset = 0;
  for (let index = 0; index < count * 2; index++) {
    const frame = frames[index % count] as Uint8Array;
    offsets[index] = offset;
    wire.set(frame, offset);
    offset += frame.length;
  }
  offsets[count * 2] = offset;
  return { count, wire, turnBytes, offsets, lengths, payloads, kind };
}

/** Numbers of 24 bits that differ from frame to frame, the same in every run. */
function startRandom(index: number): () => number {
  let state = (index + 1) * 2_654_435_761 >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

function buildBytes(length: number, index: number): Uint8Array {
  const random = startRandom(index);
  return Uint8Array.from({ length }, () => random() >>> 16);
}

/** How many bytes the characters of wide text take in UTF-8. */
const WIDTHS = [1, 1, 1, 1, 2, 2, 3, 4] as const;

/** Where the characters of each width come from: the first, and how many. */
const ALPHABETS = {
  1: [0x20, 95], // printable ASCII
  2: [0xc0, 0x140], // Latin letters with accents
  3: [0x4e00, 0x5000], // Chinese
  4: [0x1f300, 0x300], // pictures
} as const;

/** Text of exactly `length` bytes: printable ASCII, or wide, of all widths. */
function buildText(length: number, index: number, isWide: boolean): Uint8Array {
  const random = startRandom(index);
  const payload = new Uint8Array(length);
  const encoder = new TextEncoder();
  for (let at = 0; at < length;) {
    const chosen = isWide ? WIDTHS[random() >>> 21] ?? 1 : 1;
    const width = at + chosen > length ? 1 : chosen;
    const [first, count] = ALPHABETS[width];
    const character = String.fromCodePoint(first + (random() >>> 4) % count);
    at += encoder.encodeInto(character, payload.subarray(at)).written;
  }
  return payload;
}

/** A masked frame (RFC 6455, section 5.2) with a key of its own. */
function buildFrame(
  kind: Kind,
  payload: Uint8Array,
  index: number,
): Uint8Array {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(6 + extended + length);
  const view = new DataView(frame.buffer);
  frame[0] = kind === "text" ? 0x81 : 0x82;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) view.setUint16(2, length);
  if (extended === 8) view.setBigUint64(2, BigInt(length));
  view.setUint32(
    2 + extended,
    (0x37fa213d ^ Math.imul(index, 0x01030507)) >>> 0,
  );
  const start = 6 + extended;
  for (let at = 0; at < length; at++) {
    frame[start + at] = (payload[at] ?? 0) ^
      (frame[start - 4 + (at & 3)] ?? 0);
  }
  return frame;
}
