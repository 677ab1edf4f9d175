/** CI-14: what a client draws at random, over sockets: mask keys and handshake keys. */
import { dial } from "../../client.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { parseFrames } from "../harness/frame.ts";
import { headerOf, RawServer } from "../harness/raw_server.ts";
import { opened } from "./dialing.ts";

const CONNECTIONS = 10;
const FRAMES = 10_000;
/** Two bytes of header, four of the key, one of payload. */
const FRAME_BYTES = 7;

/**
 * Chi-square of values from 0 to `most`: on average `most`, of random ones beyond
 * the bound with a probability under 1e-12.
 */
function assertEven(values: Iterable<number>, most: number): void {
  const counts = new Array<number>(most + 1).fill(0);
  let size = 0;
  for (const value of values) {
    counts[value]!++;
    size++;
  }
  const expected = size / (most + 1);
  const sum = counts.reduce(
    (sum, n) => sum + (n - expected) ** 2 / expected,
    0,
  );
  const bound = most + 8 * Math.sqrt(2 * most) + 40;
  assert(sum < bound, `chi-square ${sum} over ${most} degrees of freedom`);
}

/** The mask keys of the next frames, as numbers. */
async function masksOfOne(): Promise<number[]> {
  await using end = await opened();
  for (let i = 0; i < FRAMES; i++) end.connection.send("x");
  const bytes = await end.raw.readBytes(FRAMES * FRAME_BYTES, 20_000);
  const frames = parseFrames(bytes);
  assertEquals(frames.length, FRAMES);
  return frames.map(({ maskKey, payload }) => {
    assertEquals([maskKey?.length, payload[0]], [4, 0x78]);
    return new DataView(Uint8Array.from(maskKey!).buffer).getUint32(0);
  });
}

test("CI-14: no pattern in the masks of 100,000 frames", async () => {
  const masks: number[] = [];
  for (let i = 0; i < CONNECTIONS; i++) masks.push(...await masksOfOne());
  assertEquals(masks.length, 100_000);
  // Of random ones 1.2 are there twice.
  assert(new Set(masks).size > 99_980, "masks repeat");
  for (const shift of [0, 8, 16, 24]) {
    const byteOf = (mask: number) => (mask >>> shift) & 0xff;
    assertEven(masks.map(byteOf), 255);
    // Nor does one tell the next, in the same byte or beside it.
    for (const turn of [0, 8]) {
      const next = (at: number) => masks[at + 1]! >>> 0;
      const follows = masks.slice(1).map((_, at) =>
        byteOf(masks[at]!) ^ (((next(at) << turn) >>> shift) & 0xff)
      );
      assertEven(follows, 255);
    }
  }
  const bits = masks.flatMap((mask) =>
    Array.from({ length: 32 }, (_, at) => (mask >>> at) & 1)
  );
  assertEven(bits, 1);
});

test("CI-14: no pattern in the keys of 300 handshakes", async () => {
  await using server = await RawServer.listen();
  const keys: string[] = [];
  for (let i = 0; i < 300; i++) {
    const failed = assertRejects(() => dial(`ws://127.0.0.1:${server.port}/`));
    const raw = await server.accept();
    const head = await raw.readHead();
    keys.push(headerOf(head, "Sec-WebSocket-Key") ?? "");
    raw.write("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    await failed;
  }
  assertEquals(new Set(keys).size, 300);
  const bytes = keys.map((key) =>
    Uint8Array.from(atob(key), (character) => character.charCodeAt(0))
  );
  assertEquals(new Set(bytes.map(({ length }) => length)), new Set([16]));
  const all = bytes.flatMap((key) => [...key]);
  assertEven(all.map((byte) => byte >> 4), 15);
  assertEven(all.map((byte) => byte & 15), 15);
  for (let at = 0; at < 16; at++) {
    assertEven(bytes.map((key) => key[at]! >> 4), 15);
  }
});
