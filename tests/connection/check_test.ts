/** Options that cannot have been meant. */
import {
  checkAmount,
  checkKeys,
  checkSignal,
  checkType,
} from "../../connection/check.ts";
import { assertThrows, test } from "../harness.ts";

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
