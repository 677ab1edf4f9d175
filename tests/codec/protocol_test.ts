import { peerFrame } from "./peer_frame.ts";
import { eachRole, sentFrames } from "./protocol/each_role.ts";
import type { ProtocolEvent } from "../../codec/event.ts";
import type { Role } from "../../codec/frame.ts";
import { prepareMessage } from "../../codec/prepared.ts";
import { Protocol } from "../../codec/protocol.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
  test,
} from "../harness.ts";
import { concat, toHex } from "../harness/bytes.ts";
import { frame } from "../harness/frame.ts";
import {
  allEvents,
  assertFails,
  ProtocolPair,
} from "../harness/protocol_pair.ts";

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
