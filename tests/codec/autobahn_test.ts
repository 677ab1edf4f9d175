/**
 * The Autobahn case groups 1 to 7, 9 and 10 against the protocol itself, in both
 * roles, with the strict outcome, messages whole and in pieces. The application
 * echoes.
 */
import { Protocol } from "../../codec/protocol.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { type ParsedFrame, parseFrames } from "../harness/frame.ts";
import { allOutput } from "../harness/protocol_pair.ts";
import { cutEvery } from "../harness/split.ts";
import {
  type Case,
  close,
  closes,
  type Part,
  type Reply,
  send,
} from "./autobahn/case.ts";
import { bySubgroup, cases } from "./autobahn/cases.ts";
import { LARGEST_MESSAGE_BYTES, MOST_FRAGMENTS } from "./autobahn/limits.ts";

type Role = "server" | "client";

/** An echo application on the protocol, fed and emptied by hand. */
class EchoPeer {
  readonly #protocol: Protocol;
  readonly #role: Role;
  /** Whether the last event said that the connection has failed. */
  failed = false;
  /** Pieces of the message under way. */
  #pieces: (string | Uint8Array)[] = [];
  #isText = false;

  constructor(role: Role, inPieces: boolean) {
    this.#role = role;
    this.#protocol = new Protocol({
      role,
      maxMessageBytes: LARGEST_MESSAGE_BYTES,
      maxFragments: MOST_FRAGMENTS,
    });
    if (inPieces) this.#protocol.streamMessages();
  }

  /** Feeds chunks; returns the frames sent. */
  play(chunks: readonly Uint8Array[]): ParsedFrame[] {
    const sent: Uint8Array[] = [];
    for (const chunk of chunks) {
      this.#protocol.receive(chunk);
      this.#react();
      sent.push(allOutput(this.#protocol));
    }
    const frames = parseFrames(sent.length === 1 ? sent[0]! : concat(...sent));
    for (const { fin, rsv, maskKey } of frames) {
      // Sections 5.1 and 5.2: a client masks, a server does not.
      assertEquals(
        [fin, rsv, maskKey !== undefined],
        [true, 0, this.#role === "client"],
      );
    }
    return frames;
  }

  #sendPieces(): void {
    const pieces = this.#pieces.splice(0);
    this.#protocol.sendMessage(
      this.#isText ? pieces.join("") : concat(...pieces),
    );
  }

  #react(): void {
    while (true) {
      const events = this.#protocol.takeEvents();
      if (events.length === 0) return;
      for (const event of events) {
        assert(!this.failed, "an event came after the failure");
        if (event.type === "message") this.#protocol.sendMessage(event.data);
        if (event.type === "message-begin") this.#isText = !event.binary;
        if (event.type === "message-chunk") this.#pieces.push(event.data);
        if (event.type === "message-end") this.#sendPieces();
        this.failed = event.type === "failed";
      }
    }
  }
}

/** Ways to cut chunks in another way. */
type Rechop = (chunks: Uint8Array<ArrayBuffer>[]) => Uint8Array[];

/** Asserts that the frames are the replies, as far as a case says what they are. */
function assertReplies(
  frames: readonly ParsedFrame[],
  replies: readonly Reply[],
  id: string,
): void {
  assertEquals(
    frames.map(({ opcode }) => opcode),
    replies.map(({ opcode }) => opcode),
    `${id}: wrong frames`,
  );
  replies.forEach(({ opcode, payload }, index) => {
    const sent = frames[index]?.payload ?? new Uint8Array();
    // The reason of a Close frame is for people.
    const matter = opcode === 8 ? sent.subarray(0, 2) : sent;
    assert(sameBytes(matter, payload), `${id}: wrong payload`);
  });
}

/** Plays a case; `rechop` may cut its chunks in another way. */
function play(one: Case, role: Role, rechop: Rechop = (same) => same): void {
  for (const inPieces of [false, true]) playOnce(one, role, rechop, inPieces);
}

function playOnce(
  { id, parts }: Case,
  role: Role,
  rechop: Rechop,
  inPieces: boolean,
): void {
  const peer = new EchoPeer(role, inPieces);
  const step = (part: Part): readonly Reply[] => {
    const chunks = rechop(part.chunks(role === "server"));
    const { replies } = part;
    assertReplies(peer.play(chunks), replies, id);
    return replies;
  };
  const last = parts.map(step).at(-1)?.at(-1);
  assertEquals(peer.failed, last?.fails === true, `${id}: failed or not`);
  // Where the case has not ended the connection, it can be closed in good order.
  if (last?.opcode !== 8) step(send([close()], [closes(1000)]));
  assertReplies(peer.play([Uint8Array.of(0x89, 0x00)]), [], `${id}: silence`);
}

const inOne = (chunks: Uint8Array[]): Uint8Array[] => [concat(...chunks)];
const byteByByte = (chunks: Uint8Array[]): Uint8Array[] =>
  cutEvery(concat(...chunks), 1);

/** Whether a case is small enough to be played in other chops too. */
function isSmall({ parts }: Case): boolean {
  return parts.length < 10 &&
    parts.every((part) => concat(...part.chunks(true)).length < 4096);
}

test("the tables hold all 301 cases", () => {
  assertEquals(cases.length, 301);
  assertEquals(new Set(cases.map(({ id }) => id)).size, 301);
  const count = (group: string) =>
    cases.filter(({ id }) => id.split(".")[0] === group).length;
  assertEquals(
    ["1", "2", "3", "4", "5", "6", "7", "9", "10"].map(count),
    [16, 11, 7, 10, 20, 145, 37, 54, 1],
  );
});

for (const [name, group] of bySubgroup(cases)) {
  for (const role of ["server", "client"] as const) {
    test(`Autobahn ${name}, ${role}: ${group.length} cases`, () => {
      for (const one of group) {
        play(one, role);
        if (name.startsWith("9.") || !isSmall(one)) continue;
        play(one, role, inOne);
        play(one, role, byteByByte);
      }
    });
  }
}

test("the runner sees a wrong answer", () => {
  const wrong = send([{ opcode: "ping" }], [closes(1000)]);
  let seen = false;
  try {
    play({ id: "0.0", parts: [wrong] }, "server");
  } catch {
    seen = true;
  }
  assert(seen);
});
