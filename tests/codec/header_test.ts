import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  equalsIgnoreCase,
  formatHeader,
  hasToken,
  isHeaderValue,
  isToken,
  isTokenCode,
  parseDistinctTokens,
} from "../../codec/header.ts";

test("isToken() takes exactly the token characters of RFC 9110", () => {
  const expected = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
  for (let code = 0; code < 0x200; code++) {
    const text = String.fromCharCode(code);
    assertEquals(isToken(text), expected.test(text), `code ${code}`);
    assertEquals(isTokenCode(code), expected.test(text), `code ${code}`);
  }
  assertEquals(isToken(""), false);
  assertEquals(isToken("a b"), false);
});

test("isHeaderValue() refuses controls and what Latin-1 lacks", () => {
  for (let code = 0; code < 0x200; code++) {
    const isFine = code === 9 || (code >= 0x20 && code <= 0xff && code !== 127);
    const text = `a${String.fromCharCode(code)}`;
    assertEquals(isHeaderValue(text), isFine, `code ${code}`);
  }
  assert(isHeaderValue(""));
});

test("AP-2: formatHeader() refuses names and values that end a line", () => {
  assertEquals(formatHeader("A", "b\tc"), "A: b\tc\r\n");
  for (const name of ["", "a b", "a:", "a\r\n", "é"]) {
    assertThrows(() => formatHeader(name, ""), TypeError, "invalid name");
  }
  for (const value of ["a\r\nb", "\n", "\r", "\0", "\u0100", "😀"]) {
    assertThrows(() => formatHeader("a", value), TypeError, '"a"');
  }
});

test("equalsIgnoreCase() folds ASCII letters only", () => {
  assert(equalsIgnoreCase("Web-Socket", "wEB-sOCKET"));
  assert(!equalsIgnoreCase("a", "ab"));
  assert(!equalsIgnoreCase("@", "`"));
  assert(!equalsIgnoreCase("[", "{"));
  assert(!equalsIgnoreCase("É", "é"));
});

test("HS-8, HS-9: hasToken() matches whole elements in any line and case", () => {
  assert(hasToken(["WebSocket"], "websocket"));
  assert(hasToken(["keep-alive, Upgrade"], "upgrade"));
  assert(hasToken(["keep-alive", ",\tUPGRADE ,"], "upgrade"));
  assert(hasToken(["h2c, websocket"], "websocket"));
  assert(!hasToken([], "upgrade"));
  assert(!hasToken(["Upgrade-Insecure", "close"], "upgrade"));
  assert(!hasToken(["websocketx"], "websocket"));
  assert(!hasToken(["\u00a0upgrade"], "upgrade"));
});

test("HS-14: parseDistinctTokens() refuses empty, repeated and other elements", () => {
  assertEquals(parseDistinctTokens(["chat, superchat", "x"]), [
    "chat",
    "superchat",
    "x",
  ]);
  assertEquals(parseDistinctTokens([" \ta\t ,\tb "]), ["a", "b"]);
  assertEquals(parseDistinctTokens(["a\u00a0"]), undefined);
  assertEquals(parseDistinctTokens([]), []);
  assertEquals(parseDistinctTokens(["a,A"]), ["a", "A"]);
  for (
    const value of [
      "",
      ",",
      "a,,b",
      "a,",
      ",a",
      "a,a",
      "a b",
      "ä",
      "a/b",
      '"a"',
    ]
  ) assertEquals(parseDistinctTokens([value]), undefined, value);
  assertEquals(parseDistinctTokens(["a", "a"]), undefined);
  const many = Array.from({ length: 10_000 }, (_, index) => `p${index}`);
  assertEquals(parseDistinctTokens([many.join(",")]), many);
});
