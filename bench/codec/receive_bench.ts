/** Chunks to messages, as a server's connection does it, against plain code. */
import type { Message } from "../../codec/message.ts";
import type { Protocol } from "../../codec/protocol.ts";
import { concat } from "../../tests/harness/bytes.ts";
import { OPCODES, parseFrames } from "../../tests/harness/frame.ts";
import { benchPair, SIZES } from "./pair.ts";
import { FILLINGS, makeChunks } from "./payload.ts";
import { makeProtocol } from "./protocol.ts";

const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function receive(protocol: Protocol, chunks: readonly Uint8Array[]): Message[] {
  const messages: Message[] = [];
  for (const chunk of chunks) {
    protocol.receive(chunk);
    for (const event of protocol.takeEvents()) {
      if (event.type === "message") messages.push(event.data);
    }
  }
  return messages;
}

function receivePlainly(chunks: readonly Uint8Array[]): Message[] {
  const [first] = chunks;
  const stream = chunks.length === 1 ? first! : concat(...chunks);
  return parseFrames(stream).map(({ opcode, payload }) =>
    opcode === OPCODES.text ? fatal.decode(payload) : payload
  );
}

for (const filling of FILLINGS) {
  for (const size of SIZES) {
    const ours = makeChunks(filling, size);
    const theirs = makeChunks(filling, size);
    const protocol = makeProtocol("server");
    benchPair(`receive ${filling}, ${size} bytes`, {
      sockeye: () => receive(protocol, ours),
      plain: () => receivePlainly(theirs),
    });
  }
}
