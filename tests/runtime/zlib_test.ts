/**
 * Compression against the runtime's own zlib, as a peer has it: one stream that
 * stays alive, flushed after each message.
 */
import { Buffer } from "node:buffer";
import {
  constants,
  createDeflateRaw,
  deflateRawSync,
  inflateRawSync,
} from "node:zlib";
import { assert, assertEquals, test } from "../harness.ts";
import { Protocol } from "../../codec.ts";
import {
  type DeflateSettings,
  type DeflateTerms,
  makeDeflate,
  type MessageDeflate,
} from "../../runtime/message_deflate.ts";

const SETTINGS: DeflateSettings = {
  thresholdBytes: 0,
  level: 6,
  memoryLevel: 5,
};
const TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const LIMIT = 1_048_576;
const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15];

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** Terms with one window and one choice for both sides. */
function terms(bits = 12, isAlone = false): DeflateTerms {
  return {
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
    serverNoContextTakeover: isAlone,
    clientNoContextTakeover: isAlone,
  };
}

function make(
  agreed = terms(),
  settings: Partial<DeflateSettings> = {},
): MessageDeflate {
  return makeDeflate("server", agreed, { ...SETTINGS, ...settings });
}

/** Inflates, and takes nothing for an answer but bytes. */
function inflated(deflate: MessageDeflate, payload: Uint8Array): Uint8Array {
  const result = deflate.decode(payload, LIMIT);
  assert(typeof result !== "string", `${result} of ${hex(payload)}`);
  return result;
}

/** Numbers that look random and are the same each time. */
function randomness(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** A message of some kind: text that repeats, bytes at random, one byte, both. */
function randomMessage(random: (below: number) => number): Uint8Array {
  const kind = random(8);
  const length = kind === 0
    ? random(20_000)
    : kind < 3
    ? random(3_000)
    : random(400);
  if (kind === 7) {
    return Uint8Array.from({ length }, () => random(256));
  }
  if (kind === 6) return new Uint8Array(length).fill(random(256));
  const words = ["price", "time", "äöü", "\u{1f600}", '":{"', "null,", "0.25"];
  let text = "";
  while (text.length < length) {
    text += words[random(words.length)];
    if (random(3) === 0) text += random(100_000);
  }
  return bytesOf(text);
}

/** Messages of which each resembles the others. */
function tick(index: number): Uint8Array {
  return bytesOf(JSON.stringify({
    type: "trade",
    id: 100_000 + index * 7,
    symbol: ["ACME", "GLOBEX", "INITECH"][index % 3],
    price: 100 + (index * 7919) % 1000 / 100,
    time: 1_700_000_000_000 + index * 137,
    side: index % 2 === 0 ? "buy" : "sell",
    note: "limit order, good till cancelled, routed by the usual way",
  }));
}

/** A peer with a stream of zlib for what it sends. */
class ZlibPeer {
  readonly #stream;
  #chunks: Uint8Array[] = [];

  constructor(windowBits: number, level = 6) {
    this.#stream = createDeflateRaw({ windowBits, level });
    this.#stream.on("data", (chunk: Uint8Array) => this.#chunks.push(chunk));
  }

  async compress(message: Uint8Array): Promise<Uint8Array> {
    this.#stream.write(message);
    await new Promise<void>((resolve) =>
      this.#stream.flush(constants.Z_SYNC_FLUSH, () => resolve())
    );
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return new Uint8Array(all.subarray(0, all.length - TRAILER.length));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.on("close", () => resolve());
      this.#stream.destroy();
    });
  }
}

/**
 * Inflates messages as one stream. It writes 64 bytes at a time, so that zlib has
 * no more to look back to than its window.
 */
function inflateAll(
  messages: readonly Uint8Array[],
  windowBits: number,
): Uint8Array {
  const parts = messages.flatMap((message) => [message, TRAILER]);
  return inflateRawSync(Buffer.concat(parts), {
    windowBits,
    chunkSize: 64,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
}

for (const bits of WINDOWS) {
  test(`PM-10: 1,000 messages with takeover, window ${bits}, as zlib reads them`, () => {
    const deflate = make(terms(bits));
    const random = randomness(bits);
    const sent: Uint8Array[] = [];
    const plain: Uint8Array[] = [];
    for (let index = 0; index < 1_000; index++) {
      const message = index % 3 === 0 ? tick(index) : randomMessage(random);
      const copy = new Uint8Array(message);
      const payload = deflate.encode(message);
      assertEquals(hex(message), hex(copy), "the message was changed");
      if (payload === undefined) continue;
      sent.push(payload);
      plain.push(message);
    }
    assert(sent.length > 700, `${sent.length} were compressed`);
    const back = inflateAll(sent, bits);
    assert(Buffer.concat(plain).equals(back), "zlib reads other bytes");
    deflate.release();
  });

  test(`PM-10: 1,000 messages without takeover, window ${bits}, as zlib reads them`, () => {
    const deflate = make(terms(bits, true));
    const random = randomness(bits + 100);
    for (let index = 0; index < 1_000; index++) {
      const message = randomMessage(random);
      const payload = deflate.encode(message);
      if (payload === undefined) continue;
      assert(payload.length < message.length);
      assert(Buffer.from(message).equals(inflateAll([payload], bits)));
    }
  });

  test(`PM-10: 1,000 messages that zlib made, window ${bits}`, async () => {
    const random = randomness(bits + 200);
    const peer = new ZlibPeer(Math.max(bits, 9), 1 + random(9));
    const deflate = make(terms(bits));
    for (let index = 0; index < 1_000; index++) {
      const message = index % 3 === 0 ? tick(index) : randomMessage(random);
      const payload = await peer.compress(message);
      const result = inflated(deflate, payload);
      assert(Buffer.from(message).equals(result), `message ${index}`);
    }
    await peer.close();
  });
}

test("short messages are what RFC 7692 shows, or shorter", () => {
  const deflate = make();
  // Sections 7.2.3.1 and 7.2.3.2: the second one refers to the first, where the
  // section spells its first letter, in f2 00 11 00 00.
  const first = deflate.encode(bytesOf("Hello"));
  const second = deflate.encode(bytesOf("Hello"));
  assertEquals(first && hex(first), "f248cdc9c90700");
  assertEquals(second && hex(second), "02130000");
});

test("the messages of RFC 7692 are inflated", () => {
  const deflate = make();
  const hello = hex(bytesOf("Hello"));
  for (
    const payload of [
      "f2 48 cd c9 c9 07 00", // 7.2.3.1: one block
      "f2 00 11 00 00", // 7.2.3.2: with the context of the first
      "00 05 00 fa ff 48 65 6c 6c 6f 00", // 7.2.3.3: not compressed
      "f3 48 cd c9 c9 07 00 00", // 7.2.3.4: BFINAL is 1
      "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", // 7.2.3.5: two blocks
    ]
  ) {
    assertEquals(hex(inflated(deflate, unhex(payload))), hello, payload);
  }
  assertEquals(inflated(deflate, unhex("00")).length, 0); // 7.2.3.6
  assertEquals(inflated(deflate, unhex("")).length, 0);
});

const LONG = bytesOf(
  Array.from({ length: 900 }, (_, index) => `line ${index * index};`).join(""),
);

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
  const random = randomness(8);
  const seen = new Set<string>();
  for (let round = 0; round < 4_000; round++) {
    const payload = Uint8Array.from(
      { length: 1 + random(40) },
      () => random(256),
    );
    // BFINAL 0, and codes that are fixed more often than not.
    if (random(2) === 0) payload[0] = payload[0]! & 0xf8 | 0b010;
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

/** 1 MiB of zeros, without an end: repeated it is a bomb of any size. */
const MIB_OF_ZEROS = deflateRawSync(new Uint8Array(1_048_576), {
  finishFlush: constants.Z_SYNC_FLUSH,
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

test("what is short, empty, or not to be compressed goes as it is", () => {
  assertEquals(make().encode(new Uint8Array(0)), undefined);
  const thresholdBytes = 100;
  const deflate = make(terms(), { thresholdBytes });
  assertEquals(deflate.encode(new Uint8Array(99)), undefined);
  assert(deflate.encode(new Uint8Array(100)) !== undefined);
  assertEquals(make(terms(), { level: 0 }).encode(LONG), undefined);
  assertEquals(make(terms(12, true)).encode(bytesOf("Hello")), undefined);
});

test("messages that do not compress are sent as they are, but for a few", () => {
  const random = randomness(3);
  const deflate = make();
  const sent: Uint8Array[] = [];
  const plain: Uint8Array[] = [];
  const send = (message: Uint8Array) => {
    const payload = deflate.encode(message);
    if (payload === undefined) return;
    assert(payload.length <= message.length * 9 / 8 + 3);
    sent.push(payload);
    plain.push(message);
  };
  for (let round = 0; round < 100; round++) {
    send(Uint8Array.from({ length: 200 }, () => random(256)));
  }
  assert(sent.length <= 8, `${sent.length} were compressed`);
  // What comes next has a context all the same.
  for (let round = 0; round < 300; round++) send(tick(round));
  assert(sent.length > 150, `${sent.length} were compressed`);
  assert(Buffer.concat(plain).equals(inflateAll(sent, 12)));
});

test("messages that resemble each other get as short as by zlib's own stream", async () => {
  const deflate = make();
  const peer = new ZlibPeer(12, 6);
  let plainBytes = 0;
  let sentBytes = 0;
  let zlibBytes = 0;
  for (let index = 0; index < 1_000; index++) {
    const message = tick(index);
    plainBytes += message.length;
    sentBytes += (deflate.encode(message) ?? message).length;
    zlibBytes += (await peer.compress(message)).length;
  }
  await peer.close();
  assert(sentBytes / plainBytes < 0.2, `${sentBytes / plainBytes}`);
  assert(sentBytes / zlibBytes < 1.1, `${sentBytes / zlibBytes}`);
});

test("each level takes fewer bytes than a lower one, and zlib reads them all", () => {
  const sizes = [1, 3, 6, 9].map((level) => {
    const deflate = make(terms(), { level, memoryLevel: level });
    const sent: Uint8Array[] = [];
    for (let index = 0; index < 500; index++) {
      sent.push(deflate.encode(tick(index))!);
    }
    assertEquals(
      hex(inflateAll(sent, 12)),
      hex(Buffer.concat(Array.from({ length: 500 }, (_, one) => tick(one)))),
    );
    return sent.reduce((sum, { length }) => sum + length, 0);
  });
  assertEquals([...sizes].sort((one, other) => other - one), sizes);
});

test("a message for many is compressed once for all who agreed on the same", () => {
  const peers = Array.from(
    { length: 3 },
    () => makeDeflate("server", terms(), SETTINGS),
  );
  const other = makeDeflate("server", terms(9), SETTINGS);
  assert(peers.every(({ shared }) => shared === peers[0]!.shared));
  assert(other.shared !== peers[0]!.shared);
  const streams: Uint8Array[][] = peers.map(() => []);
  const plain: Uint8Array[][] = peers.map(() => []);
  for (let round = 0; round < 200; round++) {
    const message = Buffer.concat([tick(round), tick(round + 1)]);
    const payload = peers[0]!.shared.encode(message);
    assert(payload !== undefined && payload.length < message.length);
    peers.forEach((peer, index) => {
      // The last one is sent nothing but what all are sent.
      const own = index < 2 ? peer.encode(tick(round * index)) : undefined;
      if (own !== undefined) {
        streams[index]!.push(own);
        plain[index]!.push(tick(round * index));
      }
      peer.noteShared(message);
      streams[index]!.push(payload);
      plain[index]!.push(message);
    });
  }
  peers.forEach((_, index) => {
    const back = inflateAll(streams[index]!, 12);
    assert(Buffer.concat(plain[index]!).equals(back), `peer ${index}`);
  });
});

test("both sides understand each other, each with a window and a choice of its own", () => {
  const random = randomness(77);
  for (let round = 0; round < 40; round++) {
    const agreed: DeflateTerms = {
      serverMaxWindowBits: 8 + random(8),
      clientMaxWindowBits: 8 + random(8),
      serverNoContextTakeover: random(2) === 0,
      clientNoContextTakeover: random(2) === 0,
    };
    const server = makeDeflate("server", agreed, SETTINGS);
    const client = makeDeflate("client", agreed, SETTINGS);
    for (let index = 0; index < 60; index++) {
      const message = index % 2 === 0 ? tick(index) : randomMessage(random);
      for (const [from, to] of [[server, client], [client, server]] as const) {
        const payload = from.encode(message);
        if (payload === undefined) continue;
        assert(Buffer.from(message).equals(inflated(to, payload)));
      }
    }
  }
});

test("a message may be lent, and is the caller's own where it may not", () => {
  const deflate = make();
  const [one, other] = [tick(1), tick(2)];
  const [first, second, third] = [one, other, one].map((message) => {
    const payload = deflate.encode(message);
    assert(payload !== undefined);
    return payload;
  });
  const peer = makeDeflate("client", terms(), SETTINGS);
  const own = peer.decode(first!, LIMIT, false);
  const lent = peer.decode(second!, LIMIT, true);
  assert(typeof own !== "string" && typeof lent !== "string");
  assertEquals(hex(own), hex(one));
  assertEquals(own.buffer.byteLength, own.length);
  assertEquals(hex(lent), hex(other));
  // A caller may write into what is its own.
  own.fill(0);
  assertEquals(hex(inflated(peer, third!)), hex(one));
});
