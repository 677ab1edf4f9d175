import { assertEquals, test } from "../harness.ts";
import { decodeLatin1, decodeUtf8 } from "../../runtime/text.ts";

/** A view that does not start where its buffer starts. */
function shifted(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(bytes.length + 20).subarray(7, 7 + bytes.length);
  view.set(bytes);
  return view;
}

const encoder = new TextEncoder();

test("decodeLatin1 reads ASCII from any range of a shifted view", () => {
  const bytes = shifted(encoder.encode("GET /chat HTTP/1.1"));
  assertEquals(decodeLatin1(bytes, 0, bytes.length), "GET /chat HTTP/1.1");
  assertEquals(decodeLatin1(bytes, 4, 9), "/chat");
  assertEquals(decodeLatin1(bytes, 4, 4), "");
});

test("decodeLatin1 gives one character for each byte", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const text = decodeLatin1(bytes, 0, 256);
  assertEquals(text.length, 256);
  for (let index = 0; index < 256; index++) {
    assertEquals(text.charCodeAt(index), index);
  }
});

test("decodeUtf8 reads every width of character from a shifted view", () => {
  for (const text of ["", "a", "é", "€", "😀", "añ€😀".repeat(3000)]) {
    const encoded = encoder.encode(text);
    assertEquals(decodeUtf8(shifted(encoded), 0, encoded.length), text);
  }
  const bytes = shifted(encoder.encode("xx😀yy"));
  assertEquals(decodeUtf8(bytes, 2, 6), "😀");
});

test("decodeUtf8 keeps byte order marks", () => {
  const bytes = shifted(encoder.encode("\uFEFF\uFEFFhi"));
  assertEquals(decodeUtf8(bytes, 0, bytes.length), "\uFEFF\uFEFFhi");
});
