import { prepareMessage } from "../../codec/prepared.ts";
import { Sender } from "../../codec/sender.ts";
import type { MessageTransform } from "../../codec/transform.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";
import { concat, hex, sameBytes } from "../harness/bytes.ts";
import { closePayload, frame, parseFrames } from "../harness/frame.ts";

const ROLES = ["server", "client"] as const;

/** Every frame that waits, as `[fin, rsv, opcode, payload]`; masks are checked. */
function takeFrames(
  sender: Sender,
  masked: boolean,
  text = new TextDecoder("utf-8", { ignoreBOM: true }),
): unknown[] {
  const chunks = [];
  for (let chunk = sender.take(); chunk; chunk = sender.take()) {
    chunks.push(chunk.slice());
  }
  return parseFrames(concat(...chunks)).map((one) => {
    assertStrictEquals(one.maskKey !== undefined, masked);
    return [one.fin, one.rsv, one.opcode, text.decode(one.payload)];
  });
}

/** Reverses what is longer than 3 bytes. */
const reversing: MessageTransform = {
  decode: (payload) => payload.slice().reverse(),
  encode: (payload) =>
    payload.length > 3 ? new Uint8Array(payload).reverse() : undefined,
};

test("Sender frames each kind of message and control frame", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, undefined);
    assert(sender.text("Hello", true));
    assert(sender.text("", false));
    assert(sender.binary(concat("bytes"), true));
    assert(sender.ping(concat("a?")));
    assert(sender.pong(concat("a!")));
    assert(sender.prepared(prepareMessage("prepared")));
    assert(sender.prepared(prepareMessage(concat("bytes"))));
    sender.close(1000, "bye");
    assertEquals(sender.sent, { code: 1000, reason: "bye" });
    assertEquals(takeFrames(sender, role === "client"), [
      [true, 0, 1, "Hello"],
      [true, 0, 1, ""],
      [true, 0, 2, "bytes"],
      [true, 0, 9, "a?"],
      [true, 0, 10, "a!"],
      [true, 0, 1, "prepared"],
      [true, 0, 2, "bytes"],
      [true, 0, 8, "\x03\ufffdbye"],
    ]);
  }
});

test("a server sends a prepared frame as it is, a long one by reference", () => {
  const sender = new Sender("server", undefined);
  const message = prepareMessage(new Uint8Array(100_000));
  assert(sender.prepared(message));
  assertStrictEquals(sender.take(), message.frame);
});

test("Sender fragments text and binary, with control frames between", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, undefined);
    assert(sender.fragment("Hel", false));
    assert(sender.ping(concat("?")));
    assert(sender.fragment("", false));
    assert(sender.fragment("lo", true));
    assert(sender.fragment(concat("ab"), false));
    assert(sender.pong(concat("!")));
    assert(sender.fragment(concat("c"), true));
    assert(sender.fragment("whole", true));
    assert(sender.text("next", true));
    assertEquals(takeFrames(sender, role === "client"), [
      [false, 0, 1, "Hel"],
      [true, 0, 9, "?"],
      [false, 0, 0, ""],
      [true, 0, 0, "lo"],
      [false, 0, 2, "ab"],
      [true, 0, 10, "!"],
      [true, 0, 0, "c"],
      [true, 0, 1, "whole"],
      [true, 0, 1, "next"],
    ]);
  }
});

test("Sender refuses to interleave messages, and stays usable", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, undefined);
    sender.fragment("a", false);
    assertThrows(() => sender.text("b", true), Error, "fragmented");
    assertThrows(() => sender.binary(concat("b"), true), Error, "fragmented");
    assertThrows(() => sender.prepared(prepareMessage("b")), Error, "frag");
    assertThrows(() => sender.fragment(concat("b"), true), TypeError, "mixed");
    assert(sender.fragment("c", true));
    sender.fragment(concat("d"), false);
    assertThrows(() => sender.fragment("e", false), TypeError, "mixed");
    assert(sender.fragment(concat("f"), true));
    assertEquals(takeFrames(sender, role === "client"), [
      [false, 0, 1, "a"],
      [true, 0, 0, "c"],
      [false, 0, 2, "d"],
      [true, 0, 0, "f"],
    ]);
  }
});

test("CT-1: Sender refuses control frames above 125 bytes, whatever its state", () => {
  const sender = new Sender("server", undefined);
  const longest = new Uint8Array(125).fill(0x61);
  assert(sender.ping(longest));
  assert(sender.pong(longest));
  const check = () => {
    const tooLong = new Uint8Array(126);
    assertThrows(() => sender.ping(tooLong), RangeError, "126");
    assertThrows(() => sender.pong(tooLong), RangeError, "126");
  };
  check();
  sender.close(1000, "");
  check();
  const frames = takeFrames(sender, false);
  assertEquals(frames.slice(0, 2), [
    [true, 0, 9, "a".repeat(125)],
    [true, 0, 10, "a".repeat(125)],
  ]);
  assertStrictEquals(frames.length, 3);
});

test("CL-4: after our Close no data leaves, not even the rest of a message", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, undefined);
    sender.fragment("half of", false);
    sender.close(4000, "");
    assertStrictEquals(sender.fragment(" it", true), false);
    assertStrictEquals(sender.text("a", true), false);
    assertStrictEquals(sender.binary(concat("a"), true), false);
    assertStrictEquals(sender.prepared(prepareMessage("a")), false);
    assertStrictEquals(sender.ping(concat("a")), false);
    // The peer has not said its last: its Pings are answered.
    assertStrictEquals(sender.pong(concat("!")), true);
    sender.closeLast({ code: 1005, reason: "" });
    assertStrictEquals(sender.pong(concat("!")), false);
    sender.close(1000, "a second one");
    assertEquals(sender.sent, { code: 4000, reason: "" });
    assertEquals(takeFrames(sender, role === "client"), [
      [false, 0, 1, "half of"],
      [true, 0, 8, "\x0f\ufffd"],
      [true, 0, 10, "!"],
    ]);
  }
});

test("Sender.close() without a code sends an empty frame and reports 1005", () => {
  const sender = new Sender("server", undefined);
  sender.close(undefined, "");
  assertEquals(sender.sent, { code: 1005, reason: "" });
  assertEquals(sender.take(), hex("88 00"));
});

test("closeLast() answers with what the peer said, once", () => {
  const cases: [code: number, reason: string, payload: Uint8Array][] = [
    [1000, "bye", closePayload(1000, "bye")],
    [1005, "", new Uint8Array(0)],
  ];
  for (const [code, reason, payload] of cases) {
    const sender = new Sender("server", undefined);
    sender.closeLast({ code, reason });
    sender.closeLast({ code: 1002, reason: "" });
    assertEquals(sender.sent, { code, reason });
    assertEquals(sender.take(), frame({ opcode: "close", payload }));
    assertStrictEquals(sender.take(), undefined);
  }
});

test("AP-1: Sender refuses what is neither text nor bytes, and sends nothing", () => {
  const sender = new Sender("server", undefined);
  for (const value of [5, null, {}, [1], new Float32Array(2)]) {
    const bytes = value as Uint8Array;
    assertThrows(() => sender.binary(bytes, true), TypeError, "Uint8Array");
    assertThrows(() => sender.fragment(bytes, true), TypeError, "Uint8Array");
    assertThrows(() => sender.ping(bytes), TypeError, "Uint8Array");
    assertThrows(() => sender.pong(bytes), TypeError, "Uint8Array");
    const text = value as unknown as string;
    assertThrows(() => sender.text(text, true), TypeError, "not a string");
  }
  assertStrictEquals(sender.take(), undefined);
});

test("CL-9: a close that is refused leaves nothing behind", () => {
  const sender = new Sender("server", undefined);
  assertThrows(() => sender.close(1005, ""), RangeError);
  assertThrows(() => sender.close(999, ""), RangeError);
  assertThrows(() => sender.close(1000, "a".repeat(124)), RangeError);
  assertThrows(() => sender.close(1000, "\ud800"), TypeError);
  assertThrows(() => sender.close(undefined, "a"), TypeError);
  assertStrictEquals(sender.sent, undefined);
  assertStrictEquals(sender.output.byteLength, 0);
  sender.close(1000, "");
  assertEquals(
    sender.take(),
    frame({ opcode: 8, payload: closePayload(1000) }),
  );
  // It is checked even when it does nothing.
  assertThrows(() => sender.close(1006, ""), RangeError);
});

test("CT-2: pongLater() answers the latest Ping only, behind what waits", () => {
  const sender = new Sender("server", undefined);
  sender.text("before", true);
  sender.pongLater(concat("1"));
  sender.pongLater(concat("2"));
  sender.pongLater(concat("3"));
  sender.text("after", true);
  assertEquals(takeFrames(sender, false), [
    [true, 0, 1, "before"],
    [true, 0, 1, "after"],
    [true, 0, 10, "3"],
  ]);
  assertEquals(takeFrames(sender, false), []);
  // A Ping that waits while the peer closes needs no answer (section 5.5.2).
  sender.pongLater(concat("4"));
  sender.closeLast({ code: 1005, reason: "" });
  assertEquals(takeFrames(sender, false), [[true, 0, 8, ""]]);
});

test("abandon() drops what waits and what comes", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, undefined);
    sender.text("a", true);
    sender.fragment("b", false);
    sender.pongLater(concat("c"));
    sender.abandon();
    assertStrictEquals(sender.output.byteLength, 0);
    assertStrictEquals(sender.text("d", true), false);
    assertStrictEquals(sender.binary(concat("d"), true), false);
    assertStrictEquals(sender.prepared(prepareMessage("d")), false);
    assertStrictEquals(sender.fragment("d", true), false);
    assertStrictEquals(sender.ping(concat("d")), false);
    assertStrictEquals(sender.pong(concat("d")), false);
    sender.close(1000, "");
    assertStrictEquals(sender.sent, undefined);
    assertStrictEquals(sender.take(), undefined);
  }
});

test("a transform changes whole messages, unless it declines or is bypassed", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, reversing);
    sender.text("Hello", true);
    sender.text("Hello", false);
    sender.text("Hi", true);
    sender.binary(concat("bytes"), true);
    sender.binary(concat("bytes"), false);
    sender.binary(concat("by"), true);
    sender.prepared(prepareMessage("prepared"));
    sender.prepared(prepareMessage(concat("bytes")));
    sender.fragment("fragment", true);
    assertEquals(takeFrames(sender, role === "client"), [
      [true, 4, 1, "olleH"],
      [true, 0, 1, "Hello"],
      [true, 0, 1, "Hi"],
      [true, 4, 2, "setyb"],
      [true, 0, 2, "bytes"],
      [true, 0, 2, "by"],
      [true, 4, 1, "deraperp"],
      [true, 4, 2, "setyb"],
      [true, 4, 1, "tnemgarf"],
    ]);
  }
});

test("EX3: a transform changes all fragments or none, and marks the first", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, reversing);
    sender.fragment(concat("abcd"), false);
    sender.ping(concat("ping"));
    sender.fragment(concat("x"), false);
    sender.fragment(concat("defg"), true);
    // The first is not worth it, so that the others have no choice.
    sender.fragment("h", false);
    sender.fragment("ijkl", true);
    sender.fragment("abcd", false, false);
    sender.fragment("defg", true);
    assertThrows(() => {
      sender.fragment("abcd", false);
      sender.fragment(concat("abcd"), false);
    }, TypeError);
    const tail = "\0\0\xff\xff";
    const latin1 = new TextDecoder("latin1");
    const frames = takeFrames(sender, role === "client", latin1);
    assertEquals(frames, [
      [false, 4, 2, `dcba${tail}`],
      [true, 0, 9, "ping"],
      [false, 0, 0, "\0\x01\0\xfe\xffx"],
      [true, 0, 0, "gfed"],
      [false, 0, 1, "h"],
      [true, 0, 0, "ijkl"],
      [false, 0, 1, "abcd"],
      [true, 0, 0, "defg"],
      [false, 4, 1, `dcba${tail}`],
    ]);
  }
});

test("AP-3: sending changes no bytes of the application's", () => {
  for (const transform of [undefined, reversing]) {
    const sender = new Sender("client", transform);
    for (const length of [3, 100, 60_000]) {
      const bytes = new Uint8Array(length).map((_, index) => index);
      const before = bytes.slice();
      sender.binary(bytes, true);
      sender.binary(bytes, false);
      sender.fragment(bytes, true);
      if (length < 126) sender.ping(bytes);
      if (length < 126) sender.pong(bytes);
      takeFrames(sender, true);
      assert(sameBytes(bytes, before), `${length}`);
    }
  }
});

test("owesPong tells whether a Pong waits for the output to be taken", () => {
  const sender = new Sender("server", undefined);
  assertEquals(sender.owesPong, false);
  sender.pongLater(Uint8Array.of(1));
  assertEquals(sender.owesPong, true);
  sender.take();
  assertEquals(sender.owesPong, false);
});

test("AB23: payload bytes are told from the count of data frames", () => {
  for (const role of ROLES) {
    const sender = new Sender(role, undefined);
    assertStrictEquals(sender.payloadBytes(0), 0);
    sender.text("abc", true);
    sender.binary(new Uint8Array(126), true);
    sender.prepared(prepareMessage("abc"));
    sender.fragment("ab", false);
    sender.fragment("c", true);
    sender.ping(new Uint8Array(4));
    sender.pong(new Uint8Array(5));
    sender.close(1000, "");
    sender.close(1000, "");
    assertStrictEquals(sender.controlFrames, 3);
    const payloadBytes = 3 + 126 + 3 + 3 + 4 + 5 + 2;
    assertStrictEquals(sender.payloadBytes(5), payloadBytes);
    sender.take();
    assertStrictEquals(sender.payloadBytes(5), payloadBytes);
    sender.abandon();
    assertStrictEquals(sender.payloadBytes(5), payloadBytes);
  }
});

test("AB22: a server sends what a shared transform made once, a client does not", () => {
  const noted: string[] = [];
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const shared = { encode: reversing.encode };
  const transform: MessageTransform = {
    ...reversing,
    shared,
    noteShared: (payload) => void noted.push(text(payload)),
  };
  const long = prepareMessage("abcd");
  const short = prepareMessage("abc");
  const server = new Sender("server", transform);
  assert(server.prepared(long));
  assert(server.prepared(short));
  assertEquals([...long.changed!.keys()], [shared]);
  assertEquals(noted, ["abcd"]);
  const frames = takeFrames(server, false);
  assertEquals(frames, [[true, 4, 1, "dcba"], [true, 0, 1, "abc"]]);
  // The bytes are the same for all.
  const one = new Sender("server", transform);
  const other = new Sender("server", { ...reversing, shared });
  one.prepared(long);
  other.prepared(long);
  assertStrictEquals(one.take(), long.changed!.get(shared));
  assertStrictEquals(other.take(), long.changed!.get(shared));
  other.close(1000, "");
  assert(!other.prepared(long));

  // Unless it is not to be changed, whoever sends it.
  const plain = prepareMessage("abcd", false);
  for (const role of ["server", "client"] as const) {
    const plainSender = new Sender(role, transform);
    plainSender.prepared(plain);
    plainSender.prepared(prepareMessage(Uint8Array.of(97, 98), false));
    assertEquals(takeFrames(plainSender, role === "client"), [
      [true, 0, 1, "abcd"],
      [true, 0, 2, "ab"],
    ]);
  }
  assertStrictEquals(plain.changed, undefined);
  const alone = new Sender("server", reversing);
  alone.prepared(plain);
  assertEquals(takeFrames(alone, false), [[true, 0, 1, "abcd"]]);

  const client = new Sender("client", transform);
  const fresh = prepareMessage("abcd");
  assert(client.prepared(fresh));
  assertEquals(takeFrames(client, true), [[true, 4, 1, "dcba"]]);
  assertStrictEquals(fresh.changed, undefined);
});
