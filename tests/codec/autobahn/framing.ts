/** Groups 1 to 5: framing, Ping and Pong, reserved bits, opcodes, fragments. */
import { hex } from "../../harness/bytes.ts";
import type { FrameOptions } from "../../harness/frame.ts";
import {
  binary,
  type Case,
  type Chop,
  close,
  closes,
  fails,
  numbered,
  type Part,
  pong,
  repeated,
  send,
  text,
} from "./case.ts";

const HELLO = "Hello, world!";
const BYTES = hex("00 ff fe fd fc fb 00 ff");

/** Group 1: one message of each length at which the header changes its form. */
const SIZES: readonly (readonly [number, Chop])[] = [
  [0, "once"],
  [125, "once"],
  [126, "once"],
  [127, "once"],
  [128, "once"],
  [65_535, "once"],
  [65_536, "once"],
  [65_536, 997],
];

const group1 = [
  ...numbered(
    "1.1",
    SIZES.map(([size, chop]) => {
      const payload = repeated("*", size);
      return send([{ payload }], [text(payload)], chop);
    }),
  ),
  ...numbered(
    "1.2",
    SIZES.map(([size, chop]) => {
      const payload = repeated(hex("fe"), size);
      return send([{ opcode: "binary", payload }], [binary(payload)], chop);
    }),
  ),
];

function ping(payload: string | Uint8Array = ""): FrameOptions {
  return { opcode: "ping", payload };
}

/** Ten Pings in a row; each one is answered. */
function tenPings(chop: Chop): Part {
  const payloads = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
  return send(
    payloads.map((payload) => ping(payload)),
    payloads.map((payload) => pong(payload)),
    chop,
  );
}

const LONGEST = repeated(hex("fe"), 125);
const UNSOLICITED: FrameOptions = {
  opcode: "pong",
  payload: "unsolicited pong payload",
};

const group2 = numbered("2", [
  send([ping()], [pong()]),
  send([ping(HELLO)], [pong(HELLO)]),
  send([ping(BYTES)], [pong(BYTES)]),
  send([ping(LONGEST)], [pong(LONGEST)]),
  // Control frames carry at most 125 octets.
  send([ping(repeated(hex("fe"), 126))], [fails()]),
  send([ping(LONGEST)], [pong(LONGEST)], 1),
  // A Pong that nobody asked for is not answered.
  send([{ opcode: "pong" }, close()], [closes(1000)]),
  send([UNSOLICITED, close()], [closes(1000)]),
  send([UNSOLICITED, ping("ping payload")], [pong("ping payload")]),
  tenPings("once"),
  tenPings(1),
]);

/** A good message, a bad frame, and a Ping that must not be answered. */
function badInTheMiddle(bad: FrameOptions, chop: Chop = "once"): Part {
  return send([{ payload: HELLO }, bad, ping()], [text(HELLO), fails()], chop);
}

const group3 = numbered("3", [
  send([{ payload: HELLO, rsv: 1 }], [fails()]),
  badInTheMiddle({ payload: HELLO, rsv: 2 }),
  badInTheMiddle({ payload: HELLO, rsv: 3 }, "frames"),
  badInTheMiddle({ payload: HELLO, rsv: 4 }, 1),
  send([{ opcode: "binary", payload: BYTES, rsv: 5 }], [fails()]),
  // The suite calls it a Ping, but sends a binary message.
  send([{ opcode: "binary", payload: HELLO, rsv: 6 }], [fails()]),
  send([{ opcode: "close", rsv: 7 }], [fails()]),
]);

/** Reserved opcodes, five of a kind: data (3 to 7) and control (11 to 15). */
function reservedOpcodes(first: number): Part[] {
  return [
    send([{ opcode: first }], [fails()]),
    send(
      [{ opcode: first + 1, payload: "reserved opcode payload" }],
      [fails()],
    ),
    badInTheMiddle({ opcode: first + 2 }),
    badInTheMiddle({ opcode: first + 3, payload: HELLO }),
    badInTheMiddle({ opcode: first + 4, payload: HELLO }, 1),
  ];
}

const group4 = [
  ...numbered("4.1", reservedOpcodes(3)),
  ...numbered("4.2", reservedOpcodes(11)),
];

function first(payload: string, fin = false): FrameOptions {
  return { payload, fin };
}

function next(payload: string, fin = false): FrameOptions {
  return { opcode: "continuation", payload, fin };
}

const CHOPS: readonly Chop[] = ["once", "frames", 1];

/** A message in two fragments; with a Ping between them. */
const twoFragments = [
  ...CHOPS.map((chop) =>
    send(
      [first("fragment1"), next("fragment2", true)],
      [text("fragment1fragment2")],
      chop,
    )
  ),
  ...CHOPS.map((chop) =>
    send(
      [first("fragment1"), ping("ping payload"), next("fragment2", true)],
      [pong("ping payload"), text("fragment1fragment2")],
      chop,
    )
  ),
];

/** A continuation where there is nothing to continue, then a whole message. */
const strayContinuations = [true, false].flatMap((fin) =>
  CHOPS.map((chop) =>
    send(
      [next("non-continuation payload", fin), first(HELLO, true)],
      [fails()],
      chop,
    )
  )
);

/** A stray continuation before a message in two fragments, twice. */
function strayTwice(fin: boolean): Part {
  const once = [
    next("fragment1", fin),
    first("fragment2"),
    next("fragment3", true),
  ];
  return send([...once, ...once], [fails()]);
}

/** Five fragments, with a Ping in each half; the first Pong does not wait. */
function pingsBetween(chop: Chop): Part[] {
  const all = "fragment1fragment2fragment3fragment4fragment5";
  return [
    send(
      [first("fragment1"), next("fragment2"), ping("pongme 1!")],
      [pong("pongme 1!")],
      chop,
    ),
    send(
      [
        next("fragment3"),
        next("fragment4"),
        ping("pongme 2!"),
        next("fragment5", true),
      ],
      [pong("pongme 2!"), text(all)],
      chop,
    ),
  ];
}

const group5 = numbered("5", [
  send(
    [{ ...ping("fragment1"), fin: false }, next("fragment2", true)],
    [fails()],
  ),
  send(
    [
      { opcode: "pong", payload: "fragment1", fin: false },
      next("fragment2", true),
    ],
    [fails()],
  ),
  ...twoFragments,
  ...strayContinuations,
  send(
    [
      first("fragment1"),
      next("fragment2", true),
      next("fragment3"),
      first("fragment4", true),
    ],
    [text("fragment1fragment2"), fails()],
  ),
  strayTwice(false),
  strayTwice(true),
  // The second frame of a message has to be a continuation.
  send([first("fragment1"), first("fragment2", true)], [fails()]),
  pingsBetween("once"),
  pingsBetween("frames"),
]);

/** Groups 1 to 5. */
export const framingCases: readonly Case[] = [
  ...group1,
  ...group2,
  ...group3,
  ...group4,
  ...group5,
];
