/** Messages inflated piece by piece, against what zlib makes of them. */
import {
  constants,
  deflateRawSync,
  inflateRawSync,
  type ZlibOptions,
} from "node:zlib";
import {
  makeDeflate,
  type MessageDeflate,
} from "../../runtime/message_deflate.ts";
import { History } from "../../runtime/deflate_history.ts";
import { PieceInflater } from "../../runtime/piece_inflater.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, hex, sameBytes, toHex } from "../harness/bytes.ts";
import { type Random, seededRandom } from "../harness/random.ts";

const MAX_PIECE_BYTES = 65_536 + 258;

/** Inflates a payload that comes in parts of random lengths. */
function inflateParts(
  inflater: PieceInflater,
  payload: Uint8Array,
  partBytes: () => number,
): Uint8Array | string {
  const pieces: Uint8Array[] = [];
  let at = 0;
  do {
    const end = Math.min(at + partBytes(), payload.length);
    inflater.push(payload.slice(at, end), end === payload.length);
    at = end;
    for (let piece; (piece = inflater.pull()) !== undefined;) {
      if (typeof piece === "string") return piece;
      assert(piece.length > 0 && piece.length <= MAX_PIECE_BYTES);
      pieces.push(piece);
    }
  } while (at < payload.length);
  return concat(...pieces);
}

/** Bytes that compress well, badly, or not at all. */
function sample(random: Random, length: number, kind: number): Uint8Array {
  const bytes = random.bytes(length);
  if (kind === 0) return bytes;
  if (kind === 1) return bytes.map((byte) => 97 + (byte & 3));
  if (kind === 2) return bytes.map((_, i) => i >> 5);
  // Some of it is worth a block without compression between the others.
  if (kind === 4) return bytes.map((byte, i) => (i >> 9) & 1 ? byte : 97);
  for (let i = 40; i < length; i++) {
    if (bytes[i]! < 240) bytes[i] = bytes[i - 37]!;
  }
  return bytes;
}

/** Compresses as peers do, with a last block or without. */
function deflated(message: Uint8Array, options: ZlibOptions): Uint8Array {
  const { finishFlush = constants.Z_SYNC_FLUSH } = options;
  const bytes = deflateRawSync(message, { ...options, finishFlush });
  const end = finishFlush === constants.Z_FINISH ? undefined : -4;
  return new Uint8Array(bytes.subarray(0, end));
}

function inflater(bits = 15, keepsContext = false): PieceInflater {
  return new PieceInflater(new History(bits), keepsContext);
}

test("PM-7, PM-10: whatever zlib makes is restored, however it arrives", () => {
  const random = seededRandom(0x1f1);
  for (const windowBits of [9, 12, 15]) {
    const subject = inflater(windowBits);
    for (let round = 0; round < 120; round++) {
      const length = random.below(round % 20 === 0 ? 200_000 : 2_000);
      const message = sample(random, length, round % 5);
      const payload = deflated(message, {
        windowBits,
        level: (round >> 1) % 10,
        strategy: round % 5,
        memLevel: 1 + round % 9,
        finishFlush: round % 3 === 0
          ? constants.Z_FINISH
          : constants.Z_SYNC_FLUSH,
      });
      const most = [100, 1, 5_000, 1_000_000][round % 4]!;
      const partBytes = () => 1 + random.below(most);
      const result = inflateParts(subject, payload, partBytes);
      assert(typeof result !== "string", `round ${round}: ${result}`);
      assert(sameBytes(result, message), `round ${round} differs`);
    }
  }
});

test("PM-10: one message is the context of the next, whole or in pieces", () => {
  const random = seededRandom(0x1f2);
  for (const bits of [9, 12, 15]) {
    const terms = {
      serverMaxWindowBits: bits,
      clientMaxWindowBits: bits,
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
    };
    const settings = { thresholdBytes: 0, level: 6, memoryLevel: 8 };
    const near: MessageDeflate = makeDeflate("server", terms, settings);
    const far = makeDeflate("client", terms, settings);
    let subject: PieceInflater | undefined;
    for (let round = 0; round < 100; round++) {
      const message = sample(random, random.below(3_000), 1 + round % 3);
      const payload = far.encode(message);
      if (payload === undefined) continue;
      if (round === 20) {
        subject = near.decodePieces();
        // What it needs of it, it has.
        near.release();
      }
      const result = subject === undefined
        ? near.decode(payload, Infinity)
        : inflateParts(subject, payload, () => 1 + random.below(100));
      assert(typeof result !== "string", `round ${round}: ${result}`);
      assert(sameBytes(result, message), `round ${round} differs`);
    }
  }
});

test("PM-10: without takeover nothing of a message is context of the next", () => {
  const terms = {
    serverMaxWindowBits: 12,
    clientMaxWindowBits: 12,
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
  };
  const settings = { thresholdBytes: 0, level: 6, memoryLevel: 8 };
  const text = concat("what is said twice is context, ".repeat(3));
  for (const keepsContext of [true, false]) {
    const far = makeDeflate("client", terms, settings);
    const subject = inflater(12, keepsContext);
    const results = [text, text].map((message) =>
      inflateParts(subject, far.encode(message)!, () => 10)
    );
    assertEquals(results, [text, keepsContext ? text : "invalid-deflate"]);
  }
});

/** Joins bits as DEFLATE has them: numbers from their lowest bit on. */
function bitsOf(...fields: readonly (readonly [number, number])[]): Uint8Array {
  const bits = fields.flatMap(([value, count]) =>
    Array.from({ length: count }, (_, bit) => value >> bit & 1)
  );
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, index) => bytes[index >> 3]! |= bit << (index & 7));
  return bytes;
}

test("PM-8: repeats of a block's code lengths stay within them", () => {
  // Lengths of the codes 17, 18 and 1: 10, 11 and 0, turned round.
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1];
  const [one, few, many] = [[0, 1], [1, 2], [3, 2]] as const;
  const block = (distances: number) =>
    bitsOf(
      ...[[4, 3], [0, 5], [distances - 1, 5], [14, 4]] as const,
      ...order.map((symbol) =>
        [symbol === 1 ? 1 : symbol === 17 || symbol === 18 ? 2 : 0, 3] as const
      ),
      // 65 zeros, a 1 for "A", 190 zeros, a 1 for the end, and three zeros.
      ...[many, [54, 7], one, many, [127, 7], many, [41, 7], one] as const,
      ...[few, [0, 3]] as const,
      // "AA", the end, and the block that the trailer ends.
      ...[[0, 1], [0, 1], [1, 1], [0, 3]] as const,
    );
  const results = [3, 2, 1].map((distances) =>
    inflateParts(inflater(), block(distances), () => 1)
  );
  assertEquals(results, [concat("AA"), "invalid-deflate", "invalid-deflate"]);
  assertEquals(reference(block(3)), concat("AA"));
  assertEquals([reference(block(2)), reference(block(1))], [
    undefined,
    undefined,
  ]);
  // The first length cannot be that of the one before it: with codes 16, 18 and 1.
  const lengths = [16, 18, 1];
  const repeat = (isRepeat: boolean) =>
    bitsOf(
      ...[[4, 3], [0, 5], [10, 5], [14, 4]] as const,
      ...order.map((symbol) =>
        [symbol === 1 ? 1 : lengths.includes(symbol) ? 2 : 0, 3] as const
      ),
      ...(isRepeat ? [few, [0, 2], many, [51, 7]] as const : []),
      ...(isRepeat ? [] : [many, [54, 7]] as const),
      ...[one, many, [127, 7], many, [41, 7], one, many, [0, 7]] as const,
      ...[[0, 1], [1, 1], [0, 3]] as const,
    );
  const repeats = [false, true].map((isRepeat) =>
    inflateParts(inflater(), repeat(isRepeat), () => 1)
  );
  assertEquals(repeats, [concat("A"), "invalid-deflate"]);
});

test("PM-1: a bomb is inflated as it is wanted, and no faster", () => {
  const payload = deflated(new Uint8Array(20_000_000), {});
  const subject = inflater();
  subject.push(payload, true);
  let bytes = 0;
  for (let count = 0; count < 10; count++) {
    const piece = subject.pull();
    assert(piece instanceof Uint8Array && piece.length <= MAX_PIECE_BYTES);
    bytes += piece.length;
  }
  assert(bytes >= 655_360);
});

test("PM-7: several last blocks, empty messages and empty parts", () => {
  const final = (text: string) =>
    deflated(concat(text), { finishFlush: constants.Z_FINISH });
  const subject = inflater();
  for (
    const [payload, text] of [
      [concat(final("one, "), final("two")), "one, two"],
      [new Uint8Array(0), ""],
      [hex("00"), ""],
      [concat(final("one, "), deflated(concat("three"), {})), "one, three"],
    ] as const
  ) {
    for (const partBytes of [1, 3, 100]) {
      const result = inflateParts(subject, payload, () => partBytes);
      assertEquals(result, concat(text), toHex(payload));
    }
    for (const byte of payload) {
      subject.push(new Uint8Array(0), false);
      assertStrictEquals(subject.pull(), undefined);
      subject.push(Uint8Array.of(byte), false);
      while (subject.pull() !== undefined);
    }
    subject.push(new Uint8Array(0), true);
    assertStrictEquals(subject.pull(), undefined);
  }
});

/** What zlib makes of a payload with its trailer. */
function reference(payload: Uint8Array): Uint8Array | undefined {
  try {
    const whole = concat(payload, hex("00 00 ff ff 03 00"));
    return new Uint8Array(inflateRawSync(whole));
  } catch {
    return undefined;
  }
}

test("PM-8: what zlib refuses is refused, and nothing else", () => {
  const random = seededRandom(0x1f3);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let refused = 0;
  try {
    for (let round = 0; round < 4_000; round++) {
      const message = sample(random, 1 + random.below(300), round & 3);
      const payload = deflated(message, { level: round % 10 });
      const changes = 1 + random.below(3);
      for (let i = 0; i < changes; i++) {
        payload[random.below(Math.min(payload.length, 90))] = random.below(256);
      }
      const expected = reference(payload);
      const result = inflateParts(inflater(), payload, () => 7);
      // zlib ends with a last block, after which others may follow here.
      if (expected !== undefined && result === "invalid-deflate") {
        assert(hasEarlyEnd(payload), `${round}: ${toHex(payload)}`);
        continue;
      }
      if (expected === undefined) refused++;
      assertEquals(result, expected ?? "invalid-deflate", toHex(payload));
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  assert(refused > 1_000, `${refused} of 4,000 were refused`);
});

/** Whether zlib stops before the end, at a last block. */
function hasEarlyEnd(payload: Uint8Array): boolean {
  const whole = concat(payload, hex("00 00 ff ff 03 00"));
  const { engine } = inflateRawSync(whole, { info: true }) as unknown as {
    readonly engine: { readonly bytesWritten: number };
  };
  return engine.bytesWritten < whole.length;
}
