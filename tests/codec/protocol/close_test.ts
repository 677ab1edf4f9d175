/** How a conversation ends (RFC 6455, sections 5.5.1 and 7). */
import { isSendableCode } from "../../../codec/close.ts";
import type { ProtocolEvent } from "../../../codec/event.ts";
import type { Role } from "../../../codec/frame.ts";
import { prepareMessage } from "../../../codec/prepared.ts";
import { Protocol } from "../../../codec/protocol.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
  test,
} from "../../harness.ts";
import { concat, hex, toHex } from "../../harness/bytes.ts";
import { closeCode, closePayload, parseFrame } from "../../harness/frame.ts";
import {
  allEvents,
  allOutput,
  assertFails,
  ProtocolPair,
} from "../../harness/protocol_pair.ts";
import { peerFrame } from "../peer_frame.ts";
import { closeFrame, eachRole, ROLES, sentFrames } from "./each_role.ts";

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
