/**
 * FR-5: every first byte, with and without a mask, with each kind of length, in
 * each state, in both roles: 20,480 cases. What must come of each is worked out
 * here from RFC 6455, by a function that shares nothing with the codec.
 */
import type { ProtocolErrorReason } from "../../codec/error.ts";
import { Protocol } from "../../codec/protocol.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import {
  closePayload,
  frame,
  type FrameOptions,
  parseFrames,
} from "../harness/frame.ts";
import { allEvents, allOutput } from "../harness/protocol_pair.ts";

type Role = "server" | "client";
/** `closing`: our Close frame is out, the peer's is awaited. */
type State = "idle" | "text" | "binary" | "closing";

const ROLES: readonly Role[] = ["server", "client"];
const STATES: readonly State[] = ["idle", "text", "binary", "closing"];
/** Values of the 7-bit length field, and the payload that goes with each. */
const LENGTHS: readonly (readonly [field: number, bytes: number])[] = [
  [0, 0],
  [1, 1],
  [125, 125],
  [126, 126],
  [127, 65_536],
];

/** One cell of the table. */
interface Cell {
  readonly role: Role;
  readonly state: State;
  readonly first: number;
  readonly masked: boolean;
  readonly field: number;
  readonly bytes: number;
}

function* cells(role: Role, state: State): Generator<Cell> {
  for (let first = 0; first < 256; first++) {
    for (const masked of [true, false]) {
      for (const [field, bytes] of LENGTHS) {
        yield { role, state, first, masked, field, bytes };
      }
    }
  }
}

const opcodeOf = (cell: Cell): number => cell.first % 16;
const finOf = (cell: Cell): boolean => cell.first >= 128;
const inMessage = ({ state }: Cell): boolean =>
  state === "text" || state === "binary";

/** Every rule that a frame breaks. Any of them may be named; none is overlooked. */
function brokenRules(cell: Cell): ProtocolErrorReason[] {
  const { role, first, masked, field } = cell;
  const opcode = opcodeOf(cell);
  const rules: [boolean, ProtocolErrorReason][] = [
    // Section 5.2: "MUST be 0 unless an extension is negotiated".
    [first % 128 >= 16, "reserved-bits"],
    // Section 5.2: %x3-7 and %xB-F are reserved.
    [opcode % 8 >= 3, "reserved-opcode"],
    // Section 5.5: control frames "MUST NOT be fragmented" …
    [opcode >= 8 && !finOf(cell), "fragmented-control"],
    // … and "MUST have a payload length of 125 bytes or less".
    [opcode >= 8 && field > 125, "control-too-long"],
    // Section 5.1: a client MUST mask, a server MUST NOT.
    [role === "server" && !masked, "mask-required"],
    [role === "client" && masked, "mask-forbidden"],
    // Section 5.4.
    [opcode === 0 && !inMessage(cell), "unexpected-continuation"],
    [
      (opcode === 1 || opcode === 2) && inMessage(cell),
      "expected-continuation",
    ],
    // Section 5.5.1: "the first two bytes of the body MUST be a 2-byte" integer.
    [opcode === 8 && field === 1, "invalid-close-length"],
  ];
  return rules.filter(([broken]) => broken).map(([, reason]) => reason);
}

/** A payload that is right for the opcode. */
function payloadOf(cell: Cell): Uint8Array<ArrayBuffer> {
  const letters = new Uint8Array(cell.bytes).fill(0x61);
  if (opcodeOf(cell) === 8) {
    letters.set(closePayload(1000).subarray(0, cell.bytes));
  }
  return letters;
}

/** What a frame that breaks no rule comes to: events, and frames in reply. */
interface Outcome {
  readonly events: readonly (readonly [type: string, payload: Uint8Array])[];
  readonly replies: readonly (readonly [opcode: number, payload: Uint8Array])[];
  /** Whether a message is under way afterwards. */
  readonly inMessage: boolean;
}

const PREFIX = concat("before");

function outcome(cell: Cell): Outcome {
  const payload = payloadOf(cell);
  const opcode = opcodeOf(cell);
  const stays = inMessage(cell);
  if (opcode === 8) {
    // Section 5.5.1: answered with a Close frame, unless ours is out already.
    const replies = cell.state === "closing"
      ? []
      : [[8, payload.subarray(0, 2)] as const];
    return { events: [["close", payload]], replies, inMessage: stays };
  }
  if (opcode === 9) {
    // Section 5.5.2: answered "unless it already received a Close frame"; that
    // ours is out forbids data frames only (section 5.5.1).
    const replies = [[10, payload] as const];
    return { events: [["ping", payload]], replies, inMessage: stays };
  }
  if (opcode === 10) {
    return { events: [["pong", payload]], replies: [], inMessage: stays };
  }
  if (!finOf(cell)) return { events: [], replies: [], inMessage: true };
  const whole = opcode === 0 ? concat(PREFIX, payload) : payload;
  return { events: [["message", whole]], replies: [], inMessage: false };
}

/** Whether the message that the frame belongs to is text. */
function isText(cell: Cell): boolean {
  return opcodeOf(cell) === 1 || opcodeOf(cell) === 0 && cell.state === "text";
}

/** A protocol in the state of the cell. */
function prepared({ role, state }: Cell): Protocol {
  const protocol = new Protocol({ role });
  const mask = role === "server";
  if (state === "closing") protocol.close(1000);
  if (state === "text" || state === "binary") {
    protocol.receive(
      frame({ opcode: state, fin: false, payload: PREFIX, mask }),
    );
  }
  assertEquals(allEvents(protocol), []);
  allOutput(protocol);
  return protocol;
}

function frameOf(cell: Cell): Uint8Array<ArrayBuffer> {
  const options: FrameOptions = {
    fin: finOf(cell),
    rsv: Math.floor(cell.first / 16) % 8,
    opcode: opcodeOf(cell),
    mask: cell.masked,
    payload: payloadOf(cell),
  };
  const bytes = frame(options);
  assertEquals([bytes[0], bytes[1]! % 128], [cell.first, cell.field]);
  return bytes;
}

function name(cell: Cell): string {
  const first = cell.first.toString(16).padStart(2, "0");
  const mask = cell.masked ? "masked" : "unmasked";
  return `${cell.role}, ${cell.state}: 0x${first}, ${mask}, length ${cell.field}`;
}

/** Asserts that a broken rule is named, answered, and the end. */
function assertBroken(cell: Cell, rules: readonly ProtocolErrorReason[]): void {
  const protocol = prepared(cell);
  const bytes = frameOf(cell);
  if (rules.some((rule) => rule.startsWith("mask-"))) {
    // FR-7: known at the second byte, whatever else is wrong.
    protocol.receive(bytes.subarray(0, 2));
    assertEquals(protocol.lastEventPending, true, `${name(cell)}: late`);
  } else {
    protocol.receive(bytes);
  }
  const events = allEvents(protocol);
  assertEquals(events.map(({ type }) => type), ["failed"], name(cell));
  const [event] = events;
  if (event?.type !== "failed") return;
  assert(
    rules.includes(event.error.reason),
    `${name(cell)}: ${event.error.reason}, not one of ${rules}`,
  );
  // Section 5.5.1: no second Close frame after ours.
  const replies = parseFrames(allOutput(protocol))
    .map(({ opcode, payload }) => [opcode, payload[0]! * 256 + payload[1]!]);
  const expected = cell.state === "closing" ? [] : [[8, event.error.code]];
  assertEquals(replies, expected, name(cell));
  protocol.receive(frame({ payload: "later", mask: cell.role === "server" }));
  assertEquals(allEvents(protocol), [], `${name(cell)}: not the end`);
  assertEquals(protocol.takeOutput(), undefined, `${name(cell)}: not the end`);
}

/** Asserts that a good frame has the outcome of the RFC, and leaves the right state. */
function assertGood(cell: Cell): void {
  const expected = outcome(cell);
  const protocol = prepared(cell);
  protocol.receive(frameOf(cell));
  const events = allEvents(protocol);
  assertEquals(
    events.map(({ type }) => type),
    expected.events.map(([type]) => type),
    name(cell),
  );
  events.forEach((event, index) => {
    const payload = expected.events[index]![1];
    if (event.type === "message") {
      assertEquals(typeof event.data === "string", isText(cell), name(cell));
      assert(sameBytes(concat(event.data), payload), name(cell));
    } else if (event.type === "close") {
      const code = payload.length === 0 ? 1005 : 1000;
      const reason = new TextDecoder().decode(payload.subarray(2));
      assertEquals([event.code, event.reason], [code, reason], name(cell));
    } else if (event.type === "ping" || event.type === "pong") {
      assert(sameBytes(event.payload, payload), name(cell));
    }
  });
  const replies = parseFrames(allOutput(protocol));
  assertEquals(
    replies.map(({ opcode }) => opcode),
    expected.replies.map(([opcode]) => opcode),
    name(cell),
  );
  replies.forEach(({ opcode, payload }, index) => {
    const matter = opcode === 8 ? payload.subarray(0, 2) : payload;
    assert(sameBytes(matter, expected.replies[index]![1]), name(cell));
  });
  assertStateAfter(protocol, cell, expected);
}

/** A last fragment tells whether a message is under way; after a Close nothing is. */
function assertStateAfter(
  protocol: Protocol,
  cell: Cell,
  expected: Outcome,
): void {
  const mask = cell.role === "server";
  protocol.receive(frame({ opcode: "continuation", payload: "z", mask }));
  const types = allEvents(protocol).map(({ type }) => type);
  const wanted = opcodeOf(cell) === 8
    ? []
    : [expected.inMessage ? "message" : "failed"];
  assertEquals(types, wanted, `${name(cell)}: state afterwards`);
}

for (const role of ROLES) {
  for (const state of STATES) {
    test(`FR-5: every kind of frame, ${role}, ${state}`, () => {
      let good = 0;
      for (const cell of cells(role, state)) {
        const rules = brokenRules(cell);
        if (rules.length > 0) assertBroken(cell, rules);
        else {
          assertGood(cell);
          good++;
        }
      }
      // Data: FIN or not, 5 lengths, 2 opcodes (1 while a message is under way).
      // Control: Close with 2 lengths, Ping and Pong with 3.
      assertEquals(good, (inMessage({ state } as Cell) ? 10 : 20) + 2 + 3 + 3);
    });
  }
}
