/** How large messages may be, and what the large ones cost. */
import type { ProtocolEvent } from "../../../codec/event.ts";
import { plainDecoding } from "../../../codec/text_decoding.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  test,
} from "../../harness.ts";
import { allocations } from "../../harness/allocations.ts";
import { concat, hex, sameBytes } from "../../harness/bytes.ts";
import { frame } from "../../harness/frame.ts";
import { peerFrame } from "../peer_frame.ts";
import {
  failed,
  message,
  outcome,
  ROLES,
  subject,
  takeAll,
} from "./subject.ts";

const MIB = 1_048_576;

test("FR-1: 1 GiB announced fails at the header, with nothing allocated", () => {
  for (const role of ROLES) {
    for (const opcode of ["text", "binary"] as const) {
      const { receiver } = subject(role);
      const header = peerFrame(role, { opcode, length: 2 ** 30 });
      let event: ProtocolEvent | undefined;
      const made = allocations(() => {
        receiver.receive(header);
        event = receiver.last;
      });
      assert(event?.type === "failed");
      assertEquals([event.error.reason, event.error.code], [
        "message-too-big",
        1009,
      ]);
      assertEquals(made, []);
      // The rest dribbles in, and goes nowhere.
      takeAll(receiver);
      const dribble = allocations(() => {
        for (let index = 0; index < 100; index++) {
          receiver.receive(header.subarray(0, 1));
        }
      });
      assertEquals([dribble, takeAll(receiver)], [[], []]);
    }
  }
});

test("FR-2: a message at the limit, and one byte above it", () => {
  for (const role of ROLES) {
    for (const limit of [0, 1, 125, 126, 65_536, MIB]) {
      const options = { maxMessageBytes: limit };
      const payload = "a".repeat(limit);
      const fits = peerFrame(role, { payload });
      assertEquals(outcome(role, fits, options), [message(payload)]);
      const tooBig = peerFrame(role, { payload: payload + "a" });
      assertEquals(outcome(role, tooBig, options), failed("message-too-big"));
    }
  }
});

test("FR-3: enormous lengths fail at the header", () => {
  for (const role of ROLES) {
    const ask = (length: bigint) =>
      outcome(role, peerFrame(role, { opcode: "binary", length }));
    for (const length of [2n ** 63n, 2n ** 64n - 1n]) {
      assertEquals(ask(length), failed("length-too-big"));
    }
    const exponents = [31n, 32n, 53n, 63n];
    for (const exponent of exponents) {
      const length = 2n ** exponent;
      assertEquals(ask(length - 1n), failed("message-too-big"));
      if (exponent < 63n) assertEquals(ask(length), failed("message-too-big"));
    }
  }
});

test("FR-3: without a limit enormous lengths are waited for, calmly", () => {
  for (const role of ROLES) {
    for (const length of [2n ** 31n, 2n ** 53n, 2n ** 63n - 1n]) {
      const { receiver } = subject(role, { maxMessageBytes: Infinity });
      receiver.receive(peerFrame(role, { opcode: "binary", length }));
      const some = hex("01 02 03");
      const made = allocations(() => receiver.receive(some));
      assertEquals(made, [262_144]);
      assertEquals(takeAll(receiver), []);
    }
  }
});

test("FR-6: a frame of 1 MiB in chunks of one byte", () => {
  for (
    const [role, opcode] of [["server", "binary"], ["client", "text"]] as const
  ) {
    const payload = new Uint8Array(MIB).fill(0x61);
    const bytes = peerFrame(role, { opcode, payload });
    const { receiver } = subject(role);
    const chunk = new Uint8Array(1);
    for (const byte of bytes) {
      chunk[0] = byte;
      receiver.receive(chunk);
    }
    const [event] = takeAll(receiver);
    assert(event?.type === "message");
    assert(sameBytes(concat(event.data), payload));
  }
});

test("FG-5: many messages are never limited", () => {
  const options = { maxFragments: 2, maxMessageBytes: 10 };
  for (const role of ROLES) {
    const { receiver } = subject(role, options);
    const round = concat(
      ...Array.from({ length: 100 }, () => peerFrame(role, { payload: "a" })),
      ...Array.from({ length: 10 }, () =>
        concat(
          peerFrame(role, { fin: false, payload: "12345" }),
          peerFrame(role, { opcode: "continuation", payload: "67890" }),
        )),
    );
    let count = 0;
    for (let index = 0; index < 1_000; index++) {
      receiver.receive(round.slice());
      count += takeAll(receiver).length;
    }
    assertStrictEquals(count, 110_000);
    assertStrictEquals(receiver.last, undefined);
  }
});

test("limits hold for the shortest messages too", () => {
  for (const role of ROLES) {
    const bytes = peerFrame(role, { payload: "abc" });
    assertEquals(
      outcome(role, bytes, { maxMessageBytes: 2 }),
      failed("message-too-big"),
    );
    assertEquals(
      outcome(role, bytes, { maxFragments: 0 }),
      failed("too-many-fragments"),
    );
    assertEquals(outcome(role, bytes, { maxMessageBytes: 3 }).length, 1);
  }
});

test("a message that no string can hold fails like one over the limit", () => {
  const decoding = {
    ...plainDecoding,
    ascii: () => {
      throw new RangeError("Invalid string length");
    },
  };
  assertEquals(
    outcome("client", frame({ payload: "long" }), { decoding }),
    failed("message-too-big"),
  );
});
