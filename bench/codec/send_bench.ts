/** Messages to bytes, in both roles, against plain code. */
import type { Message } from "../../codec/message.ts";
import type { Protocol } from "../../codec/protocol.ts";
import { concat } from "../../tests/harness/bytes.ts";
import { parseFrames } from "../../tests/harness/frame.ts";
import { benchPair, SIZES } from "./pair.ts";
import { countPerChunk, FILLINGS, makePayload } from "./payload.ts";
import { framePlainly } from "./plain_frame.ts";
import { makeProtocol } from "./protocol.ts";

const ROLES = ["server", "client"] as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function send(
  protocol: Protocol,
  message: Message,
  count: number,
): Uint8Array[] {
  for (let n = 0; n < count; n++) {
    if (typeof message === "string") protocol.sendText(message);
    else protocol.sendBinary(message);
  }
  const chunks = [];
  for (
    let chunk = protocol.takeOutput();
    chunk;
    chunk = protocol.takeOutput()
  ) {
    chunks.push(chunk);
  }
  return chunks;
}

function sendPlainly(
  masked: boolean,
  message: Message,
  count: number,
): Uint8Array[] {
  const frames = Array.from({ length: count }, () => {
    const text = typeof message === "string";
    const key = masked ? crypto.getRandomValues(new Uint8Array(4)) : undefined;
    const payload = text ? encoder.encode(message) : message;
    return framePlainly(text ? 0x81 : 0x82, payload, key);
  });
  return [concat(...frames)];
}

/** Frames, but of their keys, which are random, only whether there is one. */
function contents(chunks: readonly Uint8Array[]): unknown {
  return parseFrames(concat(...chunks)).map(({ maskKey, ...rest }) => ({
    ...rest,
    masked: maskKey !== undefined,
  }));
}

for (const role of ROLES) {
  for (const filling of FILLINGS) {
    for (const size of SIZES) {
      const payload = makePayload(filling, size);
      const message = filling === "binary" ? payload : decoder.decode(payload);
      const count = countPerChunk(size);
      const protocol = makeProtocol(role);
      benchPair(`send ${filling} as ${role}, ${size} bytes`, {
        sockeye: () => send(protocol, message, count),
        plain: () => sendPlainly(role === "client", message, count),
        compared: contents,
      });
    }
  }
}
