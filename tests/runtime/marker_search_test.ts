/** The response at which a splice is undone, among those before it. */
import { concat } from "../../runtime/concat.ts";
import { MarkerSearch } from "../../runtime/marker_search.ts";
import { assertEquals, assertStrictEquals, test } from "../harness.ts";

const NONCE = "c0ffee-nonce";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const BEFORE =
  "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\nnot c0ffee, HTTP/1.";
const MARKED = `HTTP/1.1 200 OK\r\nsockeye-takeover: ${NONCE}\r\n\r\n`;

/** What comes of the search, and after how many bytes. */
function search(
  text: string,
  chunkBytes: number,
): [string, number] | undefined {
  const bytes = encoder.encode(text);
  const subject = new MarkerSearch(NONCE);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const end = Math.min(at + chunkBytes, bytes.length);
    const found = subject.receive(bytes.slice(at, end));
    if (found !== undefined) return [decoder.decode(found), end];
  }
  return undefined;
}

test("what comes before the marked response is told once its head is there", () => {
  for (const before of ["", BEFORE, BEFORE + BEFORE]) {
    const text = before + MARKED;
    assertEquals(search(text, 1), [before, text.length]);
    for (const chunkBytes of [2, 7, 64, 1_000]) {
      assertEquals(search(text, chunkBytes)?.[0], before, `${chunkBytes}`);
    }
  }
});

test("a response without the mark, or half of one with it, is none", () => {
  assertStrictEquals(search(BEFORE, 5), undefined);
  assertStrictEquals(search(BEFORE + MARKED.slice(0, -1), 5), undefined);
});

test("concat() joins parts, in memory of its own", () => {
  const part = Uint8Array.of(1, 2);
  const whole = concat([part, new Uint8Array(0), Uint8Array.of(3)]);
  part.fill(9);
  assertEquals(whole, Uint8Array.of(1, 2, 3));
  assertEquals(concat([]), new Uint8Array(0));
});
