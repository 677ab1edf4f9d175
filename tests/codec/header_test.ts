import { RequestHeadReader } from "../../codec/http.ts";
import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  equalsIgnoreCase,
  formatHeader,
  hasToken,
  HeaderList,
  isHeaderValue,
  isToken,
  isTokenCode,
  parseDistinctTokens,
  trimOws,
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

test("trimOws() cuts spaces and tabs only", () => {
  assertEquals(trimOws(" \t a b\t "), "a b");
  assertEquals(trimOws(" \t"), "");
  assertEquals(trimOws("\u00a0a\u00a0"), "\u00a0a\u00a0");
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

test("HeaderList finds names in any case", () => {
  const list = HeaderList.from([
    ["Host", "a"],
    ["set-cookie", "1"],
    ["X-Empty", ""],
    ["Set-Cookie", "2"],
  ]);
  assertEquals(list.size, 4);
  assertEquals(list.get("HOST"), "a");
  assertEquals(list.get("x-empty"), "");
  assertEquals(list.get("x-none"), undefined);
  assertEquals(list.get("SET-cookie"), "1, 2");
  assertEquals(list.getAll("Set-Cookie"), ["1", "2"]);
  assertEquals(list.getAll("cookie"), []);
  assertEquals([list.has("host"), list.has("hosts")], [true, false]);
  assertEquals([list.count("set-cookie"), list.count("x")], [2, 0]);
  assertEquals([...list], [
    ["host", "a"],
    ["set-cookie", "1"],
    ["x-empty", ""],
    ["set-cookie", "2"],
  ]);
});

test("HeaderList goes to and comes from the web's Headers", () => {
  const headers = new Headers([["Set-Cookie", "1"], ["Set-Cookie", "2"]]);
  const list = HeaderList.from(headers);
  assertEquals(list.getAll("set-cookie"), ["1", "2"]);
  assertEquals(new Headers([...list]).getSetCookie(), ["1", "2"]);
});

test("HS-16: HeaderList knows no prototype's names", () => {
  const list = HeaderList.from([["__proto__", "x"]]);
  assertEquals(list.get("__proto__"), "x");
  assertEquals(list.get("constructor"), undefined);
  assertEquals(list.has("toString"), false);
});

test("AP-2: HeaderList.from() refuses what may not be sent", () => {
  assertThrows(() => HeaderList.from([["a", "\n"]]), TypeError);
});

test("HeaderList.parse() finds the fields of a text again", () => {
  const reader = new RequestHeadReader();
  const text = "GET / HTTP/1.1\r\nHost: \t a \r\nX-Empty:\r\n" +
    "Set-Cookie: 1:2\r\nX-Blank:  \t \r\n\r\n";
  reader.receive(new TextEncoder().encode(text));
  const fields = reader.head!.headers;
  const again = HeaderList.parse(fields.text);
  assertEquals([...again], [...fields]);
  assertEquals(again.get("host"), "a");
  assertEquals(HeaderList.parse(again.text).get("set-cookie"), "1:2");
  assertEquals([...HeaderList.parse(HeaderList.from([]).text)], []);
});
