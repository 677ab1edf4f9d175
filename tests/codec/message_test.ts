import { rotateKey } from "../../codec/mask.ts";
import { type Message, MessageReader } from "../../codec/message.ts";
import type { MessageOptions } from "../../codec/message_rules.ts";
import { plainDecoding, type TextDecoding } from "../../codec/text_decoding.ts";
import type { MessageTransform } from "../../codec/transform.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { allocations } from "../harness/allocations.ts";
import { concat, hex, sameBytes } from "../harness/bytes.ts";
import { frame, type FrameOptions } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import { headerOf } from "./peer_frame.ts";

const MIB = 1_048_576;

function reader(options: Partial<MessageOptions> = {}): MessageReader {
  return new MessageReader({
    maxMessageBytes: MIB,
    maxFragments: 16_384,
    decoding: plainDecoding,
    cheapArrayBytes: 0,
    transform: undefined,
    ...options,
  });
}

/** Feeds one frame, its payload in pieces of `size`; returns the outcome. */
function feed(
  messages: MessageReader,
  options: FrameOptions,
  size = Infinity,
): Message | string | undefined {
  const bytes = frame(options);
  const header = headerOf(options);
  const refused = messages.admit(header);
  if (refused !== undefined) return `!${refused}`;
  const start = bytes.length - header.payloadBytes;
  let message: Message | undefined;
  if (size === Infinity && header.fin && messages.isWhole) {
    message = messages.takeWhole(
      bytes,
      start,
      bytes.length,
      header.maskKey,
      false,
    );
  } else {
    let key = header.maskKey;
    for (let at = start; at < bytes.length; at += size) {
      const end = Math.min(at + size, bytes.length);
      // Each piece in a chunk of its own, overwritten afterwards.
      const chunk = concat("<", bytes.subarray(at, end), ">");
      const ok = messages.append(chunk, 1, 1 + end - at, key);
      chunk.fill(0x21);
      if (!ok) return `!${messages.violation}`;
      key = rotateKey(key, end - at);
    }
    if (!header.fin) return undefined;
    message = messages.finish();
  }
  return message ?? `!${messages.violation}`;
}

/** Decodes, and notes how large the buffers are that texts lie in. */
function noting(sizes: number[]): TextDecoding {
  const note = (bytes: Uint8Array) => sizes.push(bytes.buffer.byteLength);
  return {
    ascii(bytes, start, end) {
      note(bytes);
      return plainDecoding.ascii(bytes, start, end);
    },
    utf8(bytes, start, end) {
      note(bytes);
      return plainDecoding.utf8(bytes, start, end);
    },
  };
}

const TEXTS = ["", "a", "Hello", "é€😀", "\ufeffBOM", "a".repeat(500) + "é"];

test("MessageReader delivers texts and bytes, whole and in pieces", () => {
  const random = seededRandom(1);
  for (const mask of [false, true]) {
    const messages = reader();
    for (const size of [Infinity, 1, 2, 3, 7, 100, 1000]) {
      for (const payload of [...TEXTS, "x".repeat(3_000)]) {
        const text = feed(messages, { payload, mask }, size);
        assertStrictEquals(text, payload, `pieces of ${size}`);
      }
      for (const length of [0, 1, 95, 96, 300, 2_048, 2_049, 9_000]) {
        const payload = random.bytes(length);
        const message = feed(
          messages,
          { opcode: "binary", payload, mask },
          size,
        );
        assert(message instanceof Uint8Array, `${message}`);
        assert(sameBytes(message, payload), `${length} in pieces of ${size}`);
      }
    }
  }
});

test("MessageReader puts fragments together", () => {
  for (const mask of [false, true]) {
    for (const size of [Infinity, 1, 3]) {
      const messages = reader();
      for (const opcode of ["text", "binary"] as const) {
        const parts = ["Hel", "", "lo, é", "€"];
        for (const payload of parts) {
          const first = payload === "Hel";
          const options: FrameOptions = {
            fin: false,
            opcode: first ? opcode : "continuation",
            payload,
            mask,
          };
          assertStrictEquals(feed(messages, options, size), undefined);
        }
        const last = { opcode: "continuation", payload: "!", mask } as const;
        const message = feed(messages, last, size);
        const expected = "Hello, é€!";
        if (opcode === "text") assertStrictEquals(message, expected);
        else assertEquals(message, concat(expected));
      }
    }
  }
});

test("FG-8: an empty first fragment, then data", () => {
  for (const opcode of ["text", "binary"] as const) {
    const messages = reader();
    feed(messages, { fin: false, opcode });
    assert(messages.append(new Uint8Array(0), 0, 0, 0));
    const message = feed(messages, { opcode: "continuation", payload: "a" });
    assertEquals(message, opcode === "text" ? "a" : concat("a"));
  }
});

test("FR-2: a message at the limit is delivered, one byte more is refused", () => {
  const messages = reader({ maxMessageBytes: 1000 });
  for (const opcode of ["text", "binary"] as const) {
    for (const size of [Infinity, 7]) {
      const message = feed(
        messages,
        { opcode, payload: "a".repeat(1000) },
        size,
      );
      assertStrictEquals((message as Message).length, 1000);
    }
  }
  const tooBig = { opcode: "binary", payload: "a".repeat(1001) } as const;
  assertStrictEquals(feed(messages, tooBig), "!message-too-big");
});

test("FR-1, FR-3: a header's promise allocates nothing", () => {
  const lengths = [2n ** 30n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n];
  for (const length of lengths) {
    const header = headerOf({ opcode: "binary", length });
    const limited = reader();
    const unlimited = reader({ maxMessageBytes: Infinity });
    const made = allocations(() => {
      assertStrictEquals(limited.admit(header), "message-too-big");
      assertStrictEquals(unlimited.admit(header), undefined);
    });
    assertEquals(made, []);
    const byte = Uint8Array.of(1);
    assertEquals(allocations(() => void unlimited.append(byte, 0, 1, 0)), [
      262_144,
    ]);
  }
});

test("FG-5: each message is counted anew, of one fragment or of two", () => {
  const messages = reader({ maxFragments: 2, maxMessageBytes: 2 });
  for (let round = 0; round < 100; round++) {
    for (const opcode of ["text", "binary"] as const) {
      feed(messages, { opcode, payload: "ab" });
      feed(messages, { opcode, payload: "ab" }, 1);
      feed(messages, { fin: false, opcode, payload: "a" });
      const message = feed(messages, { opcode: 0, payload: "b" });
      assertEquals(message, opcode === "text" ? "ab" : concat("ab"));
    }
  }
});

test("FG-2: fragments held open retain at most twice their bytes", () => {
  for (const fragmentBytes of [1, 3, 1000]) {
    const messages = reader({ maxMessageBytes: Infinity });
    const chunk = new Uint8Array(fragmentBytes).fill(0x61);
    const length = fragmentBytes;
    const next = headerOf({ fin: false, opcode: "continuation", length });
    let held = 0;
    let total = 0;
    messages.admit(headerOf({ fin: false, opcode: "binary", length }));
    for (let count = 1; count < 16_384 && total < 8 * MIB; count++) {
      const made = allocations(() => void messages.append(chunk, 0, length, 0));
      // Each array made here replaces the one before.
      assert(made.length <= 1);
      held = made[0] ?? held;
      total += fragmentBytes;
      assert(held <= 2 * total, `${held} bytes held for ${total}`);
      messages.admit(next);
    }
  }
});

test("FR-6: a message of 1 MiB in pieces of a byte holds 1 MiB", () => {
  const sizes: number[] = [];
  const messages = reader({ decoding: noting(sizes) });
  messages.admit(headerOf({ length: MIB }));
  const chunk = Uint8Array.of(0x61);
  const made = allocations(() => {
    for (let at = 0; at < MIB; at++) messages.append(chunk, 0, 1, 0);
  });
  // What an earlier text left may have served instead of the first two.
  assertEquals(made, [262_144, 524_288, MIB].slice(-made.length));
  assertStrictEquals(made.at(-1), MIB);
  assertStrictEquals(messages.finish(), "a".repeat(MIB));
  assertEquals(sizes, [MIB]);
});

test("a binary message from pieces pins at most twice its bytes", () => {
  for (const length of [1, 100, 5_000, 150_000, 262_145, 600_000, MIB]) {
    const messages = reader({ maxMessageBytes: 4 * MIB });
    const parts = 7;
    const part = Math.ceil(length / parts);
    let left = length;
    let message: Message | undefined | string;
    for (let index = 0; index < parts; index++) {
      const payload = new Uint8Array(Math.min(part, left)).fill(index);
      left -= payload.length;
      message = feed(messages, {
        fin: index === parts - 1,
        opcode: index === 0 ? "binary" : "continuation",
        payload,
      }, 4_000);
    }
    assert(message instanceof Uint8Array);
    assertStrictEquals(message.length, length);
    const pinned = message.buffer.byteLength;
    assert(pinned <= 2 * length, `${pinned} bytes for ${length}`);
  }
});

// The application may transfer what belongs to it, which detaches the buffer.
// One empty array that all connections shared then made every later message
// throw.
test("an empty message from fragments belongs to its receiver", () => {
  for (let round = 0; round < 2; round++) {
    const messages = reader();
    feed(messages, { fin: false, opcode: "binary" });
    const message = feed(messages, { opcode: "continuation" });
    assert(message instanceof Uint8Array && message.length === 0);
    structuredClone(message, { transfer: [message.buffer as ArrayBuffer] });
    assertStrictEquals(feed(messages, { payload: "ok" }, 1), "ok");
  }
});

test("UT-1, UT-2: invalid text is refused whole, in pieces, and in fragments", () => {
  const cases = ["ff", "c0 af", "ed a0 80", "f4 90 80 80", "41 80", "e2 82"];
  for (const bad of cases) {
    for (const mask of [false, true]) {
      const before = "a".repeat(100);
      const payload = concat(before, hex(bad));
      for (const size of [Infinity, 1, 2, 50]) {
        const options = { payload, mask };
        assertStrictEquals(feed(reader(), options, size), "!invalid-utf8", bad);
      }
      const messages = reader();
      assertStrictEquals(
        feed(messages, { fin: false, payload: before, mask }),
        undefined,
      );
      const last: FrameOptions = {
        opcode: "continuation",
        payload: hex(bad),
        mask,
      };
      assertStrictEquals(feed(messages, last, 1), "!invalid-utf8", bad);
      // Bytes need not be text.
      const binary = { opcode: "binary", payload, mask } as const;
      assertEquals(feed(reader(), binary, 3), payload);
    }
  }
});

test("UT-1: invalid text is refused on arrival of the bad byte", () => {
  const messages = reader();
  const bytes = hex("61 e2 82 41");
  messages.admit(headerOf({ length: 1000 }));
  for (let at = 0; at < 3; at++) assert(messages.append(bytes, at, at + 1, 0));
  assertStrictEquals(messages.append(bytes, 3, 4, 0), false);
  assertStrictEquals(messages.violation, "invalid-utf8");
});

test("reset() forgets a character that was cut off, too", () => {
  const messages = reader();
  messages.admit(headerOf({ fin: false }));
  assert(messages.append(hex("61 e2 82"), 0, 3, 0));
  messages.reset();
  assertStrictEquals(feed(messages, { payload: "aé€" }, 1), "aé€");
});

/** Restores "!…" by reversing; what begins otherwise fails. */
const reversing: MessageTransform = {
  decode(payload, maxBytes) {
    if (payload.length === 0) return new Uint8Array(0);
    if (payload[0] !== 0x21) return "invalid-deflate";
    const result = payload.slice(1).reverse();
    return result.length > maxBytes ? "message-too-big" : result;
  },
  encode: () => undefined,
};

test("MessageReader restores messages that carry RSV1", () => {
  for (const mask of [false, true]) {
    for (const size of [Infinity, 1, 3]) {
      const messages = reader({ transform: reversing, maxMessageBytes: 1000 });
      const compressed = { rsv: 4, mask };
      const text = { ...compressed, payload: "!olleH" };
      assertStrictEquals(feed(messages, text, size), "Hello");
      const binary = { ...text, opcode: "binary" } as const;
      assertEquals(feed(messages, binary, size), concat("Hello"));
      assertStrictEquals(feed(messages, compressed, size), "");
      // Reversed UTF-8 is not UTF-8, so it is not checked on the wire.
      const reversed = concat("!", concat("é€").reverse());
      const wide = { ...compressed, payload: reversed };
      assertStrictEquals(feed(messages, wide, size), "é€");
      assertStrictEquals(feed(messages, { payload: "plain", mask }), "plain");
      feed(messages, { ...compressed, fin: false, payload: "!ol" }, size);
      const last = { opcode: "continuation", payload: "leH", mask } as const;
      assertStrictEquals(feed(messages, last, size), "Hello");
    }
  }
});

test("MessageReader reports what a transform finds, and text it makes invalid", () => {
  const options = { transform: reversing, maxMessageBytes: 1000 };
  const cases: [payload: Uint8Array, reason: string][] = [
    [concat("no"), "!invalid-deflate"],
    [concat("!", "a".repeat(1001)), "!message-too-big"],
    [concat("!", hex("ff")), "!invalid-utf8"],
    [concat("!", hex("82 e2")), "!invalid-utf8"],
    [concat("a".repeat(1066)), "!message-too-big"],
  ];
  for (const [payload, reason] of cases) {
    assertStrictEquals(feed(reader(options), { rsv: 4, payload }), reason);
  }
});

test("a transform may lend what becomes a text, and gives bytes away", () => {
  const shared = new Uint8Array(100);
  const lending: MessageTransform = {
    ...reversing,
    decode(payload, _maxBytes, mayLend) {
      const bytes = payload.slice().reverse();
      if (!mayLend) return bytes;
      shared.fill(0);
      shared.set(bytes, 3);
      return shared.subarray(3, 3 + bytes.length);
    },
  };
  const messages = reader({ transform: lending });
  const binary = { rsv: 4, opcode: "binary", payload: "fed" } as const;
  const kept = feed(messages, binary);
  assertStrictEquals(feed(messages, { rsv: 4, payload: "cba" }), "abc");
  const wide = concat("é€").reverse();
  assertStrictEquals(feed(messages, { rsv: 4, payload: wide }), "é€");
  assertEquals(kept, concat("def"));
});

test("decoding is told ASCII from other text, and where it lies", () => {
  const calls: string[] = [];
  const decoding: TextDecoding = {
    ascii(bytes, start, end) {
      calls.push(`ascii ${end - start}`);
      return plainDecoding.ascii(bytes, start, end);
    },
    utf8(bytes, start, end) {
      calls.push(`utf8 ${end - start}`);
      return plainDecoding.utf8(bytes, start, end);
    },
  };
  for (const size of [Infinity, 2]) {
    const messages = reader({ decoding });
    feed(messages, { payload: "abc" }, size);
    feed(messages, { payload: "aé", mask: true }, size);
    feed(messages, { payload: "abc", mask: true }, size);
  }
  const round = ["ascii 3", "utf8 3", "ascii 3"];
  assertEquals(calls, [...round, ...round]);
});

test("what a long text was put together in serves the next one", () => {
  const buffers = new Set<ArrayBufferLike>();
  const decoding: TextDecoding = {
    ...plainDecoding,
    ascii(bytes, start, end) {
      buffers.add(bytes.buffer);
      return plainDecoding.ascii(bytes, start, end);
    },
  };
  const long = "a".repeat(100_000);
  for (let round = 0; round < 3; round++) {
    const messages = reader({ decoding });
    assertStrictEquals(feed(messages, { payload: long }, 50_000), long);
    const other = {
      opcode: "binary" as const,
      payload: new Uint8Array(90_000),
    };
    const message = feed(messages, other, 50_000);
    // What an application gets is its own.
    assert(message instanceof Uint8Array && !buffers.has(message.buffer));
  }
  assertStrictEquals(buffers.size, 1);
});
