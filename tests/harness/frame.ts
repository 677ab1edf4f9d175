/**
 * Frames built and taken apart by hand (RFC 6455, section 5.2), right or wrong
 * as the test wants them. It shares nothing with `codec/`, which it tests.
 */
import { concat } from "./bytes.ts";

/** Opcodes by name (RFC 6455, section 5.2). */
export const OPCODES = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** The mask key of the examples in RFC 6455, section 5.7. */
export const MASK_KEY: Uint8Array = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** What a frame is to look like. */
export interface FrameOptions {
  /** Default `true`. */
  fin?: boolean;
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. Default 0. */
  rsv?: number;
  /** Name or number. Default `"text"`. */
  opcode?: keyof typeof OPCODES | number;
  /** `true` masks with {@linkcode MASK_KEY}; bytes are the key. Default `false`. */
  mask?: boolean | Uint8Array;
  /** Strings go as UTF-8. Default empty. */
  payload?: Uint8Array | string;
  /** Bits of the length field. The shortest that fits by default. */
  lengthForm?: 7 | 16 | 64;
  /** Length to claim, whatever the payload is. */
  length?: number | bigint;
}

const NO_BYTES = new Uint8Array();

function lengthField(
  length: number | bigint,
  form: 7 | 16 | 64 | undefined,
): [number, Uint8Array] {
  const bits = form ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  if (bits === 7) return [Number(length), NO_BYTES];
  const bytes = new Uint8Array(bits / 8);
  const view = new DataView(bytes.buffer);
  if (bits === 16) view.setUint16(0, Number(length));
  else view.setBigUint64(0, BigInt(length));
  return [bits === 16 ? 126 : 127, bytes];
}

/** Masks in place: the reference, one byte at a time (section 5.3). */
export function maskInPlace(bytes: Uint8Array, key: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= key[i & 3]!;
}

/** Applies a mask to a copy. */
export function masked(
  payload: Uint8Array,
  key: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(payload);
  maskInPlace(result, key);
  return result;
}

/** Builds one frame. */
export function frame(options: FrameOptions = {}): Uint8Array<ArrayBuffer> {
  const { fin = true, rsv = 0, opcode = "text", mask = false } = options;
  const given = options.payload ?? NO_BYTES;
  const payload = typeof given === "string" ? concat(given) : given;
  const number = typeof opcode === "number" ? opcode : OPCODES[opcode];
  const [length7, extended] = lengthField(
    options.length ?? payload.length,
    options.lengthForm,
  );
  const key = mask === true ? MASK_KEY : mask === false ? undefined : mask;
  const head = Uint8Array.of(
    (fin ? 0x80 : 0) | (rsv << 4) | number,
    (key === undefined ? 0 : 0x80) | length7,
  );
  const bytes = concat(head, extended, key ?? NO_BYTES, payload);
  if (key !== undefined) {
    maskInPlace(bytes.subarray(bytes.length - payload.length), key);
  }
  return bytes;
}

/** Payload of a Close frame (section 5.5.1). */
export function closePayload(
  code: number,
  reason: Uint8Array | string = "",
): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(code >> 8, code & 0xff), reason);
}

/** The header of a frame, taken apart. */
export interface ParsedHeader {
  /** FIN bit. */
  readonly fin: boolean;
  /** The three reserved bits. */
  readonly rsv: number;
  /** Opcode. */
  readonly opcode: number;
  /** Where the mask key begins; the payload does where there is none. */
  readonly keyAt: number;
  /** Where the payload begins. */
  readonly payloadAt: number;
  /** Bytes of the whole frame. */
  readonly size: number;
}

/** Takes the header at `start` apart; `undefined` while it is not whole. */
export function parseHeader(
  bytes: Uint8Array,
  start = 0,
): ParsedHeader | undefined {
  const first = bytes[start];
  const second = bytes[start + 1];
  if (first === undefined || second === undefined) return undefined;
  const length7 = second & 0x7f;
  const extended = length7 === 126 ? 2 : length7 === 127 ? 8 : 0;
  const keyAt = start + 2 + extended;
  const payloadAt = keyAt + ((second & 0x80) === 0 ? 0 : 4);
  if (bytes.length < payloadAt) return undefined;
  let length = extended === 0 ? length7 : 0;
  for (let i = start + 2; i < keyAt; i++) length = length * 256 + bytes[i]!;
  return {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 7,
    opcode: first & 0x0f,
    keyAt,
    payloadAt,
    size: payloadAt - start + length,
  };
}

/** A frame taken apart. */
export interface ParsedFrame {
  /** FIN bit. */
  readonly fin: boolean;
  /** The three reserved bits. */
  readonly rsv: number;
  /** Opcode. */
  readonly opcode: number;
  /** Mask key, where there was one. */
  readonly maskKey?: Uint8Array;
  /** Payload, unmasked; a copy. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Bytes of the whole frame. */
  readonly size: number;
}

/** Takes the first frame of `bytes` apart; `undefined` while it is not whole. */
export function parseFrame(bytes: Uint8Array): ParsedFrame | undefined {
  const header = parseHeader(bytes);
  if (header === undefined || bytes.length < header.size) return undefined;
  const { fin, rsv, opcode, keyAt, payloadAt, size } = header;
  const payload = new Uint8Array(bytes.subarray(payloadAt, size));
  const head = { fin, rsv, opcode, size };
  if (payloadAt === keyAt) return { ...head, payload };
  const maskKey = new Uint8Array(bytes.subarray(keyAt, payloadAt));
  maskInPlace(payload, maskKey);
  return { ...head, maskKey, payload };
}

/** Takes all frames of `bytes` apart; they must be whole. */
export function parseFrames(bytes: Uint8Array): ParsedFrame[] {
  const frames = [];
  let rest = bytes;
  while (rest.length > 0) {
    const parsed = parseFrame(rest);
    if (parsed === undefined) throw new Error("Cannot parse: frame is cut off");
    frames.push(parsed);
    rest = rest.subarray(parsed.size);
  }
  return frames;
}

/** Close code of a Close frame's payload; 1005 where it has none. */
export function closeCode(payload: Uint8Array): number {
  const [high, low] = payload;
  return high === undefined || low === undefined ? 1005 : high * 256 + low;
}
