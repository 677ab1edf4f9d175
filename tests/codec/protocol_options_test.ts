import { Protocol } from "../../codec/protocol.ts";
import {
  DEFAULT_MAX_FRAGMENTS,
  DEFAULT_MAX_MESSAGE_BYTES,
  type ProtocolOptions,
  withDefaults,
} from "../../codec/protocol_options.ts";
import { plainDecoding } from "../../codec/text_decoding.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";
import { frame } from "../harness/frame.ts";

const COMPLETE = {
  role: "server",
  maxMessageBytes: 3,
  maxFragments: 1,
  decoding: plainDecoding,
  cheapArrayBytes: 64,
} as const;

test("withDefaults() fills in what is absent, each for itself", () => {
  const defaults = {
    maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
    maxFragments: DEFAULT_MAX_FRAGMENTS,
    decoding: plainDecoding,
    cheapArrayBytes: 0,
    transform: undefined,
  };
  assertEquals(withDefaults({ role: "client" }), defaults);
  const { role: _, ...values } = { ...COMPLETE, transform: undefined };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const options = { ...COMPLETE, [name]: undefined } as ProtocolOptions;
    const expected = { ...values, [name]: defaults[name] };
    const { role: _, ...filled } = {
      role: "server",
      transform: undefined,
      ...withDefaults(options),
    };
    assertEquals(filled, expected, name);
  }
});

test("withDefaults() keeps a transform, and what is complete", () => {
  const transform = {
    decode: (payload: Uint8Array) => payload,
    encode: () => undefined,
  };
  const filled = withDefaults({ role: "client", transform });
  assertStrictEquals(filled.transform, transform);
  assertStrictEquals<unknown>(withDefaults(COMPLETE), COMPLETE);
});

test("connections may share options, absent ones have their defaults", () => {
  const few = { role: "server", maxMessageBytes: 3 } as const;
  for (const options of [COMPLETE, COMPLETE, few]) {
    const protocol = new Protocol(options);
    protocol.receive(frame({ mask: true, payload: "abc" }));
    assertEquals(protocol.takeEvents(), [{ type: "message", data: "abc" }]);
    protocol.receive(frame({ mask: true, payload: "abcd" }));
    assertEquals(protocol.takeEvents()[0]!.type, "failed");
    assertEquals(protocol.failure!.reason, "message-too-big");
  }
});
