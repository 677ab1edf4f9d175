/** Groups 9 and 10: large messages, many fragments, many chops, many messages. */
import { hex } from "../../harness/bytes.ts";
import {
  binary,
  type Case,
  fragments,
  numbered,
  type Part,
  repeated,
  type Reply,
  send,
  text,
} from "./case.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

type Kind = "text" | "binary";

/** Payload by kind, made when it is needed: together they would fill 400 MiB. */
function payloadOf(kind: Kind, size: number): Uint8Array<ArrayBuffer> {
  return repeated(kind === "text" ? "BAsd7&jh23" : hex("00 fe 23 fa f0"), size);
}

function echoed(kind: Kind, payload: Uint8Array): Reply {
  return kind === "text" ? text(payload) : binary(payload);
}

/** A part whose payload lives only while it is played. */
function lazily(make: () => Part): Part {
  let made: Part | undefined;
  return {
    chunks(mask) {
      made = make();
      return made.chunks(mask);
    },
    get replies() {
      const { replies } = made ?? make();
      made = undefined;
      return replies;
    },
  };
}

function whole(kind: Kind, size: number): Part {
  return lazily(() => {
    const payload = payloadOf(kind, size);
    return send([{ opcode: kind, payload }], [echoed(kind, payload)]);
  });
}

function fragmented(kind: Kind, size: number, fragment: number): Part {
  return lazily(() => {
    const payload = kind === "text"
      ? repeated("*", size)
      : repeated(hex("fe"), size);
    return send(fragments(kind, payload, fragment), [echoed(kind, payload)]);
  });
}

function chopped(kind: Kind, chop: number): Part {
  return lazily(() => {
    const payload = payloadOf(kind, MIB);
    return send([{ opcode: kind, payload }], [echoed(kind, payload)], chop);
  });
}

/** A thousand messages, each sent when the one before has come back. */
function roundTrips(kind: Kind, size: number): Part[] {
  const payload = repeated(kind === "text" ? "*" : hex("fe"), size);
  const once = send([{ opcode: kind, payload }], [echoed(kind, payload)]);
  return new Array<Part>(1000).fill(once);
}

const SIZES = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
const FRAGMENTS = [
  ...[64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB],
];
const CHOPS = [64, 128, 256, 512, 1024, 2048];
const ROUND_TRIPS = [0, 16, 64, 256, 1024, 4096];

/** For each kind a subgroup, numbered on from `first`. */
function both(
  first: number,
  make: (kind: Kind) => (Part | readonly Part[])[],
): Case[] {
  return [
    ...numbered(`9.${first}`, make("text")),
    ...numbered(`9.${first + 1}`, make("binary")),
  ];
}

/** Largest message of these groups, in bytes. */
export const LARGEST_MESSAGE_BYTES: number = 16 * MIB;
/** Most fragments of a message in these groups. */
export const MOST_FRAGMENTS: number = 4 * MIB / 64;

/** Groups 9 and 10. */
export const limitCases: readonly Case[] = [
  ...both(1, (kind) => SIZES.map((size) => whole(kind, size))),
  ...both(
    3,
    (kind) => FRAGMENTS.map((size) => fragmented(kind, 4 * MIB, size)),
  ),
  ...both(5, (kind) => CHOPS.map((chop) => chopped(kind, chop))),
  ...both(7, (kind) => ROUND_TRIPS.map((size) => roundTrips(kind, size))),
  ...numbered("10.1", [fragmented("text", 65_536, 1300)]),
];
