/**
 * Compression against the runtime's own zlib, as a peer has it: one stream that
 * stays alive, flushed after each message.
 */
import { Buffer } from "node:buffer";
import { constants, inflateRawSync } from "node:zlib";
import {
  type DeflateTerms,
  makeDeflate,
} from "../../runtime/message_deflate.ts";
import { TRAILER, ZlibPeer } from "../compression/zlib_peer.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { hex as unhex } from "../harness/bytes.ts";
import { type Random, seededRandom } from "../harness/random.ts";
import {
  bytesOf,
  hex,
  inflated,
  LIMIT,
  LONG,
  make,
  SETTINGS,
  terms,
  tick,
} from "./deflating.ts";

const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15];

/** A peer with a stream of zlib for what it sends. */
function zlibPeer(bits: number, level?: number): ZlibPeer {
  const direction = { bits, alone: false };
  return new ZlibPeer(direction, direction, level);
}

/** A message of some kind: text that repeats, bytes at random, one byte, both. */
function randomMessage(random: Random): Uint8Array {
  const kind = random.below(8);
  const length = kind === 0
    ? random.below(20_000)
    : kind < 3
    ? random.below(3_000)
    : random.below(400);
  if (kind === 7) {
    return Uint8Array.from({ length }, () => random.below(256));
  }
  if (kind === 6) return new Uint8Array(length).fill(random.below(256));
  const words = ["price", "time", "äöü", "\u{1f600}", '":{"', "null,", "0.25"];
  let text = "";
  while (text.length < length) {
    text += words[random.below(words.length)];
    if (random.below(3) === 0) text += random.below(100_000);
  }
  return bytesOf(text);
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
    const random = seededRandom(bits);
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
    const random = seededRandom(bits + 100);
    for (let index = 0; index < 1_000; index++) {
      const message = randomMessage(random);
      const payload = deflate.encode(message);
      if (payload === undefined) continue;
      assert(payload.length < message.length);
      assert(Buffer.from(message).equals(inflateAll([payload], bits)));
    }
  });

  test(`PM-10: 1,000 messages that zlib made, window ${bits}`, async () => {
    const random = seededRandom(bits + 200);
    await using peer = zlibPeer(bits, 1 + random.below(9));
    const deflate = make(terms(bits));
    for (let index = 0; index < 1_000; index++) {
      const message = index % 3 === 0 ? tick(index) : randomMessage(random);
      const payload = await peer.compress(message);
      const result = inflated(deflate, payload);
      assert(Buffer.from(message).equals(result), `message ${index}`);
    }
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
  const random = seededRandom(3);
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
    send(Uint8Array.from({ length: 200 }, () => random.below(256)));
  }
  assert(sent.length <= 8, `${sent.length} were compressed`);
  // What comes next has a context all the same.
  for (let round = 0; round < 300; round++) send(tick(round));
  assert(sent.length > 150, `${sent.length} were compressed`);
  assert(Buffer.concat(plain).equals(inflateAll(sent, 12)));
});

test("messages that resemble each other get as short as by zlib's own stream", async () => {
  const deflate = make();
  await using peer = zlibPeer(12);
  let plainBytes = 0;
  let sentBytes = 0;
  let zlibBytes = 0;
  for (let index = 0; index < 1_000; index++) {
    const message = tick(index);
    plainBytes += message.length;
    sentBytes += (deflate.encode(message) ?? message).length;
    zlibBytes += (await peer.compress(message)).length;
  }
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
  const random = seededRandom(77);
  for (let round = 0; round < 40; round++) {
    const agreed: DeflateTerms = {
      serverMaxWindowBits: 8 + random.below(8),
      clientMaxWindowBits: 8 + random.below(8),
      serverNoContextTakeover: random.below(2) === 0,
      clientNoContextTakeover: random.below(2) === 0,
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
