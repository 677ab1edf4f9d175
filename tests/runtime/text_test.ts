import { assertEquals, test } from "../harness.ts";
import { testWriter } from "../codec/text_writer_cases.ts";
import {
  decodeLatin1,
  decodeUtf8,
  isUtf8,
  writeUtf8,
} from "../../runtime/text.ts";

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

test("decodeUtf8 keeps byte order marks, and shows what is invalid", () => {
  const bytes = shifted(encoder.encode("\uFEFF\uFEFFhi"));
  assertEquals(decodeUtf8(bytes, 0, bytes.length), "\uFEFF\uFEFFhi");
  for (
    const bad of [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0x80]]
  ) {
    const text = decodeUtf8(
      shifted(Uint8Array.from([0x61, ...bad])),
      0,
      1 + bad.length,
    );
    assertEquals(text.includes("\ufffd"), true, `${bad}`);
  }
});

test("isUtf8 agrees with a fatal decoder, and decodeUtf8 shows what it finds", () => {
  const fatal = new TextDecoder("utf-8", { fatal: true });
  const borders = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1];
  borders.push(0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf3);
  borders.push(0xf4, 0xf5, 0xff);
  for (let round = 0; round < 23 ** 3; round++) {
    let rest = round;
    const bytes = shifted(Uint8Array.from({ length: 3 }, () => {
      const byte = borders[rest % borders.length]!;
      rest = Math.floor(rest / borders.length);
      return byte;
    }));
    let isValid = true;
    try {
      fatal.decode(bytes);
    } catch {
      isValid = false;
    }
    assertEquals(isUtf8(bytes), isValid, `${bytes}`);
    const isWhole = !decodeUtf8(bytes, 0, 3).includes("\ufffd");
    assertEquals(isWhole, isValid, `${bytes}`);
  }
});

if (writeUtf8 !== undefined) testWriter("runtime's", writeUtf8);
