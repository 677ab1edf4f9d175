/**
 * Random input, from nearly right to pure noise: only documented events, never
 * an exception, and the same events however the network cuts the bytes.
 */
import type { ProtocolEvent } from "../../codec/event.ts";
import type { Role } from "../../codec/frame.ts";
import { Protocol } from "../../codec/protocol.ts";
import { assert, test } from "../harness.ts";
import { concat, toHex } from "../harness/bytes.ts";
import {
  closePayload,
  frame,
  type FrameOptions,
  parseFrames,
} from "../harness/frame.ts";
import { allEvents, allOutput } from "../harness/protocol_pair.ts";
import { type Random, seededRandom } from "../harness/random.ts";
import { cutAt } from "../harness/split.ts";

const ROLES: readonly Role[] = ["server", "client"];
const SEED = 0x9f0;
const LIMITS = { maxMessageBytes: 200, maxFragments: 3 };
const TEXTS = ["", "a", "é€", "x".repeat(90), "😀".repeat(31), "y".repeat(126)];

/** A frame that most likely breaks a rule. */
function wrongFrame(random: Random): FrameOptions {
  const opcode = random.below(16);
  const payload = random.bytes(random.below(150));
  const options = { opcode, payload, fin: random.below(2) === 0 };
  switch (random.below(5)) {
    case 0:
      return { ...options, rsv: random.below(8) };
    case 1:
      return { ...options, mask: random.below(2) === 0 };
    case 2:
      return { ...options, lengthForm: random.below(2) === 0 ? 16 : 64 };
    case 3:
      return { opcode: 2, length: 2n ** BigInt(random.below(64)) };
    default:
      return options;
  }
}

/** A frame that keeps the rules, or nearly: text, size and Close may not. */
function rightFrame(random: Random, inMessage: boolean): FrameOptions {
  const payload = concat(TEXTS[random.below(TEXTS.length)]!);
  const kind = random.below(12);
  if (kind === 0) {
    const code = 999 + random.below(12);
    const reason = payload.subarray(0, random.below(123));
    return { opcode: 8, payload: closePayload(code, reason) };
  }
  if (kind === 1) {
    return { opcode: 8, payload: payload.subarray(0, random.below(3)) };
  }
  if (kind < 5) {
    return { opcode: 9 + kind % 2, payload: payload.subarray(0, 125) };
  }
  const opcode = inMessage ? 0 : 1 + kind % 2;
  return { opcode, payload, fin: random.below(3) > 0 };
}

/** Frames as a confused or hostile peer might send them. */
function randomInput(random: Random, role: Role): Uint8Array<ArrayBuffer> {
  const parts = [];
  let inMessage = false;
  for (let count = 1 + random.below(8); count > 0; count--) {
    const options: FrameOptions = random.below(16) === 0
      ? wrongFrame(random)
      : rightFrame(random, inMessage);
    if (Number(options.opcode) < 8) inMessage = options.fin === false;
    parts.push(frame({ mask: role === "server", ...options }));
  }
  if (random.below(8) === 0) parts.push(random.bytes(random.below(20)));
  const bytes = concat(...parts);
  if (random.below(8) === 0) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return bytes;
}

const latin1 = new TextDecoder("latin1");

function describe(event: ProtocolEvent): string {
  if (event.type === "close") return `! close ${event.code} ${event.reason}`;
  if (event.type === "failed") return `! ${event.error.reason}`;
  if (event.type === "ping" || event.type === "pong") {
    return `${event.type} ${latin1.decode(event.payload)}`;
  }
  if (event.type !== "message") throw new Error(event.type);
  const { data } = event;
  if (data.length > LIMITS.maxMessageBytes) throw new Error("above the limit");
  if (typeof data === "string") return `text ${data}`;
  return `bytes ${latin1.decode(data)}`;
}

/** Puts messages that come in pieces together. */
function* joined(events: Iterable<ProtocolEvent>): Generator<ProtocolEvent> {
  for (const event of events) {
    if (event.type === "message-begin") {
      pieces = [];
      isText = !event.binary;
    } else if (event.type === "message-chunk") {
      if (event.data.length === 0) throw new Error("an empty piece");
      pieces.push(event.data);
    } else if (event.type === "message-end") {
      const data = isText ? pieces.join("") : concat(...pieces);
      yield { type: "message", data };
    } else {
      yield event;
    }
  }
}

let pieces: (string | Uint8Array)[] = [];
let isText = false;

/** All that comes of `chunks`: events, then frames sent, as one text. */
function trace(
  role: Role,
  chunks: readonly Uint8Array[],
  inPieces = false,
): string {
  const protocol = new Protocol({ role, ...LIMITS });
  if (inPieces) protocol.streamMessages();
  const lines: string[] = [];
  const sent: Uint8Array[] = [];
  for (const chunk of chunks) {
    protocol.receive(chunk);
    chunk.fill(0x21); // it was only lent
    for (const event of joined(allEvents(protocol))) {
      if (lines.at(-1)?.startsWith("!")) throw new Error("an event too many");
      lines.push(describe(event));
    }
    if (protocol.outputBytes > 0) sent.push(allOutput(protocol));
  }
  const frames = parseFrames(concat(...sent))
    .map(({ opcode, payload }) => `${opcode} ${latin1.decode(payload)}`);
  return [...lines, "sent", ...frames].join("\n");
}

/** Plays one input whole and cut; returns how it ended. */
function play(role: Role, bytes: Uint8Array, random: Random): string {
  const whole = trace(role, [bytes.slice()]);
  // One in four byte by byte, which takes the longest.
  const cuts = random.below(4) > 0
    ? Array.from({ length: 4 }, () => random.below(bytes.length + 1))
    : bytes.keys();
  const chunks = cutAt(bytes, [...cuts].sort((a, b) => a - b));
  const sizes = chunks.map(({ length }) => length);
  const copies = chunks.map((chunk) => chunk.slice());
  if (trace(role, chunks) !== whole) {
    throw new Error(`other events in chunks of ${sizes}`);
  }
  if (trace(role, copies, true) !== whole) {
    throw new Error(`other pieces in chunks of ${sizes}`);
  }
  return /^! (close|[a-z0-9-]+)/m.exec(whole)?.[1] ?? "none";
}

test("FZ, AB21: random frames lead to documented events only, however they are cut, whole and in pieces", () => {
  const ends = new Map<string, number>();
  for (let seed = SEED; seed < SEED + 10_000; seed++) {
    const random = seededRandom(seed);
    const role = ROLES[seed % 2]!;
    const bytes = randomInput(random, role);
    try {
      const end = play(role, bytes, random);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (error) {
      const name = `seed ${seed}, to a ${role}: ${toHex(bytes)}`;
      throw new Error(`${(error as Error).message}, ${name}`, { cause: error });
    }
  }
  // The input is worth something: it meets every end there is.
  const summary = JSON.stringify([...ends]);
  assert(ends.size === 17, summary);
  assert(ends.get("none")! > 3_000 && ends.get("close")! > 2_000, summary);
});

test("FZ: noise leads to a failure or to waiting, never to an exception", () => {
  const types = ["message", "ping", "pong", "close", "failed"];
  for (let seed = SEED; seed < SEED + 10_000; seed++) {
    const random = seededRandom(seed);
    const protocol = new Protocol({ role: ROLES[seed % 2]! });
    protocol.receive(random.bytes(1 + random.below(64)));
    for (const event of allEvents(protocol)) {
      assert(types.includes(event.type), `seed ${seed}`);
    }
    protocol.receiveEnd();
    allOutput(protocol);
  }
});
