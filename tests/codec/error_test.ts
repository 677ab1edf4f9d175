import { PROTOCOL_CLOSE_CODES, ProtocolError } from "../../codec/error.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";

test("ProtocolError carries its reason and the reason's close code", () => {
  for (const [reason, code] of Object.entries(PROTOCOL_CLOSE_CODES)) {
    const error = new ProtocolError(
      reason as keyof typeof PROTOCOL_CLOSE_CODES,
    );
    assert(error instanceof Error);
    assertStrictEquals(error.name, "ProtocolError");
    assert(error.message.length > 0);
    assertEquals([error.reason, error.code], [reason, code]);
  }
});
