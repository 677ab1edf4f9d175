import {
  ABNORMAL_CLOSURE,
  decodeClose,
  encodeClose,
  isSendableCode,
  MAX_REASON_BYTES,
  NO_STATUS,
} from "../../codec/close.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";
import { concat, hex } from "../harness/bytes.ts";
import { closePayload } from "../harness/frame.ts";

/** Codes that may travel, written out (RFC 6455, section 7.4; IANA registry). */
const SENDABLE = new Set([
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...Array.from({ length: 2000 }, (_, index) => 3000 + index),
]);

test("CL-1: isSendableCode() knows the codes 0 to 65535", () => {
  const wrong = [];
  for (let code = 0; code <= 0xffff; code++) {
    if (isSendableCode(code) !== SENDABLE.has(code)) wrong.push(code);
  }
  assertEquals(wrong, []);
});

test("isSendableCode() refuses what is no 16-bit integer", () => {
  const odd = [-1, -1000, 1000.5, 65_536 + 1000, 2 ** 32 + 1000, NaN, Infinity];
  for (const code of odd) assertEquals(isSendableCode(code), false, `${code}`);
});

test("CL-1: decodeClose() judges the codes 0 to 65535, with and without reason", () => {
  const wrong = [];
  for (let code = 0; code <= 0xffff; code++) {
    for (const reason of ["", "going away"]) {
      const close = decodeClose(closePayload(code, reason));
      const right = SENDABLE.has(code)
        ? typeof close === "object" && close.code === code &&
          close.reason === reason
        : close === "invalid-close-code";
      if (!right) wrong.push(code);
    }
  }
  assertEquals(wrong, []);
});

test("CL-1: encodeClose() writes a code that may travel, and refuses others", () => {
  for (let code = 0; code <= 0xffff; code++) {
    if (!SENDABLE.has(code)) continue;
    const payload = encodeClose(code);
    if (payload.length !== 2 || payload[0]! * 256 + payload[1]! !== code) {
      throw new Error(`Wrong payload for ${code}`);
    }
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000]) {
    assertThrows(() => encodeClose(code), RangeError, `${code}`);
  }
});

test("encodeClose() writes code and reason", () => {
  assertEquals(encodeClose(), new Uint8Array(0));
  assertEquals(encodeClose(undefined, ""), new Uint8Array(0));
  assertEquals(encodeClose(1000), hex("03 e8"));
  assertEquals(encodeClose(4999, "é€"), hex("13 87 c3 a9 e2 82 ac"));
});

test("encodeClose() gives the array away", () => {
  encodeClose()[0] = 1;
  encodeClose(1000, "a").fill(0);
  assertEquals(encodeClose(1000, "a"), hex("03 e8 61"));
});

test("CL-9: encodeClose() measures the reason in bytes", () => {
  for (const longest of ["a".repeat(123), "é".repeat(61) + "a"]) {
    assertEquals(encodeClose(1000, longest).length, 2 + MAX_REASON_BYTES);
  }
  assertThrows(() => encodeClose(1000, "a".repeat(124)), RangeError, "124");
  assertThrows(() => encodeClose(1000, "é".repeat(62)), RangeError, "124");
});

test("CL-9: encodeClose() refuses what must not be sent", () => {
  assertThrows(() => encodeClose(NO_STATUS), RangeError, "1005");
  assertThrows(() => encodeClose(ABNORMAL_CLOSURE), RangeError, "1006");
  assertThrows(() => encodeClose(1015), RangeError, "1015");
  assertThrows(() => encodeClose(NaN), RangeError, "NaN");
  assertThrows(() => encodeClose(1000, "\ud800"), TypeError, "surrogate");
  assertThrows(() => encodeClose(1000, "a\udc00b"), TypeError, "surrogate");
  assertThrows(() => encodeClose(undefined, "a"), TypeError, "code");
});

test("AP-1: encodeClose() refuses arguments of the wrong type", () => {
  for (const code of ["1000", null, {}, 1000n, true]) {
    assertThrows(() => encodeClose(code as number), TypeError, "number");
  }
  for (const reason of [1, null, {}, new Uint8Array(2), true]) {
    const wrong = reason as unknown as string;
    assertThrows(() => encodeClose(1000, wrong), TypeError, "string");
  }
});

test("CL-3: decodeClose() refuses a payload of one byte", () => {
  for (let byte = 0; byte < 256; byte++) {
    assertEquals(decodeClose(Uint8Array.of(byte)), "invalid-close-length");
  }
});

test("CL-3: decodeClose() refuses a reason that is not UTF-8", () => {
  for (const bad of ["ff", "80", "61 c3", "ed a0 80", "c0 80", "f4 90 80 80"]) {
    const payload = closePayload(1000, hex(bad));
    assertEquals(decodeClose(payload), "invalid-utf8", bad);
  }
  // The code is judged first: it is what comes first.
  assertEquals(
    decodeClose(closePayload(1005, hex("ff"))),
    "invalid-close-code",
  );
});

test("decodeClose() reads an empty payload, the longest, and a byte order mark", () => {
  assertEquals(decodeClose(new Uint8Array(0)), { code: 1005, reason: "" });
  const reason = "\ufeff" + "€".repeat(40);
  assertEquals(decodeClose(closePayload(1000, reason)), { code: 1000, reason });
});

test("decodeClose() only reads the payload, which may be part of an array", () => {
  const array = concat("xx", closePayload(3000, "ok"), "yy");
  const before = array.slice();
  const close = decodeClose(array.subarray(2, 6));
  assertEquals(close, { code: 3000, reason: "ok" });
  assertEquals(array, before);
});
