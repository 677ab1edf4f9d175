/**
 * The Autobahn case groups 12 and 13 against protocol and compression, in both
 * roles: the application echoes, and the peer's zlib must find the same bytes. Those
 * who take the messages in pieces must, too.
 */
import {
  acceptDeflate,
  checkDeflateAnswer,
  type DeflateAgreement,
  formatExtensions,
  offerDeflate,
  parseExtensions,
} from "../../codec.ts";
import { Protocol } from "../../codec/protocol.ts";
import { makeDeflate } from "../../runtime/message_deflate.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { frame, parseFrames } from "../harness/frame.ts";
import { allOutput } from "../harness/protocol_pair.ts";
import { type DeflateCase, deflateGroups } from "./autobahn_cases.ts";
import { ZlibPeer } from "./zlib_peer.ts";

type Role = "server" | "client";

/** Nothing that the suite does not ask for. */
const FREE: DeflateAgreement = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
};
/** Everything that is not empty is compressed. */
const SETTINGS = { thresholdBytes: 0, level: 6, memoryLevel: 5 };

/** Agrees, as header lines say it. */
function agree(role: Role, { offer, answer }: DeflateCase): DeflateAgreement {
  if (role === "client") {
    const result = checkDeflateAnswer(
      parseExtensions([answer])!,
      [offerDeflate(FREE)],
    );
    assert(typeof result === "object", answer);
    return result;
  }
  const offers = parseExtensions([offer])!;
  const accepted = acceptDeflate(offers, FREE);
  assert(accepted !== undefined, offer);
  const line = formatExtensions([accepted.answer]);
  const understood = checkDeflateAnswer(parseExtensions([line])!, offers);
  assertEquals(understood, accepted.agreement);
  return accepted.agreement;
}

/** The next piece of a case's data; behind the end it begins anew. */
function* messages({ data, messageBytes }: DeflateCase): Generator<Uint8Array> {
  for (let at = 0;; at = (at + messageBytes) % data.length) {
    const piece = data.subarray(at, at + messageBytes);
    const missing = messageBytes - piece.length;
    yield missing > 0 ? concat(piece, data.subarray(0, missing)) : piece;
  }
}

/** The frames of a compressed message. */
function framesOf(
  payload: Uint8Array,
  { isText, fragmentBytes }: DeflateCase,
  mask: boolean,
): Uint8Array {
  const step = fragmentBytes === 0 ? payload.length : fragmentBytes;
  const frames: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += step) {
    frames.push(frame({
      opcode: at > 0 ? "continuation" : isText ? "text" : "binary",
      rsv: at > 0 ? 0 : 4,
      fin: at + step >= payload.length,
      mask,
      payload: payload.subarray(at, at + step),
    }));
  }
  return concat(...frames);
}

/** What comes of bytes, piece by piece, put together. */
function inPieces(protocol: Protocol, bytes: Uint8Array): Uint8Array {
  protocol.receive(bytes);
  const pieces: (string | Uint8Array)[] = [];
  for (let events; (events = protocol.takeEvents()).length > 0;) {
    for (const event of events) {
      assert(event.type.startsWith("message-"), event.type);
      if (event.type === "message-chunk") pieces.push(event.data);
    }
  }
  return concat(...pieces);
}

/** Plays a case; returns how many of the echoes were compressed. */
async function play(one: DeflateCase, role: Role): Promise<number> {
  const agreement = agree(role, one);
  const transform = makeDeflate(role, agreement, SETTINGS);
  const protocol = new Protocol({ role, transform });
  const streaming = new Protocol({
    role,
    transform: makeDeflate(role, agreement, SETTINGS),
  });
  streaming.streamMessages();
  const server = {
    bits: agreement.serverMaxWindowBits,
    alone: agreement.serverNoContextTakeover,
  };
  const client = {
    bits: agreement.clientMaxWindowBits,
    alone: agreement.clientNoContextTakeover,
  };
  const [ours, theirs] = role === "server"
    ? [server, client]
    : [client, server];
  await using peer = new ZlibPeer(theirs, ours);
  const source = messages(one);
  let compressed = 0;
  for (let index = 0; index < one.messages; index++) {
    const message = source.next().value as Uint8Array;
    const payload = await peer.compress(message);
    const sent = framesOf(payload, one, role === "server");
    const joined = inPieces(streaming, sent.slice());
    assert(sameBytes(joined, message), `${one.id}: pieces of ${index} differ`);
    protocol.receive(sent);
    for (const event of protocol.takeEvents()) {
      assert(event.type === "message", `${one.id}: ${event.type}`);
      protocol.sendMessage(event.data);
    }
    const frames = parseFrames(allOutput(protocol));
    assertEquals(frames.length, 1, `${one.id}: frames`);
    const { rsv, opcode, payload: echo } = frames[0]!;
    assertEquals(opcode, one.isText ? 1 : 2, one.id);
    if (rsv === 4) compressed++;
    const bytes = rsv === 4 ? peer.inflate(echo) : echo;
    assert(sameBytes(bytes, message), `${one.id}: message ${index} differs`);
  }
  transform.release();
  return compressed;
}

test("the tables hold all 216 cases", () => {
  const ids = deflateGroups.flatMap(([, cases]) => cases.map(({ id }) => id));
  assertEquals([ids.length, new Set(ids).size], [216, 216]);
});

for (const [name, cases] of deflateGroups) {
  for (const role of ["server", "client"] as const) {
    test(`PM-10: Autobahn ${name}, ${role}: ${cases.length} cases`, async () => {
      let compressed = 0;
      for (const one of cases) compressed += await play(one, role);
      assert(compressed > cases.length, `${compressed} were compressed`);
    });
  }
}

test("PM-10: the runner sees a wrong byte", async () => {
  const [, cases] = deflateGroups[0]!;
  const one = cases[5]!;
  // A peer that keeps a context where none was agreed on.
  const lying = {
    ...one,
    answer: "permessage-deflate; server_no_context_takeover",
  };
  const agreement = agree("client", lying);
  const transform = makeDeflate("client", agreement, SETTINGS);
  const protocol = new Protocol({ role: "client", transform });
  const free = { bits: 15, alone: false };
  await using peer = new ZlibPeer(free, free);
  const types: string[] = [];
  for (
    const message of [one.data.subarray(0, 500), one.data.subarray(0, 500)]
  ) {
    protocol.receive(framesOf(await peer.compress(message), one, false));
    types.push(...protocol.takeEvents().map(({ type }) => type));
  }
  assertEquals(types, ["message", "failed"]);
});
