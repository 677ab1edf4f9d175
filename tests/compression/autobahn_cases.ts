/**
 * The Autobahn case groups 12 and 13 as tables: kinds of data, message sizes, and
 * what both sides agree on. The data are ours, of the same kinds and sizes.
 */
import { seededRandom } from "../harness/random.ts";

/** One case. */
export interface DeflateCase {
  /** Number, such as `12.1.1`. */
  readonly id: string;
  /** What is sent, piece by piece, and round again. */
  readonly data: Uint8Array;
  /** Whether it goes as text. */
  readonly isText: boolean;
  /** Size of each message, in bytes. */
  readonly messageBytes: number;
  /** How many messages go out, and back. */
  readonly messages: number;
  /** Size of the fragments of what is compressed, in bytes; 0 for none. */
  readonly fragmentBytes: number;
  /** What a client of the suite offers, and what a server of it answers. */
  readonly offer: string;
  readonly answer: string;
}

/**
 * Size of a message, and of its fragments. The suite sends 1,000 of each; here it
 * is as many as come to 64 KiB, at least 2 and at most 1,000.
 */
const SIZES:
  readonly (readonly [messageBytes: number, fragmentBytes: number])[] = [
    [16, 0],
    [64, 0],
    [256, 0],
    [1_024, 0],
    [4_096, 0],
    [8_192, 0],
    [16_384, 0],
    [32_768, 0],
    [65_536, 0],
    [131_072, 0],
    [8_192, 256],
    [16_384, 256],
    [32_768, 256],
    [65_536, 256],
    [131_072, 256],
    [131_072, 1_024],
    [131_072, 4_096],
    [131_072, 32_768],
  ];
const CASE_BYTES = 65_536;

const random = seededRandom(12);
const encoder = new TextEncoder();

/** Repeats a line, each time another, until there is that much. */
function fill(length: number, line: (index: number) => string): Uint8Array {
  let text = "";
  for (let index = 0; text.length < length; index++) text += line(index);
  return encoder.encode(text).slice(0, length);
}

const WORDS = "habe nun ach Philosophie Juristerei und Medizin leider auch " +
  "Theologie durchaus studiert mit heißem Bemühn da steh ich armer Tor";

const pick = (list: readonly string[]): string =>
  list[random.below(list.length)]!;

const json = fill(194_056, (index) =>
  `${
    JSON.stringify({
      id: index,
      name: pick(["Ann", "Bob", "Cy"]),
      score: random.below(1e6),
      tags: ["one", "two"].slice(random.below(2)),
    })
  },\n`);
const html = fill(
  263_527,
  (index) =>
    `<li class="item-${index % 7}"><a href="/page/${random.below(5000)}">` +
    `${pick(WORDS.replaceAll(/[^ a-z]/gi, "").split(" "))}</a></li>\n`,
);
const text = fill(222_218, () => `${pick(WORDS.split(" "))} `);
const bitmap = Uint8Array.from(
  { length: 263_222 },
  (_, at) => 128 + 90 * Math.sin(at / 900) + random.below(12),
);
/** Parts that are compressed already, between a few words. */
const pdf = new Uint8Array(1_042_328);
for (let at = 0; at < pdf.length; at += 4_096) {
  pdf.set(random.bytes(Math.min(4_000, pdf.length - at)), at);
  pdf.set(encoder.encode("endstream\nendobj\n").slice(0, pdf.length - at), at);
}

/** What Chromium offers: whatever is not named is free. */
const FREE = "permessage-deflate; client_max_window_bits";
/** What the suite offers in all cases of group 13. */
const OFFER = `permessage-deflate; client_no_context_takeover; ` +
  "client_max_window_bits";

/** Groups 12: data, and whether it is text. */
const KINDS: readonly (readonly [data: Uint8Array, isText: boolean])[] = [
  [json, true],
  [bitmap, false],
  [text, false],
  [html, true],
  [pdf, false],
];

/** Groups 13: what the offer adds, and what the answer says. */
const PARAMETERS: readonly (readonly [offer: string, answer: string])[] = [
  [OFFER, ""],
  [`${OFFER}; server_no_context_takeover`, "; client_no_context_takeover"],
  [`${OFFER}; server_max_window_bits=8`, "; client_max_window_bits=8"],
  [`${OFFER}; server_max_window_bits=15`, "; client_max_window_bits=15"],
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=8`,
    "; client_no_context_takeover; client_max_window_bits=8",
  ],
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=15`,
    "; client_no_context_takeover; client_max_window_bits=15",
  ],
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=8, ` +
    `${OFFER}; server_no_context_takeover, ${OFFER}`,
    "; client_no_context_takeover; client_max_window_bits=8",
  ],
];

type Agreed = Pick<DeflateCase, "data" | "isText" | "offer" | "answer">;

function group(name: string, agreed: Agreed): DeflateCase[] {
  return SIZES.map(([messageBytes, fragmentBytes], index) => ({
    ...agreed,
    id: `${name}.${index + 1}`,
    messageBytes,
    messages: Math.min(1_000, Math.max(2, CASE_BYTES / messageBytes)),
    fragmentBytes,
  }));
}

/** All cases, by group. */
export const deflateGroups: readonly (readonly [
  name: string,
  cases: readonly DeflateCase[],
])[] = [
  ...KINDS.map(([data, isText], index) => {
    const name = `12.${index + 1}`;
    const answer = "permessage-deflate";
    return [name, group(name, { data, isText, offer: FREE, answer })] as const;
  }),
  ...PARAMETERS.map(([offer, more], index) => {
    const name = `13.${index + 1}`;
    const answer = `permessage-deflate${more}`;
    const agreed = { data: json, isText: true, offer, answer };
    return [name, group(name, agreed)] as const;
  }),
];
