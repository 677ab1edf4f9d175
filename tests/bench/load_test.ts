/** The bench's load generator: a server that is wrong must not go unnoticed. */
import { parseCell } from "../../bench/load/cell.ts";
import { buildPattern, type Pattern } from "../../bench/load/pattern.ts";
import { Replies } from "../../bench/load/replies.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";
import { concat } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";

const SIZES = [16, 300, 70_000];

/** What an echo sends back for one turn of the ring. */
function echo({ kind, payloads }: Pattern): Uint8Array[] {
  const opcode = kind === "text" ? 1 : 2;
  return payloads.map((payload) => frame({ opcode, payload }));
}

function pattern(kind: Pattern["kind"] = "binary"): Pattern {
  return buildPattern({ kind, sizes: SIZES, minFrames: 1 });
}

test("parseCell() reads every notation", () => {
  const cell = { tls: false, connections: 16, inFlight: 4, sizes: [100] };
  assertEquals(parseCell("16x4x100"), cell);
  assertEquals(parseCell("tls:16x4x100"), { ...cell, tls: true });
  assertEquals(parseCell("16x4x10+20"), { ...cell, sizes: [10, 20] });
  assertEquals(parseCell("16x4xmix").sizes.length, 8);
  for (const text of ["", "16x4", "16x4x", "x4x100", "16x4x100x1", "16x4x-1"]) {
    assertThrows(() => parseCell(text), TypeError);
  }
});

test("a ring of text holds each size as ASCII and as wide text", () => {
  const { payloads, lengths } = pattern("text");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const wide = payloads.map((payload) =>
    /[^ -~]/.test(decoder.decode(payload))
  );
  assertEquals([...lengths], payloads.map(({ length }) => length));
  for (const size of SIZES) {
    const own = wide.filter((_, index) => lengths[index] === size);
    assertEquals(own.filter(Boolean).length, own.length / 4, `${size} bytes`);
  }
});

test("replies are counted, however they are cut", () => {
  const sent = pattern();
  const bytes = concat(...echo(sent), ...echo(sent));
  for (const step of [3, 7, 65_536, bytes.length]) {
    const replies = new Replies({ pattern: sent, verify: true, masked: false });
    let count = 0;
    for (let at = 0; at < bytes.length; at += step) {
      const chunk = bytes.subarray(at, at + step);
      count += replies.receive(chunk, chunk.length);
    }
    assertEquals(count, sent.count * 2, `in steps of ${step}`);
  }
});

test("a bare echo sends the client's own frames back", () => {
  const sent = pattern("text");
  const replies = new Replies({ pattern: sent, verify: true, masked: true });
  assertEquals(replies.receive(sent.wire, sent.wire.length), sent.count * 2);
});

/** One mistake each, in the second message of a turn. */
const MISTAKES: Readonly<Record<string, (payload: Uint8Array) => Uint8Array>> =
  {
    "Unexpected opcode": (payload) => frame({ opcode: "text", payload }),
    "Unexpected mask bit": (payload) =>
      frame({ opcode: "binary", mask: true, payload }),
    "Wrong length": (payload) =>
      frame({ opcode: "binary", payload: payload.subarray(0, -1) }),
    "Wrong contents": (payload) => {
      const spoilt = payload.slice();
      spoilt[100] = (spoilt[100] ?? 0) ^ 1;
      return frame({ opcode: "binary", payload: spoilt });
    },
  };

for (const [message, spoil] of Object.entries(MISTAKES)) {
  test(`a reply is refused: ${message}`, () => {
    const sent = pattern();
    const frames = echo(sent);
    frames[1] = spoil(sent.payloads[1] ?? new Uint8Array());
    const bytes = concat(...frames);
    const replies = new Replies({ pattern: sent, verify: true, masked: false });
    assertThrows(() => replies.receive(bytes, bytes.length), Error, message);
  });
}

test("a reply that is missing is noticed without looking at contents", () => {
  const sent = pattern();
  const bytes = concat(...echo(sent).slice(1));
  const replies = new Replies({ pattern: sent, verify: false, masked: false });
  assertThrows(
    () => replies.receive(bytes, bytes.length),
    Error,
    "Wrong length",
  );
});
