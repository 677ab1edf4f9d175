import { LineSplitter } from "../../cli/lines.ts";
import { assertEquals, assertThrows, test } from "../harness.ts";

const TEXT = "one\r\n\ntwo \u2028 \u2029 \u0085 \r three\nü €😀\nlast\r";
const LINES = [
  "one",
  "",
  "two \u2028 \u2029 \u0085 \r three",
  "ü €😀",
  "last\r",
];

test("lines are the same, however their bytes arrive", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter();
    const lines = [];
    for (let at = 0; at < bytes.length; at += size) {
      lines.push(...splitter.receive(bytes.subarray(at, at + size)));
    }
    assertEquals([...lines, ...splitter.end()], LINES, `${size}`);
  }
});

test("an end of line at the end begins no other", () => {
  const splitter = new LineSplitter();
  assertEquals(splitter.receive(new TextEncoder().encode("one\n")), ["one"]);
  assertEquals(splitter.end(), []);
});

test("what is no UTF-8 is replaced, cut short too", () => {
  const splitter = new LineSplitter();
  assertEquals(splitter.receive(Uint8Array.of(0xff, 0x0a, 0xc3)), ["\ufffd"]);
  assertEquals(splitter.end(), ["\ufffd"]);
});

test("a line that is too long is given up, others are not", () => {
  const splitter = new LineSplitter(10);
  const receive = (text: string) =>
    splitter.receive(new TextEncoder().encode(text));
  assertEquals(receive("0123456789\n012345"), ["0123456789"]);
  assertEquals(receive("6789\n01234"), ["0123456789"]);
  assertEquals(receive("56789"), []);
  assertThrows(() => receive("x"), RangeError);
});
