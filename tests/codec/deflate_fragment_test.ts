import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { encodeFragment } from "../../codec/deflate_fragment.ts";
import { concat, sameBytes } from "../harness/bytes.ts";
import { seededRandom } from "../harness/random.ts";

/** Compresses what is at least 8 bytes long, each for itself. */
function transform(noted: number[] = []) {
  return {
    encode(payload: Uint8Array): Uint8Array | undefined {
      if (payload.length < 8) return undefined;
      const bytes = deflateRawSync(payload, {
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      return new Uint8Array(bytes.subarray(0, -4));
    },
    decode: () => new Uint8Array(),
    noteShared: (payload: Uint8Array) => void noted.push(payload.length),
  };
}

/** Inflates a message as RFC 7692, section 7.2.2, says. */
function inflate(payload: Uint8Array): Uint8Array {
  const whole = concat(payload, Uint8Array.of(0x00, 0x00, 0xff, 0xff));
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return new Uint8Array(inflateRawSync(whole, options));
}

/** Compresses fragments, and asserts that they are one message. */
function assertRoundTrip(fragments: readonly Uint8Array[]): void {
  const noted: number[] = [];
  const engine = transform(noted);
  const encoded = fragments.map((fragment, index) => {
    const last = index === fragments.length - 1;
    const bytes = encodeFragment(engine, fragment, index === 0, last);
    assert(bytes !== undefined);
    return bytes;
  });
  assertEquals(inflate(concat(...encoded)), concat(...fragments));
  const stored = fragments.filter(({ length }) => length < 8);
  assertEquals(noted, stored.map(({ length }) => length));
}

test("EX3: the trailer is taken off the message, not off its fragments", () => {
  const text = new TextEncoder().encode("fragment of a message ".repeat(9));
  assertRoundTrip([text]);
  assertRoundTrip([text, text]);
  assertRoundTrip([text, text.subarray(3), text]);
});

test("EX3: what is not worth it in between goes out in blocks without compression", () => {
  const text = new TextEncoder().encode("a first fragment that is compressed");
  const none = new Uint8Array(0);
  assertRoundTrip([text, none]);
  assertRoundTrip([text, none, none, text]);
  assertRoundTrip([text, text.subarray(0, 3), text, text.subarray(0, 7)]);
  assertRoundTrip([text, text.subarray(0, 1)]);
});

test("EX3: a message whose first fragment is not worth it goes out as it is", () => {
  const small = Uint8Array.of(1, 2, 3);
  assertStrictEquals(
    encodeFragment(transform(), small, true, false),
    undefined,
  );
  assertStrictEquals(encodeFragment(transform(), small, true, true), undefined);
});

test("a block without compression takes 65,535 bytes at most", () => {
  const random = seededRandom(5);
  const engine = transform();
  const first = new Uint8Array(100).fill(7);
  const begun = encodeFragment(engine, first, true, false)!;
  const stubborn = { encode: () => undefined, decode: engine.decode };
  for (const bytes of [65_534, 65_535, 65_536, 131_070, 200_000]) {
    const payload = random.bytes(bytes);
    for (const fin of [false, true]) {
      const stored = encodeFragment(stubborn, payload, false, fin)!;
      const end = fin
        ? new Uint8Array(0)
        : encodeFragment(stubborn, new Uint8Array(0), false, true)!;
      const whole = inflate(concat(begun, stored, end));
      assertEquals(whole.length, 100 + bytes);
      assert(sameBytes(whole, concat(first, payload)), `${bytes}`);
    }
  }
});
