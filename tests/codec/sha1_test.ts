import { assertEquals, test } from "../harness.ts";
import { sha1 } from "../../codec/sha1.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

test("sha1() agrees with the vectors of RFC 3174", () => {
  const vectors: [string, string][] = [
    ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    ],
    ["a".repeat(1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"],
    ["01234567".repeat(80), "dea356a2cddd90c7a7ecedc5ebb563934f460452"],
  ];
  for (const [text, digest] of vectors) {
    assertEquals(hex(sha1(new TextEncoder().encode(text))), digest);
  }
});

test("sha1() agrees with crypto.subtle for each length up to 200", async () => {
  const bytes = Uint8Array.from(
    { length: 200 },
    (_, index) => (index * 31) & 255,
  );
  for (let length = 0; length <= bytes.length; length++) {
    const message = bytes.slice(0, length);
    const expected = await crypto.subtle.digest("SHA-1", message);
    assertEquals(
      hex(sha1(message)),
      hex(new Uint8Array(expected)),
      `${length} bytes`,
    );
  }
});
