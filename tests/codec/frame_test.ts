import {
  bareHeaderBytes,
  FIN_BIT,
  FrameHeader,
  isControl,
  MAX_HEADER_BYTES,
  OPCODES,
  type Role,
  RSV1_BIT,
  writeHeader,
} from "../../codec/frame.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { concat, hex, toHex } from "../harness/bytes.ts";
import { cutEvery } from "../harness/split.ts";
import { frame, MASK_KEY } from "../harness/frame.ts";

/** The key of RFC 6455, section 5.7, as the codec holds it. */
const KEY = new DataView(MASK_KEY.slice().buffer).getInt32(0, true);
const LENGTHS = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537];
const ROLES: readonly Role[] = ["server", "client"];

/** What a header says, in one value. */
interface Fields {
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly opcode: number;
  readonly payloadBytes: number;
  readonly maskKey: number;
}

function fields(header: FrameHeader): Fields {
  const { fin, rsv1, opcode, payloadBytes, maskKey } = header;
  return { fin, rsv1, opcode, payloadBytes, maskKey };
}

/** Feeds chunks until the header is complete or broken; counts what it read. */
function feed(header: FrameHeader, chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) {
    let index = 0;
    while (
      index < chunk.length && !header.complete &&
      header.violation === undefined
    ) {
      const next = header.read(chunk, index);
      assert(next > index && next <= chunk.length, `${index} to ${next}`);
      index = next;
    }
    total += index;
  }
  return total;
}

function readOne(role: Role, bytes: Uint8Array, rsv1 = false): FrameHeader {
  const header = new FrameHeader(role, rsv1);
  feed(header, [bytes]);
  return header;
}

/** Both directions: the bytes are read as `expected`, and written from it. */
function assertHeader(bytes: string, expected: Fields): void {
  const masked = expected.maskKey !== 0;
  const header = new FrameHeader(masked ? "server" : "client", true);
  const head = hex(bytes);
  assertStrictEquals(header.read(head, 0), head.length);
  assert(header.complete);
  assertStrictEquals(header.violation, undefined);
  assertEquals(fields(header), expected);
  const target = new Uint8Array(MAX_HEADER_BYTES + 3).fill(0xee);
  const first = (expected.fin ? FIN_BIT : 0) | (expected.rsv1 ? RSV1_BIT : 0) |
    expected.opcode;
  const end = writeHeader(
    target,
    3,
    first,
    expected.payloadBytes,
    masked ? expected.maskKey : undefined,
  );
  assertEquals(toHex(target.subarray(3, end)), toHex(head));
  assert(target.subarray(0, 3).every((byte) => byte === 0xee), "wrote before");
  assert(target.subarray(end).every((byte) => byte === 0xee), "wrote behind");
}

test("headers of RFC 6455, section 5.7, in both directions", () => {
  const plain = { fin: true, rsv1: false, maskKey: 0 };
  assertHeader("81 05", { ...plain, opcode: 1, payloadBytes: 5 });
  assertHeader("81 85 37 fa 21 3d", {
    ...plain,
    opcode: 1,
    payloadBytes: 5,
    maskKey: KEY,
  });
  assertHeader("01 03", { ...plain, fin: false, opcode: 1, payloadBytes: 3 });
  assertHeader("80 02", { ...plain, opcode: 0, payloadBytes: 2 });
  assertHeader("89 05", { ...plain, opcode: 9, payloadBytes: 5 });
  assertHeader("8a 85 37 fa 21 3d", {
    ...plain,
    opcode: 10,
    payloadBytes: 5,
    maskKey: KEY,
  });
  assertHeader("82 7e 01 00", { ...plain, opcode: 2, payloadBytes: 256 });
  assertHeader("82 7f 00 00 00 00 00 01 00 00", {
    ...plain,
    opcode: 2,
    payloadBytes: 65_536,
  });
  // RFC 7692, section 7.2.3.1: a compressed "Hello".
  assertHeader("c1 07", { ...plain, rsv1: true, opcode: 1, payloadBytes: 7 });
});

test("lengths around the borders of the three forms, in both directions", () => {
  const heads = [
    ["82 00", 0],
    ["82 01", 1],
    ["82 7c", 124],
    ["82 7d", 125],
    ["82 7e 00 7e", 126],
    ["82 7e 00 7f", 127],
    ["82 7e ff fe", 65_534],
    ["82 7e ff ff", 65_535],
    ["82 7f 00 00 00 00 00 01 00 00", 65_536],
    ["82 7f 00 00 00 00 00 01 00 01", 65_537],
    ["82 7f 00 00 00 00 80 00 00 00", 2 ** 31],
    ["82 7f 00 00 00 00 ff ff ff ff", 2 ** 32 - 1],
    ["82 7f 00 00 00 01 00 00 00 00", 2 ** 32],
    ["82 7f 00 1f ff ff ff ff ff ff", 2 ** 53 - 1],
  ] as const;
  for (const [head, payloadBytes] of heads) {
    const expected = { fin: true, rsv1: false, opcode: 2, payloadBytes };
    assertHeader(head, { ...expected, maskKey: 0 });
    const withKey = hex(head);
    withKey[1]! |= 0x80;
    assertHeader(`${toHex(withKey)} 37 fa 21 3d`, {
      ...expected,
      maskKey: KEY,
    });
  }
});

test("bareHeaderBytes() tells the size that writeHeader() writes", () => {
  const target = new Uint8Array(MAX_HEADER_BYTES);
  for (const length of [...LENGTHS, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
    const size = writeHeader(target, 0, 0x82, length, undefined);
    assertStrictEquals(bareHeaderBytes(length), size);
    assertStrictEquals(writeHeader(target, 0, 0x82, length, 0), size + 4);
  }
});

test("isControl() tells control opcodes from others", () => {
  const control = Array.from({ length: 16 }, (_, opcode) => opcode)
    .filter(isControl);
  assertEquals(control, [8, 9, 10, 11, 12, 13, 14, 15]);
});

test("FrameHeader reads every header split at every offset, in three pieces", () => {
  for (const role of ROLES) {
    for (const length of LENGTHS) {
      const mask = role === "server";
      const bytes = frame({ opcode: "binary", mask, length });
      const expected = fields(readOne(role, bytes));
      assertStrictEquals(expected.payloadBytes, length);
      for (let first = 0; first <= bytes.length; first++) {
        for (let second = first; second <= bytes.length; second++) {
          const header = new FrameHeader(role, false);
          const pieces = [
            bytes.subarray(0, first),
            bytes.subarray(first, second),
            concat(bytes.subarray(second), "payload"),
          ];
          assertStrictEquals(feed(header, pieces), bytes.length);
          assert(header.complete, `${length} cut at ${first} and ${second}`);
          assertEquals(fields(header), expected);
        }
      }
    }
  }
});

test("FrameHeader reads on after next(), from whole and split headers", () => {
  const one = frame({ opcode: "binary", mask: true, length: 300 });
  const two = frame({ opcode: "ping", mask: Uint8Array.of(9, 8, 7, 6) });
  const three = frame({ fin: false, opcode: "text", mask: true, length: 1 });
  for (const size of [1, 2, 3, 5, 100]) {
    const header = new FrameHeader("server", false);
    for (const bytes of [one, two, three, one]) {
      const pieces = [];
      for (let at = 0; at < bytes.length; at += size) {
        pieces.push(bytes.subarray(at, at + size));
      }
      assertStrictEquals(feed(header, pieces), bytes.length);
      assertEquals(fields(header), fields(readOne("server", bytes)));
      header.next();
      assertStrictEquals(header.complete, false);
    }
  }
});

test("FrameHeader.read() starts where it is told to and only reads", () => {
  const bytes = concat("xyz", frame({ mask: true, length: 5 }), "abc");
  const before = bytes.slice();
  const header = new FrameHeader("server", false);
  assertStrictEquals(header.read(bytes, 3), 9);
  assertEquals([header.opcode, header.payloadBytes], [OPCODES.text, 5]);
  assertEquals(bytes, before);
});

test("FR-3: a 64-bit length with its top bit set is a violation, others are not", () => {
  for (const role of ROLES) {
    const mask = role === "server";
    for (const length of [2n ** 63n, 2n ** 64n - 1n]) {
      const bytes = frame({ opcode: "binary", mask, length });
      assertStrictEquals(readOne(role, bytes).violation, "length-too-big");
    }
    const exact = [2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n];
    for (const length of [...exact, 2n ** 63n - 1n]) {
      const header = readOne(role, frame({ opcode: "binary", mask, length }));
      assertStrictEquals(header.violation, undefined, `${length}`);
      assertStrictEquals(header.payloadBytes, Number(length));
    }
  }
});

test("FR-4: a length that is not minimal is a violation", () => {
  const cases = [
    ...[0, 5, 125].map((length) => ({ length, lengthForm: 16 as const })),
    ...[0, 5, 125, 126, 65_535]
      .map((length) => ({ length, lengthForm: 64 as const })),
  ];
  for (const role of ROLES) {
    const mask = role === "server";
    for (const { length, lengthForm } of cases) {
      const bytes = frame({ opcode: "binary", mask, length, lengthForm });
      const name = `${length} in ${lengthForm} bits`;
      for (let cut = 0; cut <= bytes.length; cut++) {
        const header = new FrameHeader(role, false);
        feed(header, [bytes.subarray(0, cut), bytes.subarray(cut)]);
        assertStrictEquals(header.violation, "length-not-minimal", name);
      }
    }
  }
});

test("FR-7: a wrong mask bit is found at byte 2, whatever the length is", () => {
  for (const opcode of ["text", "binary", "close", "ping"] as const) {
    for (const length of [0, 5, 126, 65_536]) {
      if (length > 125 && (opcode === "close" || opcode === "ping")) continue;
      const unmasked = frame({ opcode, length }).subarray(0, 2);
      const masked = frame({ opcode, length, mask: true }).subarray(0, 2);
      for (const cut of [1, 2]) {
        const server = new FrameHeader("server", false);
        feed(server, [unmasked.subarray(0, cut), unmasked.subarray(cut)]);
        assertStrictEquals(server.violation, "mask-required");
        const client = new FrameHeader("client", false);
        feed(client, [masked.subarray(0, cut), masked.subarray(cut)]);
        assertStrictEquals(client.violation, "mask-forbidden");
      }
    }
  }
});

/** What the first two bytes break, in words of the RFC, not of the codec. */
function verdict(
  role: Role,
  allowRsv1: boolean,
  first: number,
  second: number,
): string | undefined {
  const fin = first >= 128;
  const rsv = Math.floor(first / 16) % 8;
  const opcode = first % 16;
  const length = second % 128;
  if (rsv !== 0) {
    const deflated = allowRsv1 && rsv === 4 && [1, 2].includes(opcode);
    if (!deflated) return "reserved-bits";
  }
  if (![0, 1, 2, 8, 9, 10].includes(opcode)) return "reserved-opcode";
  if (opcode >= 8 && !fin) return "fragmented-control";
  if (opcode >= 8 && length > 125) return "control-too-long";
  if (role === "server" && second < 128) return "mask-required";
  if (role === "client" && second >= 128) return "mask-forbidden";
  return undefined;
}

test("all pairs of first bytes are judged as RFC 6455 says, at byte 2", () => {
  for (const role of ROLES) {
    for (const allowRsv1 of [false, true]) {
      for (let first = 0; first < 256; first++) {
        for (let second = 0; second < 256; second++) {
          const expected = verdict(role, allowRsv1, first, second);
          const header = new FrameHeader(role, allowRsv1);
          header.read(Uint8Array.of(first, second), 0);
          if (header.violation !== expected) {
            const name = `${first}, ${second} to a ${role}, RSV1 ${allowRsv1}`;
            assertStrictEquals(header.violation, expected, name);
          }
        }
      }
    }
  }
});

test("FR-9: every call takes at least a byte, whatever the bytes are", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const bytes = Uint8Array.of(first, second, ...new Uint8Array(12));
      const header = new FrameHeader("server", true);
      // `feed` asserts progress at each call, also where it is a byte long.
      assert(feed(header, cutEvery(bytes, 1)) >= 2);
      assert(header.complete || header.violation !== undefined);
    }
  }
});

test("a header is split from its first byte to its last", () => {
  const header = new FrameHeader("server", false);
  const bytes = frame({ mask: true, payload: "x" }).subarray(0, 6);
  for (let index = 0; index < bytes.length; index++) {
    assertStrictEquals(header.isSplit, index > 0, `${index}`);
    assertStrictEquals(header.splitBytes, index);
    header.read(bytes.subarray(index, index + 1), 0);
  }
  assert(header.complete && !header.isSplit);
});
