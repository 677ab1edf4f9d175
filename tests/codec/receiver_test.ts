import type { ProtocolEvent } from "../../codec/event.ts";
import type { Role } from "../../codec/frame.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import { allocations } from "../harness/allocations.ts";
import { concat, hex } from "../harness/bytes.ts";
import { closePayload, frame } from "../harness/frame.ts";
import { seededRandom } from "../harness/random.ts";
import { assertParses, cutEvery } from "../harness/split.ts";
import { peerFrame } from "./peer_frame.ts";
import {
  failed,
  message,
  outcome,
  ROLES,
  subject,
  takeAll,
} from "./receiver/subject.ts";

const MIB = 1_048_576;

test("the examples of RFC 6455, section 5.7, however they are cut", () => {
  const toClient = "81 05 48 65 6c 6c 6f  01 03 48 65 6c 80 02 6c 6f" +
    "89 05 48 65 6c 6c 6f  8a 05 48 65 6c 6c 6f";
  const toServer = "81 85 37 fa 21 3d 7f 9f 4d 51 58" +
    "8a 85 37 fa 21 3d 7f 9f 4d 51 58";
  const hello = concat("Hello");
  const bytes: Record<Role, Uint8Array> = {
    client: concat(
      hex(toClient),
      hex("82 7e 01 00"),
      new Uint8Array(256),
      hex("82 7f 00 00 00 00 00 01 00 00"),
      new Uint8Array(65_536),
    ),
    server: hex(toServer),
  };
  const events: Record<Role, ProtocolEvent[]> = {
    client: [
      message("Hello"),
      message("Hello"),
      { type: "ping", payload: hello },
      { type: "pong", payload: hello },
      message(new Uint8Array(256)),
      message(new Uint8Array(65_536)),
    ],
    server: [message("Hello"), { type: "pong", payload: hello }],
  };
  for (const role of ROLES) {
    const create = () => {
      const { receiver } = subject(role);
      return {
        push(chunk: Uint8Array) {
          receiver.receive(chunk);
          return takeAll(receiver);
        },
      };
    };
    assertParses(create, bytes[role], events[role]);
  }
});

test("every kind of frame, however the bytes are cut", () => {
  for (const role of ROLES) {
    const long = "é€😀".repeat(40);
    const bytes = concat(
      peerFrame(role, { payload: "" }),
      peerFrame(role, { opcode: "binary" }),
      peerFrame(role, { opcode: "ping" }),
      peerFrame(role, { payload: long }),
      peerFrame(role, { fin: false, opcode: "binary", payload: "ab" }),
      peerFrame(role, { opcode: "ping", payload: "between" }),
      peerFrame(role, { fin: false, opcode: "continuation" }),
      peerFrame(role, { opcode: "pong", payload: "x".repeat(125) }),
      peerFrame(role, { opcode: "continuation", payload: "c" }),
      peerFrame(role, { fin: false, payload: "€".repeat(50) }),
      peerFrame(role, { opcode: "continuation" }),
      peerFrame(role, { opcode: "pong" }),
      peerFrame(role, { opcode: "close", payload: closePayload(1000, "bye") }),
      peerFrame(role, { payload: "too late" }),
    );
    const create = () => {
      const { receiver } = subject(role);
      return {
        push(chunk: Uint8Array) {
          receiver.receive(chunk);
          chunk.fill(0x21); // it was only lent
          return takeAll(receiver);
        },
      };
    };
    assertParses(create, bytes, [
      message(""),
      message(new Uint8Array(0)),
      { type: "ping", payload: new Uint8Array(0) },
      message(long),
      { type: "ping", payload: concat("between") },
      { type: "pong", payload: concat("x".repeat(125)) },
      message(concat("abc")),
      message("€".repeat(50)),
      { type: "pong", payload: new Uint8Array(0) },
      { type: "close", code: 1000, reason: "bye" },
    ]);
  }
});

test("FR-7: a wrong mask bit fails at byte 2, with no other event", () => {
  for (const role of ROLES) {
    const reason = role === "server" ? "mask-required" : "mask-forbidden";
    for (const opcode of ["text", "close", "ping"] as const) {
      for (const payload of ["", closePayload(1000)]) {
        const mask = role === "client";
        const bytes = frame({ opcode, payload, mask });
        assertEquals(outcome(role, bytes), failed(reason));
        assertEquals(outcome(role, bytes.subarray(0, 1)), []);
        assertEquals(outcome(role, bytes.subarray(0, 2)), failed(reason));
      }
    }
  }
});

test("FR-8: after a failure 10 MiB more lead to nothing", () => {
  const noise = seededRandom(8).bytes(65_536);
  for (const role of ROLES) {
    const { receiver, sender } = subject(role);
    receiver.receive(peerFrame(role, { rsv: 1 }));
    assertEquals(takeAll(receiver).map(({ type }) => type), ["failed"]);
    const { frames } = receiver;
    const good = peerFrame(role, { opcode: "ping", payload: "still there?" });
    const made = allocations(() => {
      for (let index = 0; index < 160; index++) {
        receiver.receive(noise);
        receiver.receive(good);
      }
    });
    assertEquals(made, []);
    assertEquals(takeAll(receiver), []);
    assertStrictEquals(receiver.frames, frames);
    assertStrictEquals(sender.take(), undefined);
  }
});

test("FR-10: what follows an error in the same chunk is never seen", () => {
  for (const role of ROLES) {
    const good = peerFrame(role, { payload: "good" });
    const bad: Record<string, Uint8Array> = {
      "reserved-bits": peerFrame(role, { rsv: 2 }),
      "unexpected-continuation": peerFrame(role, { opcode: 0, payload: "a" }),
      "invalid-utf8": peerFrame(role, { payload: hex("ff") }),
      "invalid-close-length": peerFrame(role, { opcode: 8, payload: "a" }),
      "invalid-close-code": peerFrame(role, {
        opcode: 8,
        payload: closePayload(1005),
      }),
      "message-too-big": peerFrame(role, { length: MIB + 1 }),
    };
    for (const [reason, bytes] of Object.entries(bad)) {
      const events = outcome(role, concat(good, bytes, good, good));
      assertEquals(events, [message("good"), ...failed(reason)]);
    }
  }
});

test("FR-11: 1 MiB of frames of two bytes, all delivered in order", () => {
  for (const role of ROLES) {
    const one = peerFrame(role, { opcode: "binary", payload: hex("00 00") });
    const count = MIB / one.length;
    const bytes = new Uint8Array(MIB);
    for (let index = 0; index < count; index++) {
      const end = (index + 1) * one.length;
      bytes.set(one, end - one.length);
      // Masking is XOR: a payload of zeroes takes the number like any other.
      bytes[end - 2]! ^= index >> 8;
      bytes[end - 1]! ^= index;
    }
    const { receiver } = subject(role);
    receiver.receive(bytes);
    assertEquals([receiver.pendingEvents, receiver.frames], [count, count]);
    for (const [index, event] of takeAll(receiver).entries()) {
      const data = event.type === "message" ? event.data : "";
      const right = data.length === 2 && data[0] === (index >> 8 & 0xff) &&
        data[1] === (index & 0xff);
      if (!right) throw new Error(`Message ${index} is wrong`);
    }
  }
});

test("FG-7: control frames between fragments, and frames out of order", () => {
  for (const role of ROLES) {
    const start = peerFrame(role, { fin: false, payload: "a" });
    const end = peerFrame(role, { opcode: 0, payload: "b" });
    const ping = peerFrame(role, { opcode: "ping" });
    const close = peerFrame(role, { opcode: "close" });
    const fresh = peerFrame(role, { payload: "new" });
    const none = new Uint8Array(0);
    assertEquals(outcome(role, concat(start, ping, end)), [
      { type: "ping", payload: none },
      message("ab"),
    ]);
    // The message is lost, the closing handshake is not (RFC 6455, section 5.4).
    assertEquals(outcome(role, concat(start, close, end)), [
      { type: "close", code: 1005, reason: "" },
    ]);
    assertEquals(outcome(role, end), failed("unexpected-continuation"));
    assertEquals(
      outcome(role, concat(start, fresh)),
      failed("expected-continuation"),
    );
    for (const opcode of ["close", "ping", "pong"] as const) {
      const fragmented = peerFrame(role, { fin: false, opcode });
      assertEquals(outcome(role, fragmented), failed("fragmented-control"));
    }
  }
});

test("UT-1: bad text fails on arrival of the bad byte, before FIN", () => {
  for (const role of ROLES) {
    const bytes = peerFrame(role, {
      fin: false,
      payload: concat("ab", hex("e2 82"), "c".repeat(100)),
    });
    const badAt = bytes.length - 100;
    assertEquals(outcome(role, bytes.subarray(0, badAt)), []);
    const atBadByte = bytes.subarray(0, badAt + 1);
    assertEquals(outcome(role, atBadByte), failed("invalid-utf8"));
    // A character that the end cuts off.
    const cut = peerFrame(role, { payload: hex("61 e2 82") });
    for (const size of [1, 2, 100]) {
      const { receiver } = subject(role);
      for (const chunk of cutEvery(cut, size)) receiver.receive(chunk);
      assertStrictEquals(receiver.last?.type, "failed");
    }
    const fragments = concat(
      peerFrame(role, { fin: false, payload: hex("61 e2 82") }),
      peerFrame(role, { opcode: 0 }),
    );
    assertEquals(outcome(role, fragments), failed("invalid-utf8"));
  }
});

test("the payload of a control frame belongs to the receiver", () => {
  const { receiver } = subject("server");
  const bytes = concat(
    peerFrame("server", { opcode: "ping", payload: "one" }),
    peerFrame("server", { opcode: "pong", payload: "two" }),
  );
  receiver.receive(bytes);
  bytes.fill(0);
  const [ping, pong] = receiver.takeEvents();
  assert(ping?.type === "ping" && pong?.type === "pong");
  assertEquals([ping.payload, pong.payload], [concat("one"), concat("two")]);
  assert(ping.payload.buffer !== bytes.buffer, "the chunk is pinned");
  assert(ping.payload.buffer !== pong.payload.buffer);
});

test("small messages of different chunks share no memory", () => {
  const { receiver } = subject("client");
  const bytes = concat(
    frame({ opcode: "binary", payload: "small" }),
    frame({ opcode: "pong", payload: "x".repeat(100) }),
  );
  const buffers = [0, 1, 2].map(() => {
    receiver.receive(bytes.slice());
    const [event] = takeAll(receiver);
    assert(event?.type === "message" && event.data instanceof Uint8Array);
    return event.data.buffer;
  });
  assertStrictEquals(new Set(buffers).size, 3);
});

test("CT-2: while output waits only the latest Ping is answered", () => {
  const { receiver, sender } = subject("server");
  const pings = (...payloads: string[]) =>
    concat(
      ...payloads.map((payload) =>
        peerFrame("server", { opcode: "ping", payload })
      ),
    );
  const pong = (payload: string) => frame({ opcode: "pong", payload });
  // Nothing waits: all of one chunk are answered.
  receiver.receive(pings("1", "2"));
  assertStrictEquals(sender.output.byteLength, 6);
  receiver.receive(pings("3", "4"));
  receiver.receive(pings("5", "6"));
  assertStrictEquals(sender.output.byteLength, 6);
  assertEquals(sender.take(), concat(pong("1"), pong("2"), pong("6")));
  assertStrictEquals(sender.take(), undefined);
  receiver.receive(pings("7"));
  assertEquals(sender.take(), pong("7"));
  // They are all reported.
  assertStrictEquals(receiver.pendingEvents, 7);
});

test("an empty chunk changes nothing", () => {
  const { receiver } = subject("client");
  const none = new Uint8Array(0);
  receiver.receive(none);
  for (const byte of frame({ payload: "Hello" })) {
    receiver.receive(Uint8Array.of(byte));
    receiver.receive(none);
  }
  assertEquals(takeAll(receiver), [message("Hello")]);
  assertStrictEquals(receiver.pendingEvents, 0);
});

test("a transform gives RSV1 a meaning on messages, and only there", () => {
  const transform = {
    decode: (payload: Uint8Array) => payload.slice().reverse(),
    encode: () => undefined,
  };
  for (const role of ROLES) {
    const compressed = peerFrame(role, { rsv: 4, payload: "olleH" });
    assertEquals(outcome(role, compressed), failed("reserved-bits"));
    assertEquals(outcome(role, compressed, { transform }), [message("Hello")]);
    for (const opcode of ["continuation", "ping"] as const) {
      const bytes = peerFrame(role, { rsv: 4, opcode });
      const events = outcome(role, bytes, { transform });
      assertEquals(events, failed("reserved-bits"));
    }
  }
});

test("a short frame is told from what it is not", () => {
  for (const role of ROLES) {
    const short = peerFrame(role, { payload: "ab" });
    // Between fragments it interrupts; behind a byte of its own header it does not.
    const first = peerFrame(role, { payload: "x", fin: false });
    assertEquals(
      outcome(role, concat(first, short)),
      failed("expected-continuation"),
    );
    const { receiver } = subject(role);
    receiver.receive(short.slice(0, 1));
    // What follows the first byte looks like the beginning of a frame.
    receiver.receive(concat(short.slice(1), short));
    assertEquals(takeAll(receiver), [message("ab"), message("ab")]);
    // A mask bit that must not be there, or is missing.
    const other = role === "server" ? "client" : "server";
    assertEquals(
      outcome(role, peerFrame(other, { payload: "ab" })),
      failed(role === "server" ? "mask-required" : "mask-forbidden"),
    );
  }
});

test("AB23: what is no payload is counted, in whole headers and in parts", () => {
  for (const role of ROLES) {
    const { receiver } = subject(role);
    const bare = role === "server" ? 6 : 2;
    const read = (bytes: Uint8Array): number => {
      receiver.receive(bytes);
      return receiver.overheadBytes;
    };
    assertStrictEquals(receiver.overheadBytes, 0);
    assertStrictEquals(read(peerFrame(role, { payload: "abc" })), bare);
    const long = peerFrame(role, { payload: new Uint8Array(126) });
    assertStrictEquals(read(long.slice(0, 1)), bare + 1);
    assertStrictEquals(read(long.slice(1)), bare * 2 + 2);
    const longer = peerFrame(role, { payload: new Uint8Array(65_536) });
    assertStrictEquals(read(longer), bare * 3 + 2 + 8);
    const close = peerFrame(role, { opcode: "close" });
    assertStrictEquals(read(concat(close, long)), bare * 4 + 10 + long.length);
    assertStrictEquals(read(long), bare * 4 + 10 + long.length * 2);
  }
});
