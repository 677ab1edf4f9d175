import { isSendableCode } from "../../codec/close.ts";
import type { ProtocolEvent } from "../../codec/event.ts";
import type { Role } from "../../codec/frame.ts";
import { plainDecoding } from "../../codec/text_decoding.ts";
import { prepareMessage } from "../../codec/prepared.ts";
import { Protocol, type ProtocolOptions } from "../../codec/protocol.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";
import { concat, hex, toHex } from "../harness/bytes.ts";
import {
  closeCode,
  closePayload,
  frame,
  type FrameOptions,
  parseFrame,
  parseFrames,
} from "../harness/frame.ts";
import {
  allEvents,
  allOutput,
  assertFails,
  ProtocolPair,
} from "../harness/protocol_pair.ts";

const ROLES: readonly Role[] = ["server", "client"];

function peerFrame(role: Role, options: FrameOptions): Uint8Array<ArrayBuffer> {
  return frame({ ...options, mask: options.mask ?? role === "server" });
}

/** Frames that wait to be sent, as `[opcode, payload in hex]`. */
function sentFrames(protocol: Protocol): [number, string][] {
  return parseFrames(allOutput(protocol)).map(
    ({ opcode, payload, maskKey }) => {
      assertStrictEquals(maskKey !== undefined, protocol.role === "client");
      return [opcode, toHex(payload)];
    },
  );
}

function closeFrame(code: number, reason = ""): [number, string] {
  return [8, toHex(closePayload(code, reason))];
}

/** Runs `body`, in which many errors are made whose stacks nobody reads. */
function withoutStacks(body: () => void): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    body();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Plays `body` with each role as the subject. */
function eachRole(
  body: (protocol: Protocol, role: Role) => void,
  options: Omit<ProtocolOptions, "role"> = {},
): void {
  for (const role of ROLES) body(new Protocol({ ...options, role }), role);
}

test("a conversation, however the wire cuts it", () => {
  for (const chunkBytes of [1, 3, 64, Infinity]) {
    const pair = new ProtocolPair<ProtocolEvent, Protocol>(
      new Protocol({ role: "client" }),
      new Protocol({ role: "server" }),
      chunkBytes,
    );
    for (const protocol of [pair.client, pair.server]) {
      assert(protocol.sendText("text"));
      assert(protocol.sendBinary(concat("bytes")));
      assert(protocol.sendMessage("é€"));
      assert(protocol.sendMessage(new Uint8Array(200)));
      assert(protocol.sendPrepared(prepareMessage("prepared")));
      assert(protocol.sendFragment("Hel", false));
      assert(protocol.ping());
      assert(protocol.pong());
      assert(protocol.ping(concat("?")));
      assert(protocol.sendFragment("lo", true));
      assert(protocol.pong(concat("!")));
      assert(protocol.sendBinary(new Uint8Array(70_000)));
    }
    const none = new Uint8Array(0);
    const expected: ProtocolEvent[] = [
      { type: "message", data: "text" },
      { type: "message", data: concat("bytes") },
      { type: "message", data: "é€" },
      { type: "message", data: new Uint8Array(200) },
      { type: "message", data: "prepared" },
      { type: "ping", payload: none },
      { type: "pong", payload: none },
      { type: "ping", payload: concat("?") },
      { type: "message", data: "Hello" },
      { type: "pong", payload: concat("!") },
      { type: "message", data: new Uint8Array(70_000) },
    ];
    const events = pair.settle();
    // What was sent first comes first; the Pongs for the two Pings follow.
    assertEquals(events.server.slice(0, expected.length), expected);
    assertEquals(events.client.slice(0, expected.length), expected);
    for (const { length } of [events.server, events.client]) {
      assert(length > expected.length && length <= expected.length + 2);
    }
    assertStrictEquals(pair.client.state, "open");
  }
});

test("before anything has happened there is nothing to tell", () => {
  const protocol = new Protocol({ role: "server" });
  assertEquals([protocol.state, protocol.sent], ["open", undefined]);
  assertEquals([protocol.outputBytes, protocol.takeOutput()], [0, undefined]);
  assertEquals([protocol.pendingEvents, protocol.takeEvents()], [0, []]);
  assertEquals([protocol.isFlooded, protocol.lastEventPending], [false, false]);
  assertEquals(protocol.framesReceived, 0);
});

test("CT-1: a Ping is answered with its own payload, at once", () => {
  eachRole((protocol, role) => {
    for (const length of [0, 1, 125]) {
      const payload = new Uint8Array(length).fill(length);
      protocol.receive(peerFrame(role, { opcode: "ping", payload }));
      assertEquals(sentFrames(protocol), [[10, toHex(payload)]]);
      assertEquals(allEvents(protocol), [{ type: "ping", payload }]);
    }
    assertFails(
      protocol,
      peerFrame(role, { opcode: "ping", payload: new Uint8Array(126) }),
      "control-too-long",
    );
  });
});

test("CT-2: a flood of Pings costs no memory while the peer does not read", () => {
  eachRole((protocol, role) => {
    const flood = (payload: string) =>
      concat(
        ...Array.from({ length: 500 }, (_, index) =>
          peerFrame(role, { opcode: "ping", payload: `${payload} ${index}` })),
      );
    protocol.receive(flood("first"));
    allEvents(protocol);
    const most = protocol.outputBytes;
    const chunk = flood("more");
    for (let index = 0; index < 100; index++) {
      protocol.receive(chunk.slice());
      assertStrictEquals(allEvents(protocol).length, 500);
      assertStrictEquals(protocol.outputBytes, most);
    }
    const frames = sentFrames(protocol);
    assertStrictEquals(frames.length, 501);
    assertEquals(frames.at(-1), [10, toHex(concat("more 499"))]);
  });
});

test("CT-3, CT-4: Pongs that nobody asked for are reported, and no more", () => {
  eachRole((protocol, role) => {
    const pong = peerFrame(role, { opcode: "pong", payload: "wrong" });
    protocol.receive(pong.slice());
    protocol.ping(concat("right"));
    for (let index = 0; index < 3; index++) protocol.receive(pong.slice());
    const event = { type: "pong", payload: concat("wrong") };
    assertEquals<unknown>(allEvents(protocol), [event, event, event, event]);
    assertEquals(sentFrames(protocol), [[9, toHex(concat("right"))]]);
    for (let index = 0; index < 20_000; index++) {
      protocol.receive(pong.slice());
      protocol.takeEvents();
    }
    assertEquals([protocol.state, protocol.outputBytes], ["open", 0]);
  });
});

/** Whether a Close frame with `code` and `reason` has the right effect. */
function isJudgedRight(
  role: Role,
  bytes: Uint8Array,
  code: number,
  reason: string,
): boolean {
  const protocol = new Protocol({ role });
  protocol.receive(bytes);
  const [event] = protocol.takeEvents();
  const answer = parseFrame(protocol.takeOutput()!)!.payload;
  protocol.takeOutput(); // gives the memory back
  return isSendableCode(code)
    ? event?.type === "close" && event.code === code &&
      event.reason === reason && closeCode(answer) === code &&
      answer.length === 2 + reason.length
    : event?.type === "failed" && closeCode(answer) === 1002 &&
      event.error.reason === "invalid-close-code";
}

test("CL-1: close codes 0 to 65535 that arrive are echoed or refused", () => {
  withoutStacks(() => {
    for (const role of ROLES) {
      const reasons = ["", "why"];
      const frames = reasons.map((reason) =>
        peerFrame(role, { opcode: "close", payload: closePayload(0, reason) })
      );
      // A masked code starts behind the key; masking is XOR.
      const codeAt = role === "server" ? 6 : 2;
      // Above 4999 all codes are alike, to both sides.
      const most = role === "server" ? 0xffff : 6_000;
      for (let code = 0; code <= most; code++) {
        const bytes = frames[code % 2]!.slice();
        bytes[codeAt]! ^= code >> 8;
        bytes[codeAt + 1]! ^= code & 0xff;
        if (!isJudgedRight(role, bytes, code, reasons[code % 2]!)) {
          throw new Error(`Close code ${code} to a ${role}`);
        }
      }
    }
  });
});

test("CL-1: close codes 0 to 65535 that we send arrive or are refused", () => {
  withoutStacks(() => {
    for (let code = 0; code <= 0xffff; code++) {
      const server = new Protocol({ role: "server" });
      let refused = false;
      try {
        server.close(code, "why");
      } catch (error) {
        refused = error instanceof RangeError;
      }
      assert(refused === !isSendableCode(code), `${code}`);
      assert(refused === (server.outputBytes === 0), `${code}`);
      if (refused) continue;
      const client = new Protocol({ role: "client" });
      client.receive(allOutput(server));
      const [event] = client.takeEvents();
      assert(event?.type === "close" && event.code === code, `${code}`);
    }
  });
});

test("CL-3: Close frames with a bad payload", () => {
  const cases: [payload: Uint8Array, reason: string][] = [
    [hex("03"), "invalid-close-length"],
    [closePayload(1000, "a".repeat(124)), "control-too-long"],
    [closePayload(1000, hex("ff")), "invalid-utf8"],
    [closePayload(1006), "invalid-close-code"],
  ];
  for (const [payload, reason] of cases) {
    eachRole((protocol, role) => {
      const bytes = peerFrame(role, { opcode: "close", payload });
      assertFails(protocol, bytes, reason);
    });
  }
});

test("CL-4: after the peer's Close nothing counts, not even another Close", () => {
  eachRole((protocol, role) => {
    const close = peerFrame(role, { opcode: "close", payload: hex("0f a0") });
    protocol.receive(
      concat(close, peerFrame(role, { payload: "late" }), close),
    );
    assertEquals(allEvents(protocol), [
      { type: "close", code: 4000, reason: "" },
    ]);
    assertEquals(sentFrames(protocol), [closeFrame(4000)]);
    protocol.receive(concat(close, peerFrame(role, { opcode: "ping" })));
    assertEquals(allEvents(protocol), []);
    // A Pong after the peer's Close would be for nobody.
    assertStrictEquals(protocol.pong(), false);
    assertEquals(sentFrames(protocol), []);
  });
});

test("CL-4: our Close ends what we send, not what we receive", () => {
  eachRole((protocol, role) => {
    protocol.sendFragment("half", false);
    protocol.close(1001, "gone");
    assertStrictEquals(protocol.sendFragment("more", true), false);
    assertStrictEquals(protocol.sendText("a"), false);
    assertStrictEquals(protocol.sendBinary(concat("a")), false);
    assertStrictEquals(protocol.sendMessage("a"), false);
    assertStrictEquals(protocol.sendPrepared(prepareMessage("a")), false);
    assertStrictEquals(protocol.ping(), false);
    protocol.close(1000);
    assertEquals([protocol.state, protocol.closeExpected], ["closing", true]);
    assertStrictEquals(protocol.endExpected, false);
    assertEquals(sentFrames(protocol), [
      [1, toHex(concat("half"))],
      closeFrame(1001, "gone"),
    ]);
    protocol.receive(concat(
      peerFrame(role, { payload: "still" }),
      peerFrame(role, { opcode: "ping", payload: "?" }),
      peerFrame(role, { opcode: "close" }),
    ));
    assertEquals(allEvents(protocol), [
      { type: "message", data: "still" },
      { type: "ping", payload: concat("?") },
      { type: "close", code: 1005, reason: "" },
    ]);
    assertEquals(sentFrames(protocol), [[10, "3f"]]);
    assertEquals(protocol.sent, { code: 1001, reason: "gone" });
    assertEquals(protocol.received, { code: 1005, reason: "" });
    // The server ends the stream first (RFC 6455, section 7.1.1).
    assertStrictEquals(protocol.endExpected, role === "server");
  });
});

test("CL-7: both sides close at the same time", () => {
  const pair = new ProtocolPair<ProtocolEvent, Protocol>(
    new Protocol({ role: "client" }),
    new Protocol({ role: "server" }),
  );
  pair.client.close(1000, "client");
  pair.server.ping();
  pair.server.close(1001, "server");
  const events = pair.settle();
  const close = { type: "close" };
  assertEquals<unknown>(events.server.at(-1), {
    ...close,
    code: 1000,
    reason: "client",
  });
  assertEquals<unknown>(events.client.at(-1), {
    ...close,
    code: 1001,
    reason: "server",
  });
  assertEquals(pair.client.sent, { code: 1000, reason: "client" });
  assertEquals(pair.server.sent, { code: 1001, reason: "server" });
});

test("CL-9: a close that must not be is the caller's exception, not the wire's", () => {
  eachRole((protocol) => {
    for (const code of [999, 1004, 1005, 1006, 1015, 1016, 5000, NaN]) {
      assertThrows(() => protocol.close(code), RangeError);
    }
    assertThrows(() => protocol.close(1000, "é".repeat(62)), RangeError);
    assertThrows(() => protocol.close(1000, "\udc00"), TypeError);
    assertThrows(() => protocol.close(undefined, "a"), TypeError);
    assertEquals([protocol.state, protocol.outputBytes], ["open", 0]);
    assertStrictEquals(protocol.sent, undefined);
    protocol.close();
    assertEquals(sentFrames(protocol), [[8, ""]]);
  });
});

test("Close and failure come last and are answered when they are taken", () => {
  eachRole((protocol, role) => {
    const ends = [
      [peerFrame(role, { opcode: 8, payload: hex("03 e8") }), "close", 1000],
      [peerFrame(role, { rsv: 1 }), "failed", 1002],
    ] as const;
    for (const [end, type, code] of ends) {
      protocol = new Protocol({ role });
      const question = peerFrame(role, { payload: "question" });
      protocol.receive(concat(question, question, end));
      assertEquals([protocol.pendingEvents, protocol.lastEventPending], [
        2,
        true,
      ]);
      const batch = protocol.takeEvents();
      assertEquals(batch.map((event) => event.type), ["message", "message"]);
      assertEquals([protocol.state, protocol.outputBytes], ["open", 0]);
      assert(protocol.sendText("answer"));
      const [last, ...more] = protocol.takeEvents();
      assertEquals([last?.type, more.length], [type, 0]);
      assertEquals([protocol.state, protocol.lastEventPending], [
        "closing",
        false,
      ]);
      assertStrictEquals(protocol.sendText("too late"), false);
      const [answer, close] = sentFrames(protocol);
      assertEquals(answer, [1, toHex(concat("answer"))]);
      assertStrictEquals(close![1].slice(0, 5), closeFrame(code)[1]);
      assertEquals([...protocol.takeEvents()], []);
      assertStrictEquals(protocol.failure !== undefined, type === "failed");
      assertStrictEquals(protocol.received !== undefined, type === "close");
      const ended = type === "failed" || role === "server";
      assertStrictEquals(protocol.endExpected, ended);
    }
  });
});

test("receiveEnd() ends what is received, replies still leave", () => {
  eachRole((protocol, role) => {
    protocol.receive(concat(
      peerFrame(role, { payload: "question" }),
      peerFrame(role, { opcode: "ping" }),
      peerFrame(role, { payload: "cut off" }).subarray(0, 8),
    ));
    protocol.receiveEnd();
    protocol.receiveEnd();
    protocol.receive(peerFrame(role, { payload: "after" }));
    assertEquals([protocol.state, protocol.closeExpected], ["closed", false]);
    assertEquals(allEvents(protocol), [
      { type: "message", data: "question" },
      { type: "ping", payload: new Uint8Array(0) },
    ]);
    assert(protocol.sendText("answer"));
    protocol.close(1011);
    assertEquals(sentFrames(protocol), [
      [10, ""],
      [1, toHex(concat("answer"))],
      closeFrame(1011),
    ]);
    assertStrictEquals(protocol.received, undefined);
  });
});

test("a Close that arrived before the end is still taken and answered", () => {
  eachRole((protocol, role) => {
    protocol.receive(
      peerFrame(role, { opcode: "close", payload: hex("03e8") }),
    );
    protocol.receiveEnd();
    assertEquals(allEvents(protocol), [
      { type: "close", code: 1000, reason: "" },
    ]);
    assertEquals(sentFrames(protocol), [closeFrame(1000)]);
  });
});

test("abandon() drops output, and what is sent and received from then on", () => {
  eachRole((protocol, role) => {
    protocol.receive(concat(
      peerFrame(role, { payload: "arrived" }),
      peerFrame(role, { opcode: "close" }),
    ));
    protocol.sendText("waiting");
    protocol.sendBinary(new Uint8Array(100_000));
    protocol.abandon();
    assertEquals([protocol.state, protocol.outputBytes], ["closed", 0]);
    assertStrictEquals(protocol.sendText("a"), false);
    assertStrictEquals(protocol.ping(), false);
    assertStrictEquals(protocol.pong(), false);
    protocol.close(1000);
    protocol.receive(peerFrame(role, { payload: "later" }));
    assertEquals(allEvents(protocol).map(({ type }) => type), [
      "message",
      "close",
    ]);
    assertStrictEquals(protocol.takeOutput(), undefined);
    assertStrictEquals(protocol.sent, undefined);
  });
});

test("the limits' defaults, and FG-4, FG-6: limits of one's own", () => {
  eachRole((protocol, role) => {
    const large = peerFrame(role, { payload: "a".repeat(1_048_576) });
    protocol.receive(large);
    assertStrictEquals(allEvents(protocol)[0]?.type, "message");
    const tooBig = peerFrame(role, { length: 1_048_577 });
    assertFails(protocol, tooBig, "message-too-big");
  });
  const endless = (protocol: Protocol, role: Role, payload: string) => {
    protocol.receive(peerFrame(role, { fin: false, payload }));
    const next = peerFrame(role, { fin: false, opcode: 0, payload });
    let count = 1;
    while (!protocol.lastEventPending) {
      protocol.receive(next.slice());
      count++;
    }
    assertStrictEquals(protocol.framesReceived, count);
    const [event] = protocol.takeEvents();
    return [count, event?.type === "failed" && event.error.reason];
  };
  for (const payload of ["", "a"]) {
    eachRole((protocol, role) => {
      const end = endless(protocol, role, payload);
      assertEquals(end, [16_385, "too-many-fragments"], "FG-1, FG-3");
    });
  }
  eachRole((protocol, role) => {
    const end = endless(protocol, role, "a".repeat(10));
    assertEquals(end, [2_001, "message-too-big"]);
  }, { maxFragments: Infinity, maxMessageBytes: 20_000 });
});

test("decoding and transform are used where they are given", () => {
  const decoding = { ascii: () => "ASCII", utf8: () => "UTF-8" };
  const transform = {
    decode: (payload: Uint8Array) => payload.slice().reverse(),
    encode: (payload: Uint8Array) => new Uint8Array(payload).reverse(),
  };
  eachRole((protocol, role) => {
    protocol.receive(concat(
      peerFrame(role, { payload: "a" }),
      peerFrame(role, { payload: "é" }),
      peerFrame(role, { rsv: 4, opcode: "binary", payload: "olleH" }),
    ));
    const data = allEvents(protocol).map((event) =>
      event.type === "message" ? event.data : event
    );
    assertEquals<unknown>(data, ["ASCII", "UTF-8", concat("Hello")]);
    protocol.sendText("abc");
    protocol.sendText("abc", false);
    protocol.sendBinary(concat("abc"));
    protocol.sendBinary(concat("abc"), false);
    const sent = sentFrames(protocol).map(([, payload]) => payload);
    const [plain, reversed] = [toHex(concat("abc")), toHex(concat("cba"))];
    assertEquals(sent, [reversed, plain, reversed, plain]);
  }, { decoding, transform });
});

test("PM-9: a transform is released with the transport", () => {
  let released = 0;
  const transform = {
    decode: (payload: Uint8Array) => payload.slice(),
    encode: () => undefined,
    release: () => void released++,
  };
  const protocol = new Protocol({ role: "server", transform });
  protocol.close(1000);
  assertEquals(released, 0);
  protocol.abandon();
  assertEquals(released, 1);
});

test("AP-1: what is neither text nor bytes is refused, and nothing is sent", () => {
  const protocol = new Protocol({ role: "server" });
  const wrong = [5, null, undefined, {}, [1], new Float32Array(2), "text"];
  for (const value of wrong) {
    const bytes = value as Uint8Array;
    assertThrows(() => protocol.sendBinary(bytes), TypeError);
    if (value !== undefined) {
      assertThrows(() => protocol.ping(bytes), TypeError);
      assertThrows(() => protocol.pong(bytes), TypeError);
    }
    if (typeof value === "string") continue;
    const text = value as unknown as string;
    assertThrows(() => protocol.sendText(text), TypeError);
    assertThrows(() => protocol.sendMessage(text), TypeError);
    assertThrows(() => protocol.sendFragment(text, true), TypeError);
  }
  assertEquals(protocol.takeOutput(), undefined);
});

test("CT-2: a flood of Pings while output waits is told, and ends with it", () => {
  const protocol = new Protocol({ role: "server" });
  const ping = () =>
    protocol.receive(frame({ opcode: 9, mask: true, payload: "p" }));
  ping();
  for (let count = 0; count < 63; count++) ping();
  assertEquals(protocol.isFlooded, false);
  ping();
  assertEquals(protocol.isFlooded, true);
  while (protocol.takeOutput() !== undefined);
  assertEquals(protocol.isFlooded, false);
  ping();
  assertEquals(protocol.isFlooded, false);
});

test("connections may share options, absent ones have their defaults", () => {
  const all = {
    role: "server",
    maxMessageBytes: 3,
    maxFragments: 1,
    decoding: plainDecoding,
    cheapArrayBytes: 64,
  } as const;
  for (const options of [all, all, { role: "server", maxMessageBytes: 3 }]) {
    const protocol = new Protocol(options as ProtocolOptions);
    protocol.receive(frame({ mask: true, payload: "abc" }));
    assertEquals(protocol.takeEvents(), [{ type: "message", data: "abc" }]);
    protocol.receive(frame({ mask: true, payload: "abcd" }));
    assertEquals(protocol.takeEvents()[0]!.type, "failed");
    assertEquals(protocol.failure!.reason, "message-too-big");
  }
});

test("a protocol that has received nothing has nothing to tell", () => {
  const protocol = new Protocol({ role: "client" });
  assertEquals(protocol.takeEvents(), []);
  assertEquals([protocol.pendingEvents, protocol.framesReceived], [0, 0]);
  assertEquals([protocol.lastEventPending, protocol.isFlooded], [false, false]);
  protocol.receive(frame({ payload: "a" }));
  assertEquals([protocol.pendingEvents, protocol.framesReceived], [1, 1]);
  protocol.receiveEnd();
  protocol.receive(frame({ payload: "too late" }));
  assertEquals(protocol.takeEvents(), [{ type: "message", data: "a" }]);
  assertEquals(protocol.pendingEvents, 0);
});
