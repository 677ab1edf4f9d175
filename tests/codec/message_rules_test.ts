import {
  type MessageOptions,
  MessageRules,
} from "../../codec/message_rules.ts";
import { plainDecoding } from "../../codec/text_decoding.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";
import { headerOf } from "./peer_frame.ts";

function makeRules(options: Partial<MessageOptions> = {}): MessageRules {
  return new MessageRules({
    maxMessageBytes: 1000,
    maxFragments: 1000,
    decoding: plainDecoding,
    cheapArrayBytes: 0,
    ...options,
  });
}

const START = headerOf({ fin: false, length: 1 });
const GO_ON = headerOf({ fin: false, opcode: "continuation", length: 1 });

test("MessageRules tells what is under way, and forgets it", () => {
  const rules = makeRules();
  assertEquals([rules.isUnderWay, rules.announcedBytes], [false, 0]);
  rules.admit(headerOf({ fin: false, rsv: 4, length: 7 }));
  assertEquals([rules.isText, rules.isCompressed], [true, true]);
  rules.admit(GO_ON);
  assertEquals([rules.isUnderWay, rules.announcedBytes], [true, 8]);
  rules.reset();
  assertEquals([rules.isText, rules.isCompressed], [false, false]);
  assertEquals([rules.isUnderWay, rules.announcedBytes], [false, 0]);
  rules.admit(headerOf({ opcode: "binary" }));
  assertEquals([rules.isText, rules.isCompressed], [false, false]);
});

test("isWhole is true of one frame that is not compressed", () => {
  const rules = makeRules();
  rules.admit(START);
  assertStrictEquals(rules.isWhole, true);
  rules.admit(GO_ON);
  assertStrictEquals(rules.isWhole, false);
  rules.reset();
  rules.admit(headerOf({ rsv: 4 }));
  assertStrictEquals(rules.isWhole, false);
});

test("FG-7: admit() refuses what breaks the order of fragments", () => {
  const rules = makeRules();
  assertStrictEquals(rules.admit(GO_ON), "unexpected-continuation");
  assertStrictEquals(rules.admit(START), undefined);
  assertStrictEquals(rules.admit(START), "expected-continuation");
  const binary = headerOf({ opcode: "binary" });
  assertStrictEquals(rules.admit(binary), "expected-continuation");
  assertStrictEquals(rules.admit(GO_ON), undefined);
  rules.reset();
  assertStrictEquals(rules.admit(GO_ON), "unexpected-continuation");
});

test("FG-4: fragments below the limit, above it together, fail at the header", () => {
  const rules = makeRules({ maxMessageBytes: 1000 });
  const next = { fin: false, opcode: "continuation", length: 400 } as const;
  const first = headerOf({ fin: false, length: 400 });
  assertStrictEquals(rules.admit(first), undefined);
  assertStrictEquals(rules.admit(headerOf(next)), undefined);
  const last = { opcode: "continuation", length: 201 } as const;
  assertStrictEquals(rules.admit(headerOf(last)), "message-too-big");
});

test("FR-2: a header may announce the limit, and one byte more may not", () => {
  const rules = makeRules({ maxMessageBytes: 1000 });
  assertStrictEquals(rules.admit(headerOf({ length: 1000 })), undefined);
  rules.reset();
  const tooBig = headerOf({ length: 1001 });
  assertStrictEquals(rules.admit(tooBig), "message-too-big");
});

test("what deflate cannot shrink it grows a little: that much is let through", () => {
  const rules = makeRules({ maxMessageBytes: 1000 });
  assertStrictEquals(rules.maxWireBytes, 1000);
  const grown = headerOf({ rsv: 4, length: 1065 });
  assertStrictEquals(rules.admit(grown), undefined);
  assertStrictEquals(rules.maxWireBytes, 1065);
  rules.reset();
  const more = headerOf({ rsv: 4, length: 1066 });
  assertStrictEquals(rules.admit(more), "message-too-big");
});

test("FG-1, FG-3: endless fragments, of one byte or none, end at the limit", () => {
  for (const length of [0, 1]) {
    const rules = makeRules({ maxMessageBytes: 1e6 });
    const next = headerOf({ fin: false, opcode: "continuation", length });
    const first = headerOf({ fin: false, length });
    assertStrictEquals(rules.admit(first), undefined);
    for (let count = 2; count <= 1000; count++) {
      assertStrictEquals(rules.admit(next), undefined, `${count}`);
    }
    assertStrictEquals(rules.admit(next), "too-many-fragments");
  }
});

test("FG-6: maxFragments can be lifted, the size limit still holds", () => {
  const options = { maxFragments: Infinity, maxMessageBytes: 20_000 };
  const rules = makeRules(options);
  rules.admit(START);
  for (let count = 2; count <= 20_000; count++) {
    assertStrictEquals(rules.admit(GO_ON), undefined);
  }
  assertStrictEquals(rules.admit(GO_ON), "message-too-big");
});
