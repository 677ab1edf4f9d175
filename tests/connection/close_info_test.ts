import {
  ClosedError,
  isOrdinary,
  makeCloseInfo,
} from "../../connection/close_info.ts";
import { printable } from "../../connection/printable.ts";
import { assert, assertEquals, assertStrictEquals, test } from "../harness.ts";

const frame = (code: number, reason = "") => ({ code, reason });

test("a report has the peer's code, or 1006 where the peer sent none", () => {
  assertEquals(
    makeCloseInfo("peer", frame(1000), frame(3000, "x"), undefined),
    {
      code: 3000,
      reason: "x",
      wasClean: true,
      sent: frame(1000),
      received: frame(3000, "x"),
      cause: "peer",
    },
  );
  assertEquals(
    makeCloseInfo("transport-error", undefined, undefined, undefined),
    {
      code: 1006,
      reason: "",
      wasClean: false,
      cause: "transport-error",
    },
  );
  const error = new Error("x");
  const info = makeCloseInfo("local", frame(1011), undefined, error);
  assertEquals([info.code, info.wasClean], [1006, false]);
  assertStrictEquals(info.error, error);
});

test("1000, 1001 and no code are ordinary endings", () => {
  for (
    const [code, expected] of [
      [1000, true],
      [1001, true],
      [1005, true],
      [1006, false],
      [1011, false],
      [3000, false],
    ] as const
  ) {
    const info = makeCloseInfo("peer", undefined, frame(code), undefined);
    assertEquals([code, isOrdinary(info)], [code, expected]);
  }
});

test("AP-5: the message of a ClosedError escapes and bounds the peer's reason", () => {
  const reasons = [
    "\r\n2026-01-01 ERROR forged",
    "\x1b[2J\x07\x00",
    "\u202egnp.exe",
    "\u2028\u2029\u0085",
    "\ud800",
    "x".repeat(123),
    "\u0001".repeat(123),
  ];
  for (const reason of reasons) {
    const info = makeCloseInfo(
      "peer",
      undefined,
      frame(3000, reason),
      undefined,
    );
    const { message } = new ClosedError(info);
    assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(message), message);
    assert(message.length <= 256, `${message.length}`);
    // The report itself says what was said.
    assertEquals(info.reason, reason);
  }
});

test("a ClosedError carries the report, and the error as its cause", () => {
  const cause = new Error("x");
  const info = makeCloseInfo("transport-error", undefined, undefined, cause);
  const error = new ClosedError(info);
  assertEquals([error.name, error.message], [
    "ClosedError",
    "The connection is closed: transport-error, code 1006",
  ]);
  assertStrictEquals(error.cause, cause);
  assertStrictEquals(error.info, info);
});

test("printable() leaves what can be printed alone", () => {
  assertEquals(printable("Grüße, 世界 🐟"), "Grüße, 世界 🐟");
  assertEquals(printable("a\tb\n"), "a\\u{9}b\\u{a}");
  assertEquals(printable("x".repeat(200)), "x".repeat(200));
  assertEquals(printable("x".repeat(201)), `${"x".repeat(200)}…`);
  assertEquals(printable("\n".repeat(1_000_000)).length, 201);
});
