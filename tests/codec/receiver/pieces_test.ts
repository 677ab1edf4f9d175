/** AB21: messages that are delivered in pieces. */
import type { ProtocolEvent } from "../../../codec/event.ts";
import type { Role } from "../../../codec/frame.ts";
import type { MessageOptions } from "../../../codec/message_rules.ts";
import { Receiver } from "../../../codec/receiver.ts";
import { Sender } from "../../../codec/sender.ts";
import { plainDecoding } from "../../../codec/text_decoding.ts";
import type { MessageTransform } from "../../../codec/transform.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  test,
} from "../../harness.ts";
import { concat, hex } from "../../harness/bytes.ts";
import { closePayload, frame, type FrameOptions } from "../../harness/frame.ts";
import { cutEvery, splits } from "../../harness/split.ts";

const ROLES: readonly Role[] = ["server", "client"];

function subject(
  role: Role,
  options: Partial<MessageOptions> = {},
  isStreaming = true,
): { receiver: Receiver; stream(): void } {
  const limits: MessageOptions = {
    maxMessageBytes: 1_048_576,
    maxFragments: 16_384,
    decoding: plainDecoding,
    cheapArrayBytes: 0,
    ...options,
  };
  const sender = new Sender(role, options.transform);
  const receiver = new Receiver(role, limits, sender);
  const stream = () => receiver.deliverPieces(undefined);
  if (isStreaming) stream();
  return { receiver, stream };
}

function bytesOf(role: Role, ...frames: readonly FrameOptions[]): Uint8Array {
  return concat(
    ...frames.map((one) => frame({ mask: role === "server", ...one })),
  );
}

function takeAll(receiver: Receiver): ProtocolEvent[] {
  const events: ProtocolEvent[] = [];
  for (let batch; (batch = receiver.takeEvents()).length > 0;) {
    events.push(...batch);
  }
  if (receiver.last !== undefined) events.push(receiver.last);
  receiver.last = undefined;
  return events;
}

/** Events in short, the chunks of a message joined. */
function short(events: readonly ProtocolEvent[]): unknown[] {
  const seen: unknown[] = [];
  let parts: (string | Uint8Array)[] = [];
  for (const event of events) {
    if (event.type === "message-chunk") {
      assert(event.data.length > 0, "an empty chunk");
      parts.push(event.data);
    } else if (event.type === "message-begin") {
      seen.push(event.binary ? "bytes" : "text");
    } else if (event.type === "message-end") {
      const isText = parts.every((part) => typeof part === "string");
      seen.push(isText ? parts.join("") : [...concat(...parts)], "end");
      parts = [];
    } else if (event.type === "failed") {
      seen.push(event.error.reason);
    } else if (event.type === "message") {
      seen.push(["whole", event.data]);
    } else {
      seen.push(event.type);
    }
  }
  return seen;
}

test("AB21: the pieces of a message are the message, however it is cut", () => {
  for (const role of ROLES) {
    const bytes = bytesOf(
      role,
      { payload: "short" },
      { payload: "grüße, ", fin: false },
      { opcode: "ping", payload: "?" },
      { opcode: "continuation", payload: "🐟".repeat(40), fin: false },
      { opcode: "continuation" },
      { opcode: "binary", payload: hex("00 01 02 ff") },
      { payload: "" },
      { opcode: "close", payload: closePayload(1000) },
    );
    for (const { name, chunks } of splits(bytes)) {
      const { receiver } = subject(role);
      for (const chunk of chunks) receiver.receive(chunk);
      const events = takeAll(receiver);
      assertEquals(short(events), [
        ...["text", "short", "end"],
        ...["text", "ping", `grüße, ${"🐟".repeat(40)}`, "end"],
        ...["bytes", [0, 1, 2, 255], "end"],
        ...["text", "", "end"],
        "close",
      ], name);
      assertEquals(receiver.pendingEvents, 0);
    }
  }
});

test("AB21: chunks come before the frame is complete", () => {
  for (const role of ROLES) {
    const { receiver } = subject(role, { maxMessageBytes: Infinity });
    const head = bytesOf(role, { opcode: "binary", length: 2 ** 30 });
    receiver.receive(head);
    assertEquals(short(receiver.takeEvents()), ["bytes"]);
    for (let i = 0; i < 100; i++) {
      receiver.receive(new Uint8Array(1000), true);
      assertStrictEquals(receiver.pendingEvents, 1);
      const [event] = receiver.takeEvents();
      assert(event?.type === "message-chunk");
      assertStrictEquals(event.data.length, 1000);
    }
  }
});

test("UT-1: bad text in pieces fails on arrival of the bad byte", () => {
  for (const bad of ["ff", "e2 28", "ed a0", "f4 90"]) {
    const { receiver } = subject("client");
    const payload = concat("ok", hex(bad), "later");
    const bytes = frame({ payload, fin: false });
    let count = 0;
    for (const chunk of cutEvery(bytes, 1)) {
      receiver.receive(chunk);
      count++;
      if (receiver.last !== undefined) break;
    }
    assertStrictEquals(count, 2 + 2 + hex(bad).length, bad);
    assertEquals(short(takeAll(receiver)), ["text", "invalid-utf8"]);
  }
  const { receiver } = subject("client");
  receiver.receive(bytesOf("client", { payload: hex("c3") }));
  assertEquals(short(takeAll(receiver)), ["text", "invalid-utf8"]);
});

test("FG-1, FG-4, FG-7: what is refused of whole messages is refused here", () => {
  const start: FrameOptions = { payload: "a", fin: false };
  const cases: [string, Partial<MessageOptions>, FrameOptions[]][] = [
    ["message-too-big", { maxMessageBytes: 3 }, [
      start,
      { opcode: "continuation", payload: "bcd" },
    ]],
    ["message-too-big", {}, [{ length: 2 ** 30 }]],
    ["too-many-fragments", { maxFragments: 2 }, [
      start,
      { opcode: "continuation", fin: false },
      { opcode: "continuation", fin: false },
    ]],
    ["unexpected-continuation", {}, [{ opcode: "continuation" }]],
    ["expected-continuation", {}, [start, { payload: "b" }]],
    ["reserved-bits", {}, [start, { opcode: "continuation", rsv: 4 }]],
  ];
  for (const [reason, options, frames] of cases) {
    const { receiver } = subject("server", options);
    receiver.receive(bytesOf("server", ...frames));
    assertStrictEquals(short(takeAll(receiver)).at(-1), reason);
    receiver.receive(bytesOf("server", { payload: "later" }));
    assertEquals(takeAll(receiver), []);
  }
});

test("a message that began whole ends whole, the next comes in pieces", () => {
  const { receiver, stream } = subject("server", {}, false);
  const bytes = bytesOf(
    "server",
    { payload: "one, ", fin: false },
    { opcode: "continuation", payload: "two" },
    { payload: "three" },
  );
  receiver.receive(bytes.slice(0, 8));
  stream();
  stream();
  receiver.receive(bytes.slice(8));
  assertEquals(short(takeAll(receiver)), [
    ["whole", "one, two"],
    ...["text", "three", "end"],
  ]);
});

/** Turns bytes round, whole or, if it `hasPieces`, piece by piece. */
function inverting(hasPieces: boolean): MessageTransform {
  const invert = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
  let waiting: Uint8Array | undefined;
  return {
    decode: invert,
    encode: invert,
    ...(hasPieces && {
      decodePieces: () => ({
        push: (payload) =>
          void (waiting = payload.length > 0 ? payload : undefined),
        pull() {
          const bytes = waiting;
          waiting = undefined;
          return bytes?.includes(0)
            ? "invalid-deflate"
            : bytes && invert(bytes);
        },
      }),
    }),
  };
}

test("a message with RSV1 comes in pieces where the transform has them", () => {
  const payload = concat("inverted").map((byte) => byte ^ 0xff);
  const frames: FrameOptions[] = [
    { rsv: 4, payload: payload.slice(0, 3), fin: false },
    { opcode: "continuation", payload: payload.slice(3), fin: false },
    { opcode: "continuation" },
    { payload: "plain" },
  ];
  const seen = [true, false].map((hasPieces) => {
    const { receiver } = subject("client", { transform: inverting(hasPieces) });
    receiver.receive(bytesOf("client", ...frames));
    return short(takeAll(receiver));
  });
  assertEquals(seen, [
    ["text", "inverted", "end", "text", "plain", "end"],
    [["whole", "inverted"], "text", "plain", "end"],
  ]);
});

test("what cannot be restored fails in its turn, and ends all", () => {
  const { receiver } = subject("client", { transform: inverting(true) });
  receiver.receive(bytesOf(
    "client",
    { payload: "before" },
    { rsv: 4, payload: hex("00") },
    { payload: "after" },
    { opcode: "close", payload: closePayload(1000) },
  ));
  assertEquals(short(takeAll(receiver)), [
    ...["text", "before", "end", "text"],
    "invalid-deflate",
  ]);
  assertEquals(takeAll(receiver), []);
});

test("pieces have a limit of their own, which the first call sets", () => {
  const { receiver } = subject("client", { maxMessageBytes: 2 }, false);
  receiver.deliverPieces(4);
  receiver.deliverPieces(100);
  receiver.receive(bytesOf("client", { payload: "four" }, { length: 5 }));
  const events = ["text", "four", "end", "message-too-big"];
  assertEquals(short(takeAll(receiver)), events);
});
