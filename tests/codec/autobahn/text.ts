/**
 * Group 6: UTF-8, after Markus Kuhn's stress test for decoders. What is invalid
 * is told apart by hand here, not by a decoder.
 */
import { concat, hex } from "../../harness/bytes.ts";
import {
  type Case,
  fails,
  fragments,
  numbered,
  type Part,
  send,
  sendPiece,
  text,
} from "./case.ts";

const GREETING = concat("Hello-µ@ßöäüàá-UTF-8!!");
/** The Greek word κόσμε. */
const KOSME = hex("ce ba e1 bd b9 cf 83 ce bc ce b5");
const EDITED = concat("edited");
/** Invalid at the thirteenth octet, `a0`: a surrogate. */
const SURROGATE = concat(KOSME, hex("ed a0 80"), EDITED);
/** Invalid at the thirteenth octet, `90`: above U+10FFFF. */
const TOO_HIGH = concat(KOSME, hex("f4 90 80 80"), EDITED);

const empties = numbered("6.1", [
  send([{ payload: "" }], [text("")]),
  send(
    [
      { fin: false },
      { opcode: "continuation", fin: false },
      { opcode: "continuation" },
    ],
    [text("")],
  ),
  send(
    [
      { fin: false },
      { opcode: "continuation", fin: false, payload: "middle frame payload" },
      { opcode: "continuation" },
    ],
    [text("middle frame payload")],
  ),
]);

const valid = numbered("6.2", [
  send([{ payload: GREETING }], [text(GREETING)]),
  send(
    [
      { fin: false, payload: "Hello-µ@ßöä" },
      { opcode: "continuation", payload: "üàá-UTF-8!!" },
    ],
    [text(GREETING)],
  ),
  send(fragments("text", GREETING, 1), [text(GREETING)]),
  send(fragments("text", KOSME, 1), [text(KOSME)]),
]);

const invalid = numbered("6.3", [
  send([{ payload: SURROGATE }], [fails(1007)]),
  send(fragments("text", SURROGATE, 1), [fails(1007)]),
]);

/**
 * The strict outcome: the part with the bad octet fails the connection. The rest
 * of the message is never waited for.
 */
function inFrames(good: number, bad: number): Part[] {
  return [
    send([{ fin: false, payload: TOO_HIGH.subarray(0, good) }], []),
    send(
      [{
        opcode: "continuation",
        fin: false,
        payload: TOO_HIGH.subarray(good, bad),
      }],
      [fails(1007)],
    ),
  ];
}

function inChops(good: number, bad: number): Part[] {
  return [
    sendPiece({ payload: TOO_HIGH }, [0, good], []),
    sendPiece({ payload: TOO_HIGH }, [good, bad], [fails(1007)]),
  ];
}

const failFast = numbered("6.4", [
  inFrames(11, 15),
  inFrames(12, 13),
  inChops(11, 15),
  inChops(12, 13),
]);

/** Whether a payload is valid, and its octets. */
type Sample = readonly [valid: boolean, octets: Uint8Array];

function good(...list: readonly string[]): Sample[] {
  return list.map((octets) => [true, hex(octets)]);
}

function bad(...list: readonly string[]): Sample[] {
  return list.map((octets) => [false, hex(octets)]);
}

/** Lengths of the prefixes of κόσμε that end where a character does. */
const BOUNDARIES = [2, 5, 7, 9, 11];

function prefixes(): Sample[] {
  return Array.from(KOSME, (_, index) => [
    BOUNDARIES.includes(index + 1),
    KOSME.subarray(0, index + 1),
  ]);
}

/** All octets from `from` up to, not including, `to`, each followed by `after`. */
function run(from: number, to: number, ...after: number[]): Uint8Array {
  const octets = Array.from({ length: to - from }, (_, i) => from + i);
  return Uint8Array.from(octets.flatMap((octet) => [octet, ...after]));
}

/** First octets of sequences without what must follow, blanks between them. */
function lonelyStarts(): Sample[] {
  return [[0xc0, 0xdf], [0xe0, 0xef], [0xf0, 0xf7], [0xf8, 0xfb], [0xfc, 0xfd]]
    .map(([from = 0, to = 0]) => [false, run(from, to, 0x20)]);
}

const TRUNCATED = [
  "c0",
  "e0 80",
  "f0 80 80",
  "f8 80 80 80",
  "fc 80 80 80 80",
  "df",
  "ef bf",
  "f7 bf bf",
  "fb bf bf bf",
  "fd bf bf bf bf",
];

/** The non-characters U+nFFFE and U+nFFFF of planes 1 to 16: valid UTF-8. */
function nonCharacters(): Sample[] {
  const planes = Array.from({ length: 16 }, (_, i) => (i + 1) * 0x1_0000);
  return planes.flatMap((plane) =>
    [0xfffe, 0xffff].map((low): Sample => [
      true,
      concat(String.fromCodePoint(plane + low)),
    ])
  );
}

/** Groups 6.5 to 6.23, in order. */
const SAMPLES: readonly Sample[][] = [
  // Some valid text.
  [
    [true, concat("hello$world")],
    [true, concat("hello¢world")],
    [true, concat("hello€world")],
    [true, concat("hello\u{24b62}world")],
    [true, KOSME],
  ],
  prefixes(),
  // First sequence of each length; lengths 5 and 6 do not exist.
  good("00", "c2 80", "e0 a0 80", "f0 90 80 80"),
  bad("f8 88 80 80 80", "fc 84 80 80 80 80"),
  // Last sequence of each length; above U+10FFFF.
  good("7f", "df bf", "ef bf bf", "f4 8f bf bf"),
  bad("f7 bf bf bf", "fb bf bf bf bf", "fd bf bf bf bf bf"),
  // Other boundaries.
  [
    ...good("ed 9f bf", "ee 80 80", "ef bf bd", "f4 8f bf bf"),
    ...bad("f4 90 80 80"),
  ],
  // Continuation octets that continue nothing.
  [
    ...bad("80", "bf", "80 bf", "80 bf 80", "80 bf 80 bf", "80 bf 80 bf 80"),
    ...bad("80 bf 80 bf 80 bf"),
    [false, run(0x80, 0xbf)],
  ],
  lonelyStarts(),
  // The last octet is missing, alone and one after the other.
  bad(...TRUNCATED),
  bad(TRUNCATED.join("")),
  // Octets that never occur.
  bad("fe", "ff", "fe fe ff ff"),
  // Overlong: a slash, the highest of each length, NUL.
  bad(
    "c0 af",
    "e0 80 af",
    "f0 80 80 af",
    "f8 80 80 80 af",
    "fc 80 80 80 80 af",
  ),
  bad(
    "c1 bf",
    "e0 9f bf",
    "f0 8f bf bf",
    "f8 87 bf bf bf",
    "fc 83 bf bf bf bf",
  ),
  bad(
    "c0 80",
    "e0 80 80",
    "f0 80 80 80",
    "f8 80 80 80 80",
    "fc 80 80 80 80 80",
  ),
  // Surrogates, single and paired.
  [
    ...bad("ed a0 80", "ed ad bf", "ed ae 80", "ed af bf", "ed b0 80"),
    ...bad("ed be 80", "ed bf bf"),
  ],
  bad(
    "ed a0 80 ed b0 80",
    "ed a0 80 ed bf bf",
    "ed ad bf ed b0 80",
    "ed ad bf ed bf bf",
    "ed ae 80 ed b0 80",
    "ed ae 80 ed bf bf",
    "ed af bf ed b0 80",
    "ed af bf ed bf bf",
  ),
  [...good("ef bf be", "ef bf bf"), ...nonCharacters()],
  // Specials, such as the replacement character.
  good(
    "ef bf b9",
    "ef bf ba",
    "ef bf bb",
    "ef bf bc",
    "ef bf bd",
    "ef bf be",
    "ef bf bf",
  ),
];

/** Group 6. */
export const textCases: readonly Case[] = [
  ...empties,
  ...valid,
  ...invalid,
  ...failFast,
  ...SAMPLES.flatMap((samples, index) =>
    numbered(
      `6.${index + 5}`,
      samples.map(([isValid, payload]) =>
        send([{ payload }], [isValid ? text(payload) : fails(1007)])
      ),
    )
  ),
];
