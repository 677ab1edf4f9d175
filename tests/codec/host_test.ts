import { assert, assertEquals, test } from "../harness.ts";
import {
  isSameHost,
  parseAbsolute,
  parseAuthority,
  parseOrigin,
} from "../../codec/host.ts";

test("parseAuthority() reads names, addresses and ports", () => {
  const cases: [string, string, number | undefined][] = [
    ["Example.COM", "example.com", undefined],
    ["example.com:", "example.com", undefined],
    ["localhost:0", "localhost", 0],
    ["127.0.0.1:65535", "127.0.0.1", 65535],
    ["[::1]:80", "[::1]", 80],
    ["[::FFFF:1.2.3.4]", "[::ffff:1.2.3.4]", undefined],
    ["a_b~c-d.", "a_b~c-d.", undefined],
  ];
  for (const [text, hostname, port] of cases) {
    assertEquals(parseAuthority(text), { hostname, port }, text);
  }
});

test("HS-12: parseAuthority() refuses all else", () => {
  for (
    const text of [
      "",
      ":80",
      "a:65536",
      "a:123456",
      "a:b",
      "a:-1",
      "u@a",
      "u:p@a",
      "a/",
      "a/b",
      "a?b",
      "a#b",
      "a b",
      "a, b",
      "a%62",
      "é",
      "[::1",
      "::1",
      "[]",
      "[::1]x",
      "[fe80::1%25eth0]",
      "http://a",
    ]
  ) assertEquals(parseAuthority(text), undefined, text);
});

test("parseOrigin() fills in the scheme's port", () => {
  const of = (scheme: string, hostname: string, port: number | undefined) => ({
    scheme,
    hostname,
    port,
  });
  assertEquals(parseOrigin("null"), "null");
  assertEquals(parseOrigin("HTTP://A"), of("http", "a", 80));
  assertEquals(parseOrigin("https://a"), of("https", "a", 443));
  assertEquals(parseOrigin("https://a:80"), of("https", "a", 80));
  assertEquals(
    parseOrigin("moz-extension://ab-cd"),
    of("moz-extension", "ab-cd", undefined),
  );
});

test("HS-18: parseOrigin() refuses what no browser sends", () => {
  for (
    const text of [
      "",
      "NULL",
      "a",
      "http:",
      "http://",
      "http:/a",
      "http://a/",
      "http://a/b",
      "http://a?b",
      "http://u@a",
      "http://a, http://b",
      "http://a b",
      "1http://a",
      "javascript:alert(1)",
    ]
  ) assertEquals(parseOrigin(text), undefined, text);
});

test("parseAbsolute() parts a target from its origin", () => {
  assertEquals(parseAbsolute("ws://a:8/b?c"), {
    origin: { scheme: "ws", hostname: "a", port: 8 },
    rest: "/b?c",
  });
  assertEquals(parseAbsolute("ws://a?c")?.rest, "?c");
  assertEquals(parseAbsolute("/a"), undefined);
  assertEquals(parseAbsolute("ws://u@a/"), undefined);
});

test("HS-18: isSameHost() compares whole names, and ports", () => {
  const isSame = (origin: string, host: string): boolean => {
    const parsed = parseOrigin(origin);
    assert(typeof parsed === "object");
    return isSameHost(parsed, parseAuthority(host)!);
  };
  assert(isSame("http://a", "A"));
  assert(isSame("http://a", "a:80"));
  assert(isSame("https://a:443", "a"));
  assert(isSame("http://a:8080", "a:8080"));
  assert(!isSame("http://a:8080", "a"));
  assert(!isSame("https://a", "a:80"));
  assert(!isSame("http://evil-example.com", "example.com"));
  assert(!isSame("http://example.com.evil", "example.com"));
});
