/** Messages that break the format, or blow up: judged as zlib judges them. */
import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { Protocol } from "../../codec.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { hex as unhex } from "../harness/bytes.ts";
import { seededRandom } from "../harness/random.ts";
import { TRAILER } from "../compression/zlib_peer.ts";
import {
  bytesOf,
  hex,
  inflated,
  LIMIT,
  LONG,
  make,
  MIB_OF_ZEROS,
  terms,
  tick,
} from "./deflating.ts";

test("PM-7: a message that ends in a block with BFINAL is delivered", () => {
  for (const message of [bytesOf("Hello"), LONG]) {
    const final = deflateRawSync(message);
    for (const tail of ["", "00", "02 00", "00 00 00 ff ff 00"]) {
      const deflate = make();
      const payload = Buffer.concat([final, unhex(tail)]);
      assertEquals(hex(inflated(deflate, payload)), hex(message), tail);
      // The context goes on behind it.
      const again = deflate.decode(final, LIMIT);
      assert(typeof again !== "string" && Buffer.from(message).equals(again));
    }
    // Several of them are one message.
    const twice = inflated(make(), Buffer.concat([final, final]));
    assertEquals(twice.length, message.length * 2);
  }
});

test("PM-7: garbage behind a block with BFINAL fails the message", () => {
  for (const message of [bytesOf("Hello"), LONG]) {
    for (const tail of ["ff", "07", "00 01", "00 01 00 01 00 61"]) {
      const payload = Buffer.concat([deflateRawSync(message), unhex(tail)]);
      assertEquals(make().decode(payload, LIMIT), "invalid-deflate", tail);
    }
  }
});

test("PM-7: a message of countless blocks with BFINAL costs little", () => {
  const block = deflateRawSync(LONG.subarray(0, 300));
  // One with codes of its own, which is zlib's to inflate: each is a call.
  assertEquals(block[0]! & 0b111, 0b101);
  const twice = inflated(make(), Buffer.concat([block, block]));
  assertEquals(twice.length, 600);
  const payload = Buffer.concat(Array(8_000).fill(block));
  // The least of several: a machine that stalls only adds to it.
  let leastMs = Infinity;
  for (let tries = 0; tries < 5; tries++) {
    const startMs = performance.now();
    assertEquals(make().decode(payload, Infinity), "invalid-deflate");
    leastMs = Math.min(leastMs, performance.now() - startMs);
  }
  assert(leastMs < 1_000, `${leastMs} ms`);
});

test("PM-7: stored blocks, and a trailer inside of the data", () => {
  const deflate = make();
  const trailers = Buffer.concat(Array(100).fill(TRAILER));
  for (const message of [trailers, LONG, new Uint8Array(200_000)]) {
    const stored = deflateRawSync(message, {
      level: 0,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    const result = inflated(deflate, stored.subarray(0, -TRAILER.length));
    assert(Buffer.from(message).equals(result));
    const payload = deflate.encode(message);
    assert(payload !== undefined);
  }
});

/**
 * What zlib has to say to a message; `undefined` where it stops before the end, or
 * where it would take what is put behind the message for a part of it.
 */
function judged(payload: Uint8Array): Uint8Array | "invalid" | undefined {
  const [one, other] = ["03 00", "01 00 00 ff ff"].map((ending) => {
    const input = Buffer.concat([payload, TRAILER, unhex(ending)]);
    try {
      const { buffer, engine } = inflateRawSync(input, {
        info: true,
      }) as unknown as {
        buffer: Uint8Array;
        engine: { bytesWritten: number };
      };
      return engine.bytesWritten === input.length ? buffer : undefined;
    } catch {
      return "invalid";
    }
  });
  return typeof one === typeof other ? one : undefined;
}

function assertJudgedAlike(payload: Uint8Array): "invalid" | "bytes" | "final" {
  const expected = judged(payload);
  const result = make().decode(payload, LIMIT);
  if (expected === undefined) return "final";
  const isValid = typeof result !== "string";
  assertEquals(isValid, expected !== "invalid", hex(payload));
  if (!isValid) {
    assertEquals(result, "invalid-deflate");
    return "invalid";
  }
  assertEquals(hex(result), hex(expected as Uint8Array), hex(payload));
  return "bytes";
}

test("PM-8: each single bit flip of a 200-byte message is an error, or other bytes", () => {
  const message = Buffer.concat([tick(1), tick(2)]).subarray(0, 200);
  const short = make().encode(message);
  const long = deflateRawSync(message, {
    finishFlush: constants.Z_SYNC_FLUSH,
    strategy: constants.Z_DEFAULT_STRATEGY,
  }).subarray(0, -TRAILER.length);
  assert(short !== undefined);
  const seen = new Set<string>();
  for (const payload of [short, long]) {
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const flipped = new Uint8Array(payload);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(assertJudgedAlike(flipped));
    }
  }
  assertEquals([...seen].sort().join(), "bytes,final,invalid");
});

test("PM-8: random payloads are judged as zlib judges them", () => {
  const random = seededRandom(8);
  const seen = new Set<string>();
  for (let round = 0; round < 4_000; round++) {
    const payload = Uint8Array.from(
      { length: 1 + random.below(40) },
      () => random.below(256),
    );
    // BFINAL 0, and codes that are fixed more often than not.
    if (random.below(2) === 0) payload[0] = payload[0]! & 0xf8 | 0b010;
    seen.add(assertJudgedAlike(payload));
  }
  assertEquals([...seen].sort().join(), "bytes,final,invalid");
});

test("PM-8: what is cut off fails", () => {
  for (const message of [tick(1), LONG]) {
    const payload = make().encode(message);
    assert(payload !== undefined);
    for (let end = 1; end < Math.min(payload.length, 300); end++) {
      assertJudgedAlike(payload.subarray(0, end));
    }
  }
});

test("PM-8: a distance beyond the context fails", () => {
  // Section 7.2.3.2's second message without the first one.
  const payload = unhex("f2 00 11 00 00");
  assertEquals(make().decode(payload, LIMIT), "invalid-deflate");
  const alone = make(terms(12, true));
  assertEquals(alone.decode(unhex("f2 48 cd c9 c9 07 00"), LIMIT).length, 5);
  assertEquals(alone.decode(payload, LIMIT), "invalid-deflate");
});

test("PM-1: the limit holds to the byte, for short messages and long ones", () => {
  for (const length of [1, 100, 2_000, 17_000, 1_000_000]) {
    const message = new Uint8Array(length);
    const payload = deflateRawSync(message, {
      finishFlush: constants.Z_SYNC_FLUSH,
    }).subarray(0, -TRAILER.length);
    for (const isAlone of [true, false]) {
      const deflate = make(terms(12, isAlone));
      for (const most of [length, length + 1, Infinity]) {
        const result = deflate.decode(payload, most);
        assert(Buffer.from(message).equals(result as Uint8Array), `${most}`);
      }
      assertEquals(deflate.decode(payload, length - 1), "message-too-big");
      assertEquals(deflate.decode(payload, 0), "message-too-big");
    }
  }
});

test("PM-1: a bomb in fragments ends in 1009", () => {
  const transform = make();
  const protocol = new Protocol({ role: "client", transform });
  const bomb = Buffer.concat(Array(64).fill(MIB_OF_ZEROS));
  for (let at = 0; at < bomb.length; at += 1_000) {
    const part = bomb.subarray(at, at + 1_000);
    const first = at === 0 ? 0x42 : at + 1_000 >= bomb.length ? 0x80 : 0x00;
    const header = [first, 126, part.length >> 8, part.length & 0xff];
    protocol.receive(Buffer.concat([Uint8Array.from(header), part]));
  }
  const events = protocol.takeEvents();
  const failed = events.at(-1);
  assert(failed?.type === "failed");
  assertEquals(failed.error.reason, "message-too-big");
  assertEquals(failed.error.code, 1009);
});
