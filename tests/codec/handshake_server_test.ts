import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  checkUpgrade,
  encodeUpgradeResponse,
  isUpgrade,
  type UpgradeOffer,
} from "../../codec/handshake_server.ts";
import { HeaderList } from "../../codec/header_list.ts";
import type { RequestHead } from "../../codec/http.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

type Fields = Record<string, string | string[] | undefined>;

/** A valid upgrade request, but for what `changes` replaces or removes. */
function request(
  changes: Fields = {},
  line: Partial<RequestHead> = {},
): RequestHead {
  const fields: Fields = {
    "Host": "example.com",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...changes,
  };
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value ?? []].flat().map((line): [string, string] => [name, line])
  );
  return {
    method: "GET",
    target: "/chat",
    version: "HTTP/1.1",
    headers: HeaderList.from(pairs),
    ...line,
  };
}

function refusalOf(head: RequestHead): string {
  const result = checkUpgrade(head);
  return result.ok ? "accepted" : `${result.status} ${result.reason}`;
}

function offerOf(head: RequestHead): UpgradeOffer {
  const result = checkUpgrade(head);
  assert(result.ok, result.ok ? "" : result.reason);
  return result;
}

test("checkUpgrade() returns what the client offers", () => {
  const head = request({
    "Origin": "https://example.com",
    "Sec-WebSocket-Protocol": ["chat, superchat", "x"],
    "Sec-WebSocket-Extensions": ["a; b", "c"],
    "Sec-WebSocket-Accept": "ignored",
  }, { target: "/chat?x" });
  assertEquals(checkUpgrade(head), {
    ok: true,
    key: KEY,
    host: { hostname: "example.com", port: undefined },
    target: "/chat?x",
    origin: "https://example.com",
    subprotocols: ["chat", "superchat", "x"],
    extensions: [
      { name: "a", parameters: [["b", undefined]] },
      { name: "c", parameters: [] },
    ],
  });
});

test("HS-8: Connection and Upgrade are lists, in any case and on any line", () => {
  for (
    const changes of [
      { Connection: "keep-alive, Upgrade" },
      { Connection: ["keep-alive", "upgrade"] },
      { Connection: "  UPGRADE ,", Upgrade: "WebSocket" },
      { Upgrade: "h2c, websocket" },
    ]
  ) assertEquals(refusalOf(request(changes)), "accepted");
});

test("HS-9, HT-8: what is not an upgrade is answered 426", () => {
  for (
    const changes of [
      { Connection: undefined },
      { Connection: "Upgrade-Insecure" },
      { Connection: "close" },
      { Upgrade: undefined },
      { Upgrade: "websocketx" },
      { Upgrade: "h2c" },
    ]
  ) {
    assertEquals(isUpgrade(request(changes)), false);
    assertEquals(refusalOf(request(changes)), "426 not-an-upgrade");
  }
});

test("HS-7: another method is answered 405, another version 505", () => {
  for (const method of ["get", "POST", "HEAD", "CONNECT", "OPTIONS"]) {
    const result = checkUpgrade(request({}, { method }));
    assert(!result.ok);
    assertEquals([result.status, result.headers], [405, [["Allow", "GET"]]]);
  }
  const old = request({}, { version: "HTTP/1.0" });
  assertEquals(refusalOf(old), "505 bad-http-version");
});

test("HS-10: a key that is missing, empty, 15 or 17 bytes, not base64 or duplicated is answered 400", () => {
  for (
    const key of [
      undefined,
      "",
      "AQIDBAUGBwgJCgsMDQ4P",
      "AQIDBAUGBwgJCgsMDQ4PEBE=",
      "AQIDBAUGBwgJCgsMDQ4-EA==",
      "dGhlIHNhbXBsZSBub25jZQ",
      [KEY, KEY],
      [KEY, "AQIDBAUGBwgJCgsMDQ4PEA=="],
    ]
  ) {
    assertEquals(
      refusalOf(request({ "Sec-WebSocket-Key": key })),
      "400 bad-key",
    );
  }
});

test("HS-11: a version other than 13 is answered 426 with the version", () => {
  for (
    const version of [undefined, "", "8", "013", "13, 13", "13.0", ["13", "13"]]
  ) {
    const result = checkUpgrade(request({ "Sec-WebSocket-Version": version }));
    assert(!result.ok);
    assertEquals([result.status, result.reason], [426, "bad-version"]);
    assertEquals(result.headers, [
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
    ]);
  }
});

test("HS-12: a Host that is missing, there twice or malformed is answered 400", () => {
  for (
    const host of [undefined, "", ["a", "a"], "u@a", "a/b", "a, b", "a:x", "é"]
  ) assertEquals(refusalOf(request({ Host: host })), "400 bad-host", `${host}`);
});

test("HS-12: an absolute target must name the same host", () => {
  const of = (target: string, host = "example.com"): string =>
    refusalOf(request({ Host: host }, { target }));
  assertEquals(of("http://example.com/a"), "accepted");
  assertEquals(of("ws://EXAMPLE.com:80/a"), "accepted");
  assertEquals(of("wss://example.com/a", "example.com:443"), "accepted");
  assertEquals(of("http://other.com/a"), "400 bad-host");
  assertEquals(of("http://example.com:81/a"), "400 bad-host");
  assertEquals(of("http://u@example.com/a"), "400 bad-target");

  const target = (text: string) =>
    offerOf(request({}, { target: text })).target;
  assertEquals(target("http://example.com/a?b"), "/a?b");
  assertEquals(target("http://example.com"), "/");
  assertEquals(target("http://example.com?b"), "/?b");
  assertEquals(target("//other.com/a"), "//other.com/a");
});

test("a target that is no path is answered 400", () => {
  for (const target of ["/a#b", "#", "*", "a", "example.com:80", "http:///a"]) {
    assertEquals(refusalOf(request({}, { target })), "400 bad-target", target);
  }
});

test("HT-6: a body is answered 400", () => {
  for (
    const changes of [
      { "Content-Length": "1" },
      { "Content-Length": "00" },
      { "Content-Length": "" },
      { "Content-Length": ["0", "5"] },
      { "Transfer-Encoding": "chunked" },
      { "Transfer-Encoding": "identity" },
    ] as Fields[]
  ) assertEquals(refusalOf(request(changes)), "400 body-not-allowed");
  assertEquals(refusalOf(request({ "Content-Length": "0" })), "accepted");
});

test("HT-11: an expectation is answered 417", () => {
  const head = request({ Expect: "100-continue" });
  assertEquals(refusalOf(head), "417 expectation-failed");
});

test("HS-18: two Origin headers are answered 400", () => {
  const head = request({ Origin: ["https://a", "https://a"] });
  assertEquals(refusalOf(head), "400 bad-origin");
  assertEquals(offerOf(request()).origin, undefined);
  assertEquals(offerOf(request({ Origin: "null" })).origin, "null");
});

test("HS-14: a malformed subprotocol list is answered 400", () => {
  for (const value of ["", "a,,b", "a, a", "é", "a/b", ["a", "a"]]) {
    const head = request({ "Sec-WebSocket-Protocol": value });
    assertEquals(refusalOf(head), "400 bad-subprotocol", `${value}`);
  }
});

test("HS-16, HS-17: extensions", () => {
  for (const value of ["", "a b", "a; b=", 'a; b="']) {
    const head = request({ "Sec-WebSocket-Extensions": value });
    assertEquals(refusalOf(head), "400 bad-extension", value);
  }
  const names = ["constructor", "__proto__", "hasOwnProperty", "toString"];
  const head = request({ "Sec-WebSocket-Extensions": names.join() });
  assertEquals(offerOf(head).extensions.map(({ name }) => name), names);
});

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

test("encodeUpgradeResponse() answers as RFC 6455, section 1.3, does", () => {
  assertEquals(
    latin1(encodeUpgradeResponse(offerOf(request()))),
    "HTTP/1.1 101 Switching Protocols\r\n" +
      "Upgrade: websocket\r\n" +
      "Connection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
  );
});

test("encodeUpgradeResponse() adds subprotocol, extensions and headers", () => {
  const offer = offerOf(request({
    "Sec-WebSocket-Protocol": "a, b",
    "Sec-WebSocket-Extensions": "x; y, z",
  }));
  const response = latin1(encodeUpgradeResponse(offer, {
    subprotocol: "b",
    extensions: [{ name: "z", parameters: [["w", "1"]] }],
    headers: [["Set-Cookie", "1"], ["Set-Cookie", "2"]],
  }));
  assert(
    response.endsWith(
      "Sec-WebSocket-Protocol: b\r\n" +
        "Sec-WebSocket-Extensions: z; w=1\r\n" +
        "Set-Cookie: 1\r\nSet-Cookie: 2\r\n\r\n",
    ),
    response,
  );
});

test("HS-19: encodeUpgradeResponse() refuses what was not offered", () => {
  const offer = offerOf(request({ "Sec-WebSocket-Protocol": "a" }));
  for (const subprotocol of ["b", "A", "", "a\r\nX: y"]) {
    assertThrows(
      () => encodeUpgradeResponse(offer, { subprotocol }),
      TypeError,
      "was not offered",
    );
  }
  const extensions = [{ name: "x", parameters: [] }];
  assertThrows(
    () => encodeUpgradeResponse(offer, { extensions }),
    TypeError,
    "was not offered",
  );
});

test("AP-2: encodeUpgradeResponse() refuses the handshake's own headers", () => {
  const offer = offerOf(request());
  for (const name of ["Upgrade", "connection", "Sec-WebSocket-Protocol"]) {
    assertThrows(
      () => encodeUpgradeResponse(offer, { headers: [[name, "x"]] }),
      TypeError,
    );
  }
  assertThrows(
    () => encodeUpgradeResponse(offer, { headers: [["X", "a\r\nb: c"]] }),
    TypeError,
  );
});
