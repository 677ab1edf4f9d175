/** AB21: messages in pieces, and the last event out of its turn. */
import { Protocol, type ProtocolEvent } from "../../../codec.ts";
import { assertEquals, assertStrictEquals, test } from "../../harness.ts";
import { concat } from "../../harness/bytes.ts";
import { closePayload, frame, parseFrames } from "../../harness/frame.ts";

function types(events: readonly ProtocolEvent[]): string[] {
  return events.map(({ type }) => type);
}

test("AB21: streamMessages() delivers pieces, with a limit of their own", () => {
  const begun = new Protocol({ role: "client" });
  begun.receive(new Uint8Array(0));
  for (const protocol of [new Protocol({ role: "client" }), begun]) {
    protocol.streamMessages(3);
    protocol.streamMessages(4);
    protocol.receive(frame({ payload: "abc" }));
    assertStrictEquals(protocol.pendingEvents, 3);
    assertEquals(protocol.takeEvents(), [
      { type: "message-begin", binary: false },
      { type: "message-chunk", data: "abc" },
      { type: "message-end" },
    ]);
    protocol.receive(frame({ payload: "abcd" }));
    assertEquals(types(protocol.takeEvents()), ["failed"]);
    assertStrictEquals(protocol.failure?.reason, "message-too-big");
  }
});

test("AB21: without a limit of their own pieces have that of messages", () => {
  const protocol = new Protocol({ role: "client", maxMessageBytes: 2 });
  protocol.streamMessages();
  protocol.receive(concat(frame({ payload: "ab" }), frame({ payload: "abc" })));
  assertStrictEquals(protocol.takeEvents().length, 3);
  assertEquals(types(protocol.takeEvents()), ["failed"]);
});

test("takeLastEvent() answers a Close that waits behind other events", () => {
  const protocol = new Protocol({ role: "client" });
  assertStrictEquals(protocol.takeLastEvent(), undefined);
  protocol.receive(concat(
    frame({ payload: "before" }),
    frame({ opcode: "close", payload: closePayload(1000) }),
  ));
  assertStrictEquals(protocol.takeLastEvent()?.type, "close");
  assertStrictEquals(protocol.takeLastEvent(), undefined);
  assertStrictEquals(protocol.lastEventPending, false);
  const [answer] = parseFrames(protocol.takeOutput()!);
  assertStrictEquals(answer?.opcode, 8);
  assertEquals(types(protocol.takeEvents()), ["message"]);
  assertEquals(protocol.takeEvents(), []);
});
