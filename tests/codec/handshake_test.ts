import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  acceptFor,
  checkApplicationHeaders,
  formatHandshakeKey,
  isHandshakeKey,
} from "../../codec/handshake.ts";

test("acceptFor() gives the answer of RFC 6455, section 1.3", () => {
  assertEquals(
    acceptFor("dGhlIHNhbXBsZSBub25jZQ=="),
    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  );
});

test("acceptFor() takes a key of any length, and keeps none", async () => {
  for (
    const key of ["", "short", "x".repeat(25), "y".repeat(24), "z".repeat(100)]
  ) {
    const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const bytes = new TextEncoder().encode(text);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
    assertEquals(acceptFor(key), btoa(String.fromCharCode(...digest)), key);
  }
});

test("formatHandshakeKey() encodes 16 bytes, and makes a valid key", () => {
  const random = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
  // The key of RFC 6455, section 4.1, item 7.
  assertEquals(formatHandshakeKey(random), "AQIDBAUGBwgJCgsMDQ4PEA==");
  for (let byte = 0; byte < 256; byte++) {
    assert(isHandshakeKey(formatHandshakeKey(new Uint8Array(16).fill(byte))));
  }
  for (const length of [0, 15, 17]) {
    assertThrows(() => formatHandshakeKey(new Uint8Array(length)), RangeError);
  }
});

test("HS-10: isHandshakeKey() wants 16 bytes in canonical base64", () => {
  for (
    const text of [
      "",
      "AQIDBAUGBwgJCgsMDQ4P", // 15 bytes
      "AQIDBAUGBwgJCgsMDQ4PEBE=", // 17 bytes
      "AQIDBAUGBwgJCgsMDQ4PEA", // no padding
      "AQIDBAUGBwgJCgsMDQ4PEA=",
      "AQIDBAUGBwgJCgsMDQ4PEB==", // stray bits
      "AQIDBAUGBwgJCgsMDQ4-EA==", // base64url
      "AQIDBAUGBwgJCgsMDQ4 EA==",
      " AQIDBAUGBwgJCgsMDQ4PEA==",
      "AQIDBAUGBwgJCgsMDQ4PEA==\n",
      "AQIDBAUGBwgJCgsMDQ4PEA==, AQIDBAUGBwgJCgsMDQ4PEA==",
    ]
  ) assertEquals(isHandshakeKey(text), false, text);
});

test("checkApplicationHeaders() keeps the handshake's own headers", () => {
  checkApplicationHeaders([["Set-Cookie", "a"], ["Authorization", "b"]]);
  for (
    const name of [
      "Sec-WebSocket-Accept",
      "sec-websocket-anything",
      "UPGRADE",
      "Connection",
      "Content-Length",
      "Transfer-Encoding",
    ]
  ) {
    assertThrows(
      () => checkApplicationHeaders([[name, ""]]),
      TypeError,
      `"${name}" belongs to the handshake`,
    );
  }
  checkApplicationHeaders([["Host", "a"]]);
  assertThrows(() => checkApplicationHeaders([["Host", "a"]], ["host"]));
});
