import { Buffer } from "node:buffer";
import { Output } from "../../codec/output.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, hex, sameBytes, toHex } from "../harness/bytes.ts";
import { frame, parseFrame, parseFrames } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import { BINARY, payload, SEED, takeAll, TEXT } from "./output/written.ts";

test("Output.take() returns nothing where there is nothing", () => {
  const output = new Output(false);
  assertStrictEquals(output.take(), undefined);
  assertStrictEquals(output.byteLength, 0);
});

test("many small frames leave in one chunk", () => {
  const output = new Output(false);
  const expected = [];
  for (let index = 0; index < 500; index++) {
    output.writeText(TEXT, `message ${index}`);
    expected.push(frame({ payload: `message ${index}` }));
    output.writeFrame(BINARY, payload(index % 60), false);
    expected.push(frame({ opcode: "binary", payload: payload(index % 60) }));
  }
  const bytes = concat(...expected);
  assertStrictEquals(output.byteLength, bytes.length);
  const chunks = takeAll(output);
  assertStrictEquals(chunks.length, 1);
  assert(sameBytes(chunks[0]!, bytes));
  assertStrictEquals(output.byteLength, 0);
});

test("the examples of RFC 6455, section 5.7", () => {
  const output = new Output(false);
  output.writeText(TEXT, "Hello");
  assertEquals(output.take(), hex("81 05 48 65 6c 6c 6f"));
  output.writeText(0x01, "Hel");
  output.writeText(0x80, "lo");
  assertEquals(output.take(), hex("01 03 48 65 6c 80 02 6c 6f"));
});

test("chunks hold at most 64 KiB unless a payload stands by reference", () => {
  for (const masked of [false, true]) {
    const output = new Output(masked);
    const part = payload(1_000);
    for (let index = 0; index < 300; index++) {
      output.writeFrame(BINARY, part, false);
    }
    const chunks = takeAll(output);
    assert(chunks.length <= 6, `${chunks.length} chunks`);
    assert(chunks.every((chunk) => chunk.length <= 65_536));
    const frames = parseFrames(concat(...chunks));
    assertStrictEquals(frames.length, 300);
    assert(frames.every((one) => sameBytes(one.payload, part)));
  }
});

test("payloads around the borders of the length forms", () => {
  const lengths = [0, 1, 31, 32, 33, 124, 125, 126, 127, 2_034, 2_035, 49_151];
  for (const length of [...lengths, 49_152, 65_534, 65_535, 65_536, 65_537]) {
    for (const masked of [false, true]) {
      const output = new Output(masked);
      output.writeFrame(BINARY, payload(length), false);
      const bytes = concat(...takeAll(output));
      const [parsed] = parseFrames(bytes);
      const mask = parsed!.maskKey ?? false;
      assertStrictEquals(mask !== false, masked);
      const expected = frame({
        opcode: "binary",
        mask,
        payload: payload(length),
      });
      assert(sameBytes(bytes, expected), `${length}, masked ${masked}`);
    }
  }
});

test("a server sends a long payload by reference, a short one as a copy", () => {
  const output = new Output(false);
  const long = payload(49_152);
  const before = long.slice();
  output.writeFrame(TEXT, payload(3), false);
  output.writeFrame(BINARY, long, false);
  output.writeFrame(TEXT, payload(4), false);
  assertStrictEquals(output.byteLength, 5 + 4 + 49_152 + 6);
  assertEquals(
    output.take(),
    concat(frame({ payload: payload(3) }), hex("82 7e c0 00")),
  );
  assertStrictEquals(output.take(), long);
  assertEquals(output.take(), frame({ payload: payload(4) }));
  assertStrictEquals(output.take(), undefined);
  assert(sameBytes(long, before), "the payload was changed");

  const short = payload(49_151);
  output.writeFrame(BINARY, short, false);
  short.fill(0);
  const sent = parseFrame(output.take()!)!.payload;
  assert(sameBytes(sent, payload(49_151)), "a short payload was not copied");
});

// `Buffer.prototype.slice` returns a view, not a copy.
test("AP-3: a client never changes the application's bytes", () => {
  for (const length of [1, 100, 49_151, 49_152, 70_001, 600_001]) {
    const array = payload(length + 8);
    const before = array.slice();
    const kinds = [
      array,
      array.subarray(3, 3 + length),
      Buffer.from(array.buffer),
      Buffer.from(array.buffer, 4, length),
    ];
    for (const bytes of kinds) {
      const output = new Output(true);
      output.writeFrame(BINARY, bytes, false);
      const sent = parseFrame(concat(...takeAll(output)))!;
      assert(sameBytes(sent.payload, bytes), `${length}: wrong payload`);
      assert(sameBytes(array, before), `${length}: the array was changed`);
    }
  }
});

test("a client sends a long payload in one write with its header", () => {
  const output = new Output(true);
  for (const length of [49_152, 65_536, 262_147, 524_288]) {
    const long = payload(length);
    output.writeFrame(BINARY, long, false);
    const sent = parseFrame(output.take()!)!;
    assert(sameBytes(sent.payload, long), `${length}`);
    assertStrictEquals(output.take(), undefined);
  }
  for (let index = 0; index < 4; index++) {
    output.writeFrame(BINARY, payload(16_384), false);
  }
  assertStrictEquals(parseFrames(output.take()!).length, 4);
});

test("a client masks a payload of its own in place", () => {
  const output = new Output(true);
  const own = payload(60_000);
  const before = own.slice();
  output.writeFrame(BINARY, own, true);
  const head = output.take()!.slice();
  assertStrictEquals(output.take(), own);
  assert(sameBytes(parseFrame(concat(head, own))!.payload, before));
});

test("AP-3: memory that may shrink or change hands is copied", () => {
  for (const length of [49_152, 65_000, 65_536, 100_000]) {
    for (const masked of [false, true]) {
      const resizable = new ArrayBuffer(length, { maxByteLength: 2 * length });
      const shared = new SharedArrayBuffer(length);
      for (const buffer of [resizable, shared]) {
        const bytes = new Uint8Array(buffer);
        bytes.set(payload(length));
        const output = new Output(masked);
        output.writeFrame(BINARY, bytes, false);
        assert(sameBytes(bytes, payload(length)), "the bytes were changed");
        bytes.fill(0);
        const sent = parseFrame(concat(...takeAll(output)))!;
        assert(sameBytes(sent.payload, payload(length)), `${length}`);
      }
    }
  }
});

test("each masked frame has a key of its own", () => {
  const output = new Output(true);
  for (let index = 0; index < 50; index++) {
    output.writeText(TEXT, "same");
    output.writeFrame(BINARY, payload(60_000), false);
  }
  const keys = parseFrames(concat(...takeAll(output)))
    .map(({ maskKey }) => toHex(maskKey!));
  assertStrictEquals(keys.length, 100);
  assertStrictEquals(new Set(keys).size, 100);
});

test("a chunk stays as it is until the next take()", () => {
  const output = new Output(false);
  const others = [new Output(false), new Output(true)];
  for (const length of [10, 3_000, 20_000]) {
    output.writeFrame(BINARY, payload(length), false);
    const chunk = output.take()!;
    const before = chunk.slice();
    for (const busy of [output, ...others]) {
      for (let index = 0; index < 30; index++) {
        busy.writeFrame(BINARY, payload(length, 7), false);
        busy.writeText(TEXT, "x".repeat(100));
      }
    }
    for (const busy of others) takeAll(busy);
    assert(sameBytes(chunk, before), `${length}: the chunk was overwritten`);
    takeAll(output);
  }
});

test("blocks are used again once their bytes have left", () => {
  for (const length of [10, 3_000]) {
    const output = new Output(false);
    output.writeFrame(BINARY, payload(length), false);
    const { buffer } = output.take()!;
    assertStrictEquals(output.take(), undefined);
    const other = new Output(false);
    other.writeFrame(BINARY, payload(length), false);
    const second = other.take()!;
    assertStrictEquals(second.buffer, buffer);
    assert(sameBytes(parseFrame(second)!.payload, payload(length)));
    other.take();
  }
});

test("a block that stood before a long payload is used again, too", () => {
  const output = new Output(false);
  output.writeFrame(BINARY, payload(10), false);
  output.writeRaw(payload(49_152));
  const { buffer } = output.take()!;
  output.take();
  assertStrictEquals(output.take(), undefined);
  const other = new Output(false);
  other.writeFrame(BINARY, payload(10), false);
  assertStrictEquals(other.take()!.buffer, buffer);
  other.take();
});

test("blocks that many connections held at once are not all kept", () => {
  for (const [length, mostKept] of [[10, 256], [3_000, 32]] as const) {
    const hold = (count: number) => {
      const outputs = Array.from({ length: count }, () => new Output(false));
      for (const output of outputs) {
        output.writeFrame(BINARY, payload(length), false);
      }
      const buffers = new Set(outputs.map((output) => output.take()!.buffer));
      assertStrictEquals(buffers.size, count, "two outputs share a block");
      for (const output of outputs) output.take();
      return buffers;
    };
    const before = hold(300);
    const kept = [...hold(300)].filter((buffer) => before.has(buffer));
    assertStrictEquals(kept.length, mostKept);
  }
});

test("clear() drops what has not been taken, and only that", () => {
  const output = new Output(false);
  output.writeText(TEXT, "taken");
  const chunk = output.take()!;
  output.writeText(TEXT, "dropped");
  output.writeRaw(payload(50_000));
  output.writeText(TEXT, "dropped");
  output.clear();
  assertStrictEquals(output.byteLength, 0);
  assertEquals(chunk, frame({ payload: "taken" }));
  assertStrictEquals(output.take(), undefined);
  output.writeRaw(payload(10));
  output.clear();
  assertStrictEquals(output.take(), undefined);
  // It can go on, whatever comes first.
  output.writeText(TEXT, "small");
  assertEquals(takeAll(output), [frame({ payload: "small" })]);
  output.writeText(TEXT, "dropped");
  output.clear();
  output.writeRaw(payload(50_000));
  output.writeText(TEXT, "small");
  assertEquals(takeAll(output).map(({ length }) => length), [50_000, 7]);
});

test("many parts leave in order", () => {
  const output = new Output(false);
  const long = payload(49_152);
  const expected = [];
  let seen = 0;
  for (let index = 0; index < 300; index++) {
    output.writeText(TEXT, `${index}`);
    output.writeRaw(long);
    expected.push(`${index}`);
    // Taking and writing in turns leaves fewer parts than were written.
    if (index % 3 !== 0) continue;
    const chunk = output.take()!;
    if (chunk !== long) {
      const text = new TextDecoder().decode(parseFrame(chunk)!.payload);
      assertStrictEquals(text, expected[seen++]);
    }
  }
  for (let chunk = output.take(); chunk; chunk = output.take()) {
    if (chunk === long) continue;
    const text = new TextDecoder().decode(parseFrame(chunk)!.payload);
    assertStrictEquals(text, expected[seen++]);
  }
  assertStrictEquals(seen, 300);
  assertStrictEquals(output.byteLength, 0);
});

test("any mix of writes comes out whole and in order", () => {
  for (let seed = SEED; seed < SEED + 60; seed++) {
    const random = seededRandom(seed);
    const masked = seed % 2 === 0;
    const output = new Output(masked);
    const expected: Uint8Array[] = [];
    const chunks: Uint8Array[] = [];
    for (let step = 0; step < 80; step++) {
      const most = [20, 300, 5_000, 70_000][random.below(4)]!;
      const bytes = payload(random.below(most), seed);
      const kind = random.below(5);
      if (kind === 4) {
        const raw = frame({ opcode: "binary", mask: masked, payload: bytes });
        output.writeRaw(raw);
        expected.push(bytes);
      } else if (kind === 0) {
        const text = "aé€"[random.below(3)]!.repeat(bytes.length / 3);
        output.writeText(TEXT, text);
        expected.push(concat(text));
      } else if (kind === 1) {
        output.writeFrame(BINARY, bytes.slice(), true);
        expected.push(bytes);
      } else if (kind === 2) {
        output.writeFrame(BINARY, bytes, false);
        expected.push(bytes);
      } else {
        const taken = output.take();
        if (taken !== undefined) chunks.push(taken.slice());
      }
    }
    const waiting = output.byteLength;
    const rest = concat(...takeAll(output));
    assertStrictEquals(rest.length, waiting, `byteLength, seed ${seed}`);
    const frames = parseFrames(concat(...chunks, rest));
    assertStrictEquals(frames.length, expected.length, `seed ${seed}`);
    for (const [index, one] of frames.entries()) {
      assertStrictEquals(one.maskKey !== undefined, masked);
      assert(sameBytes(one.payload, expected[index]!), `seed ${seed}`);
    }
  }
});

test("AP-1: a payload that is given away too early leaves the framing whole", () => {
  const output = new Output(false);
  const bytes = payload(60_000);
  output.writeFrame(BINARY, bytes, false);
  output.writeFrame(BINARY, payload(3), false);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  const frames = parseFrames(concat(...takeAll(output)));
  assertEquals(frames.map((frame) => frame.payload.length), [60_000, 3]);
  assert(
    frames[0]!.payload.every((byte) => byte === 0),
    "zeros take its place",
  );
});

test("AB23: what headers take beyond the shortest is counted, by each way in", () => {
  for (const masked of [false, true]) {
    for (
      const [length, more] of [[125, 0], [126, 2], [65_535, 2], [65_536, 8]]
    ) {
      const bytes = new Uint8Array(length!);
      const writes: ((output: Output) => void)[] = [
        (output) => output.writeFrame(BINARY, bytes, false),
        (output) => output.writeFrame(BINARY, bytes.slice(), true),
        (output) => output.writeText(TEXT, "a".repeat(length!)),
        // Longer in bytes than in characters.
        (output) => output.writeText(TEXT, `ä${"a".repeat(length! - 2)}`),
        (output) => output.writeRaw(frame({ payload: bytes })),
      ];
      for (const [index, write] of writes.entries()) {
        const output = new Output(masked);
        write(output);
        write(output);
        const what = `${masked} ${length} ${index}`;
        assertStrictEquals(output.longHeaderBytes, more! * 2, what);
        const waiting = output.byteLength;
        const taken = concat(...takeAll(output)).length;
        assertStrictEquals(taken, waiting, what);
        assertStrictEquals(output.takenBytes, taken, what);
        write(output);
        output.clear();
        assertStrictEquals(output.takenBytes, taken * 1.5, what);
      }
    }
  }
});
