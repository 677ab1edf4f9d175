import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";
import {
  DIAL_FAILURES,
  type DialFailureReason,
  HandshakeError,
} from "../../codec/handshake_error.ts";
import { HeaderList } from "../../codec/header_list.ts";
import { REFUSALS } from "../../codec/refusal.ts";

test("HandshakeError carries reason, response and cause", () => {
  const headers = HeaderList.from([["a", "b"]]);
  const body = Uint8Array.of(1);
  const cause = new Error("underneath");
  const options = { status: 404, headers, body, cause };
  const error = new HandshakeError("bad-status", "No", options);
  assert(error instanceof Error);
  assertEquals([error.name, error.message, error.reason, error.status], [
    "HandshakeError",
    "No",
    "bad-status",
    404,
  ]);
  assertStrictEquals(error.headers, headers);
  assertStrictEquals(error.body, body);
  assertStrictEquals(error.cause, cause);
});

test("HandshakeError needs no response and no cause", () => {
  const error = new HandshakeError("open-timeout", "Too late");
  assertEquals([error.status, error.headers, error.body], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals("cause" in error, false);
});

test("reasons are in kebab case, and each belongs to one side", () => {
  const reasons = Object.keys(DIAL_FAILURES) as DialFailureReason[];
  for (const reason of reasons) {
    assert(/^[a-z]+(-[a-z]+)*$/.test(reason), reason);
    assert(!(reason in REFUSALS), reason);
    assert(DIAL_FAILURES[reason].length > 0);
  }
});
