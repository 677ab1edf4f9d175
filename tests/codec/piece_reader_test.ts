import type { ProtocolEvent } from "../../codec/event.ts";
import { FrameHeader, type Role } from "../../codec/frame.ts";
import type { MessageOptions } from "../../codec/message_rules.ts";
import {
  beginOf,
  type PendingEvent,
  PieceReader,
} from "../../codec/piece_reader.ts";
import { plainDecoding } from "../../codec/text_decoding.ts";
import type { MessageTransform, PieceDecoder } from "../../codec/transform.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, hex } from "../harness/bytes.ts";
import { frame, type FrameOptions, MASK_KEY } from "../harness/frame.ts";

const ROLE: Role = "client";

/** Restores `n` as n bytes of "x" at most `step` at a time, and 255 as a failure. */
class Repeater implements PieceDecoder {
  readonly #step: number;
  #left = 0;
  #fails = false;

  constructor(step: number) {
    this.#step = step;
  }

  push(payload: Uint8Array): void {
    for (const byte of payload) {
      this.#left += byte;
      this.#fails ||= byte === 255;
    }
  }

  pull(): Uint8Array | "invalid-deflate" | undefined {
    if (this.#fails) return "invalid-deflate";
    const bytes = Math.min(this.#left, this.#step);
    this.#left -= bytes;
    return bytes === 0 ? undefined : new Uint8Array(bytes).fill(120);
  }
}

/** Gives back what it is pushed, as it is. */
class Same implements PieceDecoder {
  #payload: Uint8Array = new Uint8Array(0);

  push(payload: Uint8Array): void {
    this.#payload = payload;
  }

  pull(): Uint8Array | undefined {
    const payload = this.#payload;
    this.#payload = new Uint8Array(0);
    return payload.length === 0 ? undefined : payload;
  }
}

function transformOf(decoder: () => PieceDecoder): MessageTransform {
  return {
    decode: () => "invalid-deflate",
    encode: () => undefined,
    decodePieces: decoder,
  };
}

function reader(options: Partial<MessageOptions> = {}): PieceReader {
  return new PieceReader({
    maxMessageBytes: 1000,
    maxFragments: 100,
    decoding: plainDecoding,
    cheapArrayBytes: 0,
    ...options,
  });
}

function header(options: FrameOptions): FrameHeader {
  const read = new FrameHeader(ROLE, true);
  read.read(frame(options), 0);
  assert(read.complete);
  return read;
}

/** Takes a frame's payload in one part. */
function feed(pieces: PieceReader, options: FrameOptions): PendingEvent[] {
  const read = header(options);
  assertStrictEquals(pieces.admit(read), undefined);
  const payload = concat(options.payload ?? "");
  const { fin = true } = options;
  const { length } = payload;
  const piece = pieces.take(payload, 0, length, 0, false, fin);
  const begin = options.opcode === "continuation" ? [] : [beginOf(read)];
  const end: ProtocolEvent = { type: "message-end" };
  const ends = fin && pieces.violation === undefined;
  return [...begin, ...present(piece), ...present(ends ? end : undefined)];
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function short(events: readonly ProtocolEvent[]): unknown[] {
  return events.map((event) => {
    if (event.type === "message-begin") return event.binary ? "bytes" : "text";
    if (event.type !== "message-chunk") return event.type;
    return typeof event.data === "string" ? event.data : event.data.length;
  });
}

test("bytes and text become pieces as they come", () => {
  const pieces = reader();
  assertStrictEquals(pieces.isUnderWay, false);
  const events = [
    ...feed(pieces, { payload: "ab", fin: false }),
    ...feed(pieces, { opcode: "continuation", payload: "c" }),
    ...feed(pieces, { opcode: "binary", payload: new Uint8Array(3) }),
    ...feed(pieces, { payload: "" }),
  ];
  assertEquals(short(pieces.takeEvents(events)), [
    ...["text", "ab", "c", "message-end"],
    ...["bytes", 3, "message-end"],
    ...["text", "message-end"],
  ]);
  assertEquals(pieces.takeEvents(undefined), []);
});

test("what is masked is unmasked, from any byte of the key on", () => {
  const pieces = reader();
  pieces.admit(header({ opcode: "binary" }));
  const key = new DataView(MASK_KEY.buffer).getInt32(0, true);
  const bytes = pieces.take(MASK_KEY.slice(), 0, 4, key, false, true);
  assertEquals(bytes, { type: "message-chunk", data: new Uint8Array(4) });
  pieces.admit(header({}));
  const text = pieces.take(
    MASK_KEY.map((byte) => byte ^ 0x61),
    0,
    4,
    key,
    true,
    true,
  );
  assertEquals(text, { type: "message-chunk", data: "aaaa" });
});

test("UT-1: a character that is cut is no piece, and a bad one a violation", () => {
  const pieces = reader();
  pieces.admit(header({ fin: false }));
  assertStrictEquals(
    pieces.take(hex("e2 82"), 0, 2, 0, false, false),
    undefined,
  );
  assertEquals(pieces.take(hex("ac"), 0, 1, 0, false, false), {
    type: "message-chunk",
    data: "€",
  });
  assertStrictEquals(pieces.take(hex("ff"), 0, 1, 0, false, false), undefined);
  assertStrictEquals(pieces.violation, "invalid-utf8");
});

test("UT-1: a text that ends in a character that is cut is a violation", () => {
  const whole = reader();
  assertEquals(
    short(whole.takeEvents(feed(whole, { payload: hex("61 c3") }))),
    ["text", "a"],
  );
  assertStrictEquals(whole.violation, "invalid-utf8");

  const empty = reader();
  feed(empty, { payload: hex("61 c3"), fin: false });
  feed(empty, { opcode: "continuation", fin: false });
  assertStrictEquals(empty.violation, undefined);
  feed(empty, { opcode: "continuation" });
  assertStrictEquals(empty.violation, "invalid-utf8");

  const more = reader();
  feed(more, { payload: hex("61 c3"), fin: false });
  feed(more, { opcode: "continuation", fin: false });
  const last = feed(more, { opcode: "continuation", payload: hex("a9") });
  assertEquals(short(more.takeEvents(last)), ["é", "message-end"]);
});

test("FG-1, FG-4: the limits hold for pieces too", () => {
  const bytes = reader({ maxMessageBytes: 4 });
  feed(bytes, { payload: "abc", fin: false });
  assertStrictEquals(
    bytes.admit(header({ opcode: "continuation", payload: "de" })),
    "message-too-big",
  );
  const fragments = reader({ maxFragments: 1 });
  feed(fragments, { fin: false });
  assertStrictEquals(
    fragments.admit(header({ opcode: "continuation" })),
    "too-many-fragments",
  );
});

test("what is compressed is restored when its turn comes, a piece at a time", () => {
  const transform = transformOf(() => new Repeater(4));
  const pieces = reader({ transform });
  assert(pieces.takes(header({ rsv: 4 })));
  const ping: ProtocolEvent = { type: "ping", payload: new Uint8Array(0) };
  const rsv = 4;
  const arrived = [
    ...feed(pieces, { rsv, payload: Uint8Array.of(5, 2), fin: false }),
    ...feed(pieces, { opcode: "continuation", payload: "", fin: false }),
    ping,
    ...feed(pieces, { opcode: "continuation", payload: Uint8Array.of(1) }),
    ...feed(pieces, { rsv, opcode: "binary", payload: Uint8Array.of(9) }),
  ];
  const batches = [short(pieces.takeEvents(arrived))];
  assertStrictEquals(pieces.pendingEvents, arrived.length - 1);
  for (;;) {
    const events = short(pieces.takeEvents(undefined));
    if (events.length === 0) break;
    batches.push(events);
  }
  assertEquals(batches, [
    ["text"],
    ["xxxx"],
    ["xxx"],
    ["ping"],
    ["x"],
    ["message-end", "bytes"],
    [4],
    [4],
    [1],
    ["message-end"],
  ]);
  assertStrictEquals(pieces.pendingEvents, 0);
});

test("what is compressed keeps no chunk while it waits", () => {
  const pieces = reader({ transform: transformOf(() => new Repeater(4)) });
  pieces.admit(header({ rsv: 4 }));
  const chunk = new Uint8Array(3_000);
  const piece = pieces.take(chunk, 0, 3_000, 0, true, true);
  assert(piece?.type === "compressed" && piece.payload.length === 3_000);
  assert(piece.payload.buffer !== chunk.buffer);
  // Bytes that are delivered at once may stay where they are.
  pieces.admit(header({ opcode: "binary" }));
  const bytes = pieces.take(chunk, 0, 3_000, 0, true, true);
  assert(bytes?.type === "message-chunk" && typeof bytes.data !== "string");
  assertStrictEquals(bytes.data.buffer, chunk.buffer);
});

test("what arrives meanwhile comes after what waits", () => {
  const pieces = reader({ transform: transformOf(() => new Repeater(4)) });
  const arrived = feed(pieces, {
    rsv: 4,
    payload: Uint8Array.of(6),
    fin: false,
  });
  assertEquals(short(pieces.takeEvents(arrived)), ["text"]);
  const more = feed(pieces, {
    opcode: "continuation",
    payload: Uint8Array.of(1),
  });
  assertEquals(short(pieces.takeEvents(more)), ["xxxx"]);
  assertEquals(short(pieces.takeEvents(undefined)), ["xx"]);
  assertEquals(short(pieces.takeEvents(undefined)), ["x"]);
  assertEquals(short(pieces.takeEvents(undefined)), ["message-end"]);
});

test("a limit holds for what is restored, and one message at a time", () => {
  const transform = transformOf(() => new Repeater(4));
  const pieces = reader({ transform, maxMessageBytes: 8 });
  const full = () => feed(pieces, { rsv: 4, payload: Uint8Array.of(8) });
  const arrived = [
    ...full(),
    ...full(),
    ...feed(pieces, { rsv: 4, payload: Uint8Array.of(9) }),
    ...full(),
  ];
  const seen: unknown[] = short(pieces.takeEvents(arrived));
  while (pieces.violation === undefined) {
    seen.push(...short(pieces.takeEvents(undefined)));
  }
  const whole = ["text", "xxxx", "xxxx", "message-end"];
  assertEquals(seen, [...whole, ...whole, "text", "xxxx", "xxxx"]);
  assertStrictEquals(pieces.violation, "message-too-big");
  pieces.violation = undefined;
  assertEquals(pieces.takeEvents(undefined), []);
});

test("what cannot be restored, or is no text then, is a violation", () => {
  const fails = reader({ transform: transformOf(() => new Repeater(4)) });
  const arrived = feed(fails, { rsv: 4, payload: Uint8Array.of(255) });
  assertEquals(short(fails.takeEvents(arrived)), ["text"]);
  assertEquals(fails.takeEvents(undefined), []);
  assertStrictEquals(fails.violation, "invalid-deflate");

  for (const payload of [hex("61 ff"), hex("c3")]) {
    const pieces = reader({ transform: transformOf(() => new Same()) });
    const arrived = feed(pieces, { rsv: 4, payload });
    assertEquals(short(pieces.takeEvents(arrived)), ["text"]);
    assertEquals(pieces.takeEvents(undefined), []);
    assertStrictEquals(pieces.violation, "invalid-utf8");
  }
});

test("a character that restored pieces cut stays whole", () => {
  const pieces = reader({ transform: transformOf(() => new Same()) });
  const arrived = [
    ...feed(pieces, { rsv: 4, payload: hex("f0 9f"), fin: false }),
    ...feed(pieces, { opcode: "continuation", payload: hex("90 9f") }),
  ];
  assertEquals(short(pieces.takeEvents(arrived)), ["text"]);
  assertEquals(short(pieces.takeEvents(undefined)), ["🐟"]);
  assertEquals(short(pieces.takeEvents(undefined)), ["message-end"]);
});

test("without what restores pieces a compressed message is not for it", () => {
  const pieces = reader();
  assertStrictEquals(pieces.takes(header({ rsv: 4 })), false);
  assertStrictEquals(pieces.takes(header({})), true);
});
