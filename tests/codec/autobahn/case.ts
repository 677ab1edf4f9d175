/**
 * What a case of the Autobahn test suite is, and the words to write one with.
 *
 * The cases are facts of that suite, the project's public list: what the fuzzer
 * sends, in which chops, and what a strict peer answers. The peer echoes
 * messages.
 */
import { concat } from "../../harness/bytes.ts";
import {
  closePayload,
  frame,
  type FrameOptions,
  OPCODES,
} from "../../harness/frame.ts";
import { cutEvery } from "../../harness/split.ts";

/** A frame that the peer must answer with. */
export interface Reply {
  /** Opcode. A message comes back in one piece. */
  readonly opcode: number;
  /** Payload; of a Close frame the code alone, as far as it is the case's matter. */
  readonly payload: Uint8Array;
  /** Whether it says that the connection has failed (RFC 6455, section 7.1.7). */
  readonly fails?: true;
}

/** Something sent, after which the peer must have answered. */
export interface Part {
  /** Makes the chunks, in the case's own chops. */
  chunks(mask: boolean): Uint8Array<ArrayBuffer>[];
  /** All that must come back before the next part is sent. */
  readonly replies: readonly Reply[];
}

/** One case. */
export interface Case {
  /** Number in the Autobahn suite: `"6.4.1"`. */
  readonly id: string;
  /** What happens, in order. */
  readonly parts: readonly Part[];
}

/** The peer must echo a text. */
export function text(payload: string | Uint8Array): Reply {
  return { opcode: OPCODES.text, payload: concat(payload) };
}

/** The peer must echo bytes. */
export function binary(payload: Uint8Array): Reply {
  return { opcode: OPCODES.binary, payload };
}

/** The peer must answer a Ping. */
export function pong(payload: string | Uint8Array = ""): Reply {
  return { opcode: OPCODES.pong, payload: concat(payload) };
}

/** The peer must answer a Close frame, with that code or without one. */
export function closes(code?: number): Reply {
  const payload = code === undefined ? new Uint8Array() : closePayload(code);
  return { opcode: OPCODES.close, payload };
}

/** The peer must fail the connection with that code. */
export function fails(code = 1002): Reply {
  return { ...closes(code), fails: true };
}

/** The frame that starts the closing handshake. */
export function close(
  code = 1000,
  reason: string | Uint8Array = "",
): FrameOptions {
  return { opcode: "close", payload: closePayload(code, reason) };
}

/** How a part is chopped: all at once, frame by frame, or every so many octets. */
export type Chop = "once" | "frames" | number;

/** Sends frames. */
export function send(
  frames: readonly FrameOptions[],
  replies: readonly Reply[],
  chop: Chop = "once",
): Part {
  return {
    replies,
    chunks(mask) {
      const built = frames.map((options) => frame({ mask, ...options }));
      if (chop === "frames") return built;
      // The suite chops each frame for itself.
      if (chop === "once") return [concat(...built)];
      return built.flatMap((bytes) => cutEvery(bytes, chop));
    },
  };
}

/** Sends octets `from` to `to` of one frame's payload; the first time its head too. */
export function sendPiece(
  options: FrameOptions & { readonly payload: Uint8Array },
  [from, to]: readonly [number, number],
  replies: readonly Reply[],
): Part {
  return {
    replies,
    chunks(mask) {
      const bytes = frame({ mask, ...options });
      const head = bytes.length - options.payload.length;
      return [bytes.slice(from === 0 ? 0 : head + from, head + to)];
    },
  };
}

/** Cuts a payload into the frames of one message. */
export function fragments(
  opcode: "text" | "binary",
  payload: Uint8Array,
  size: number,
): FrameOptions[] {
  const frames: FrameOptions[] = [];
  for (let at = 0; at < payload.length; at += size) {
    frames.push({
      opcode: at === 0 ? opcode : "continuation",
      fin: at + size >= payload.length,
      payload: payload.subarray(at, at + size),
    });
  }
  return frames;
}

/** Numbers a list of single parts: `numbered("1.1", …)` makes 1.1.1, 1.1.2, … */
export function numbered(
  group: string,
  list: readonly (Part | readonly Part[])[],
): Case[] {
  return list.map((entry, index) => ({
    id: `${group}.${index + 1}`,
    parts: "chunks" in entry ? [entry] : entry,
  }));
}

/** `length` octets made of a repeated pattern. */
export function repeated(
  pattern: string | Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  const unit = concat(pattern);
  const bytes = new Uint8Array(length);
  bytes.set(unit.subarray(0, length));
  // What is there doubles each time.
  for (let at = unit.length; at < length; at *= 2) {
    bytes.copyWithin(at, 0, at);
  }
  return bytes;
}
