import { HeaderList } from "../../codec/header_list.ts";
import { RequestHeadReader } from "../../codec/http.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";

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
  const counts = ["HOST", "set-cookie", "x"].map((name) => list.count(name));
  assertEquals(counts, [1, 2, 0]);
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
