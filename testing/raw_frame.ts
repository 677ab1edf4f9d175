/**
 * Frames built and taken apart by hand (RFC 6455, section 5.2), right or wrong as
 * a test wants them. It shares nothing with the codec, which would refuse to.
 *
 * @module
 */

/** Opcodes by name (RFC 6455, section 5.2). */
const OPCODES = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Name of an opcode. */
export type RawOpcode =
  | "continuation"
  | "text"
  | "binary"
  | "close"
  | "ping"
  | "pong";

/** What a frame is to look like. Nothing is checked: it may be one that is wrong. */
export interface RawFrameInit {
  /**
   * Whether it ends its message.
   *
   * @default {true}
   */
  readonly fin?: boolean;
  /**
   * Reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
   *
   * @default {0}
   */
  readonly rsv?: number;
  /**
   * Name, or number.
   *
   * @default {"text"}
   */
  readonly opcode?: RawOpcode | number;
  /**
   * Whether it is masked, or with which 4 bytes. Clients must, servers must not
   * (RFC 6455, section 5.1), so the peer's role decides where it is absent.
   */
  readonly mask?: boolean | Uint8Array;
  /** Payload; text goes as UTF-8. Empty where absent. */
  readonly payload?: string | Uint8Array;
  /**
   * Code of a Close frame, in front of the payload, which is its reason. It makes
   * the frame one, unless `opcode` says otherwise.
   */
  readonly code?: number;
  /** Bits of the length; as few as will do where absent. */
  readonly lengthBits?: 7 | 16 | 64;
  /** Length to claim; that of the payload where absent. */
  readonly length?: number;
}

/** A frame that was read. */
export interface RawFrame {
  /** Whether it ends its message. */
  readonly fin: boolean;
  /** Reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv: number;
  /** Name of the opcode; its number where it is reserved. */
  readonly opcode: RawOpcode | number;
  /** Whether it was masked. */
  readonly isMasked: boolean;
  /** Payload without the mask; of a Close frame without the code. */
  readonly payload: Uint8Array;
  /** The payload as text. What is no UTF-8 is U+FFFD. */
  readonly text: string;
  /** Code of a Close frame that has one. */
  readonly code: number | undefined;
}

/** A mask that is easily told in a dump: that of RFC 6455, section 5.7. */
const MASK_KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

function mask(bytes: Uint8Array, key: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= key[at & 3]!;
}

function lengthBytes(length: number, bits: 7 | 16 | 64): Uint8Array {
  if (bits === 7) return Uint8Array.of(length);
  const bytes = new Uint8Array(1 + bits / 8);
  const view = new DataView(bytes.buffer);
  bytes[0] = bits === 16 ? 126 : 127;
  if (bits === 16) view.setUint16(1, length);
  else view.setBigUint64(1, BigInt(length));
  return bytes;
}

/** Puts bytes one after the other; text goes as UTF-8. */
export function joinBytes(
  ...parts: readonly (string | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  const chunks = parts.map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : part
  );
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * Builds a frame.
 *
 * @param init What it looks like.
 * @param isMasked Whether it is masked where `init` does not say.
 * @returns Its bytes.
 */
export function encodeRawFrame(
  init: RawFrameInit,
  isMasked: boolean,
): Uint8Array<ArrayBuffer> {
  const { fin = true, rsv = 0, code, payload = "" } = init;
  const { opcode = code === undefined ? "text" : "close" } = init;
  const codeBytes = code === undefined
    ? []
    : [Uint8Array.of(code >> 8, code & 0xff)];
  const body = joinBytes(...codeBytes, payload);
  const length = init.length ?? body.length;
  const bits = init.lengthBits ??
    (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  const number = typeof opcode === "number" ? opcode : OPCODES[opcode];
  const first = Uint8Array.of((fin ? 0x80 : 0) | rsv << 4 | number);
  const sized = lengthBytes(length, bits);
  const { mask: wanted = isMasked } = init;
  if (wanted === false) return joinBytes(first, sized, body);
  const key = wanted === true ? MASK_KEY : wanted;
  mask(body, key);
  sized[0]! |= 0x80;
  return joinBytes(first, sized, key, body);
}

/** Where the parts of a frame are. */
interface Layout {
  /** Where the mask key begins, if there is one. */
  readonly keyAt: number;
  /** Where the payload begins. */
  readonly payloadAt: number;
  /** Where the frame ends. */
  readonly endAt: number;
}

function layoutOf(bytes: Uint8Array): Layout | undefined {
  const second = bytes[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  const keyAt = short === 126 ? 4 : short === 127 ? 10 : 2;
  const payloadAt = keyAt + (second >> 7) * 4;
  if (bytes.length < payloadAt) return undefined;
  let length = keyAt === 2 ? short : 0;
  for (let at = 2; at < keyAt; at++) length = length * 256 + bytes[at]!;
  return { keyAt, payloadAt, endAt: payloadAt + length };
}

/**
 * Takes the first frame of some bytes apart.
 *
 * @param bytes Bytes; not kept.
 * @returns The frame and how many bytes it took; `undefined` where it is cut off.
 */
export function decodeRawFrame(
  bytes: Uint8Array,
): { frame: RawFrame; size: number } | undefined {
  const layout = layoutOf(bytes);
  if (layout === undefined || bytes.length < layout.endAt) return undefined;
  const { keyAt, payloadAt, endAt } = layout;
  const body = bytes.slice(payloadAt, endAt);
  if (payloadAt > keyAt) mask(body, bytes.subarray(keyAt, payloadAt));
  const number = bytes[0]! & 0x0f;
  const name = Object.entries(OPCODES).find(([, value]) => value === number);
  const hasCode = number === OPCODES.close && body.length >= 2;
  const payload = hasCode ? body.subarray(2) : body;
  return {
    frame: {
      fin: bytes[0]! >= 0x80,
      rsv: bytes[0]! >> 4 & 7,
      opcode: name === undefined ? number : name[0] as RawOpcode,
      isMasked: payloadAt > keyAt,
      payload,
      text: new TextDecoder().decode(payload),
      code: hasCode ? body[0]! * 256 + body[1]! : undefined,
    },
    size: endAt,
  };
}
