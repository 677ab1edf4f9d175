/** Options that cannot have been meant. */
import {
  alike,
  checkAmount,
  checkKeys,
  checkSignal,
  checkType,
} from "../../connection/check.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";

test("unknown keys are refused by name", () => {
  const known = new Set(["a"]);
  checkKeys("test", {}, known);
  checkKeys("test", { a: 1 }, known);
  assertThrows(
    () => checkKeys("test", { a: 1, b: 2 }, known),
    TypeError,
    ": b",
  );
  for (const value of [null, undefined, 5, "x", true]) {
    assertThrows(() => checkKeys("test", value, known), TypeError);
  }
  assertThrows(() => checkAmount("test", "x", undefined), TypeError);
  assertThrows(() => checkKeys("test", ["a"], known), TypeError, "options are");
  assertThrows(
    () => checkKeys("test", "a", known, "b"),
    TypeError,
    ": b is not",
  );
  assertThrows(
    () => checkKeys("test", { c: 1 }, known, "b"),
    TypeError,
    ": b.c",
  );
});

test("a name that was learnt elsewhere is told the one that it has here", () => {
  const known = ["subprotocols", "openTimeoutMs", "pingTimeoutMs", "message"];
  assertEquals(alike("protocols", known), "; did you mean subprotocols?");
  assertEquals(alike("onMessage", known), "; did you mean message?");
  assertEquals(
    alike("timeoutms", known),
    "; did you mean openTimeoutMs or pingTimeoutMs?",
  );
  assertEquals(alike("agent", known), "");
  // It would be in half of all names.
  assertEquals(alike("ms", known), "");
});

test("an option of another type is refused by its name, an absent one is not", () => {
  checkType("listen", "path", undefined, "string");
  checkType("listen", "path", "", "string");
  for (const value of [null, 1, {}, () => {}]) {
    assertThrows(
      () => checkType("listen", "path", value, "string"),
      TypeError,
      "Cannot listen: path is not a string",
    );
  }
});

test("a signal is an AbortSignal, or absent", () => {
  checkSignal("dial", undefined);
  checkSignal("dial", AbortSignal.abort());
  for (const value of [null, new AbortController(), {}]) {
    assertThrows(
      () => checkSignal("dial", value),
      TypeError,
      "Cannot dial: signal is not an AbortSignal",
    );
  }
});
