import { assertEquals, test } from "../harness.ts";
import { testWriter } from "../codec/text_writer_cases.ts";
import { decodeLatin1, isUtf8, writeUtf8 } from "../../runtime/text.ts";

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

test("isUtf8 agrees with a fatal decoder", () => {
  const fatal = new TextDecoder("utf-8", { fatal: true });
  const borders = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1];
  borders.push(0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff);
  for (let round = 0; round < 20_000; round++) {
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
  }
});

if (writeUtf8 !== undefined) testWriter("runtime's", writeUtf8);
