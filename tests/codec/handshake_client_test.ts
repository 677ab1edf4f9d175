import { assert, assertEquals, assertThrows, test } from "../harness.ts";
import {
  checkUpgradeResponse,
  encodeUpgradeRequest,
  type UpgradeExpectation,
  type UpgradeRequest,
} from "../../codec/handshake_client.ts";
import { parseExtensions } from "../../codec/extension.ts";
import {
  checkUpgrade,
  encodeUpgradeResponse,
} from "../../codec/handshake_server.ts";
import { HeaderList } from "../../codec/header_list.ts";
import {
  RequestHeadReader,
  type ResponseHead,
  ResponseHeadReader,
} from "../../codec/http.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function encode(url: string, more: Partial<UpgradeRequest> = {}): string {
  return latin1(encodeUpgradeRequest({ url: new URL(url), key: KEY, ...more }));
}

type Fields = Record<string, string | string[] | undefined>;

/** A valid response, but for what `changes` replaces or removes. */
function response(
  changes: Fields = {},
  line: Partial<ResponseHead> = {},
): ResponseHead {
  const fields: Fields = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Accept": ACCEPT,
    ...changes,
  };
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value ?? []].flat().map((line): [string, string] => [name, line])
  );
  return {
    version: "HTTP/1.1",
    status: 101,
    statusText: "",
    headers: HeaderList.from(pairs),
    ...line,
  };
}

function resultOf(
  head: ResponseHead,
  expectation: Partial<UpgradeExpectation> = {},
): string {
  const result = checkUpgradeResponse(head, { key: KEY, ...expectation });
  return result.ok ? "open" : result.error.reason;
}

test("encodeUpgradeRequest() writes the request of RFC 6455", () => {
  assertEquals(
    encode("ws://example.com/chat?x=1#f"),
    "GET /chat?x=1 HTTP/1.1\r\n" +
      "Host: example.com\r\n" +
      "Upgrade: websocket\r\n" +
      "Connection: Upgrade\r\n" +
      "Pragma: no-cache\r\n" +
      "Cache-Control: no-cache\r\n" +
      "Sec-WebSocket-Version: 13\r\n" +
      `Sec-WebSocket-Key: ${KEY}\r\n\r\n`,
  );
});

test("encodeUpgradeRequest() adds subprotocols, extensions and headers", () => {
  const text = encode("wss://a", {
    subprotocols: ["b", "c"],
    extensions: [{ name: "d", parameters: [["e", "1"]] }],
    headers: [["Cookie", "f"], ["X", "g"]],
  });
  assert(
    text.endsWith(
      "Sec-WebSocket-Protocol: b, c\r\n" +
        "Sec-WebSocket-Extensions: d; e=1\r\nCookie: f\r\nX: g\r\n\r\n",
    ),
    text,
  );
});

test("CI-17: host and target follow from the URL", () => {
  const cases: [string, string, string][] = [
    ["ws://a", "/", "a"],
    ["ws://a:80/", "/", "a"],
    ["wss://a:443/", "/", "a"],
    ["http://a:8080/", "/", "a:8080"],
    ["https://a:80/", "/", "a:80"],
    ["ws://[::1]:9/", "/", "[::1]:9"],
    ["ws://user:pw@a/b", "/b", "a"],
    ["ws://a/é b", "/%C3%A9%20b", "a"],
    ["ws://a//b", "//b", "a"],
  ];
  for (const [url, target, host] of cases) {
    const text = encode(url);
    assert(
      text.startsWith(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n`),
      text,
    );
    assert(!text.includes("pw"), text);
  }
});

test("AP-2: encodeUpgradeRequest() refuses what must not be sent", () => {
  const cases: [string, Partial<UpgradeRequest>][] = [
    ["ftp://a", {}],
    ["javascript:a", {}],
    ["ws://a", { key: "short" }],
    ["ws://a", { subprotocols: ["b", "b"] }],
    ["ws://a", { subprotocols: [""] }],
    ["ws://a", { subprotocols: ["b, c"] }],
    ["ws://a", { subprotocols: ["b\r\nX: y"] }],
    ["ws://a", { extensions: [{ name: "b c", parameters: [] }] }],
    ["ws://a", { headers: [["host", "b"]] }],
    ["ws://a", { headers: [["Sec-WebSocket-Key", KEY]] }],
    ["ws://a", { headers: [["X", "\n"]] }],
  ];
  for (const [url, more] of cases) {
    assertThrows(() => encode(url, more), TypeError, "Cannot ");
  }
});

test("checkUpgradeResponse() returns what was agreed", () => {
  const head = response({
    "Upgrade": "WebSocket",
    "Connection": "keep-alive, UPGRADE",
    "Sec-WebSocket-Protocol": "b",
    "Sec-WebSocket-Extensions": "d; e=1",
  });
  const extensions = [{ name: "d", parameters: [["e", "1"]] as const }];
  assertEquals(
    checkUpgradeResponse(head, {
      key: KEY,
      subprotocols: ["a", "b"],
      extensions: [{ name: "d", parameters: [] }],
    }),
    { ok: true, subprotocol: "b", extensions, deflate: undefined },
  );
  assertEquals(checkUpgradeResponse(response(), { key: KEY }), {
    ok: true,
    subprotocol: undefined,
    extensions: [],
    deflate: undefined,
  });
});

test("CI-3: another status is an error that carries the response", () => {
  for (const status of [200, 204, 301, 400, 426]) {
    const head = response({ "Location": "/b" }, { status });
    const body = Uint8Array.of(1);
    const result = checkUpgradeResponse(head, { key: KEY, body });
    assert(!result.ok);
    const { error } = result;
    assertEquals([error.reason, error.status, error.body], [
      "bad-status",
      status,
      body,
    ]);
    assertEquals(error.headers?.get("location"), "/b");
    assert(error.message.includes(`${status}`), error.message);
  }
});

test("CI-3: a 101 that does not switch to WebSocket", () => {
  for (
    const upgrade of [undefined, "h2c", "h2c, websocket", [
      "websocket",
      "websocket",
    ]]
  ) assertEquals(resultOf(response({ Upgrade: upgrade })), "bad-upgrade");
  for (const connection of [undefined, "close", "Upgrade-Insecure"]) {
    assertEquals(
      resultOf(response({ Connection: connection })),
      "bad-connection",
    );
  }
  for (
    const accept of [
      undefined,
      "",
      KEY,
      `${ACCEPT}=`,
      ACCEPT.toLowerCase(),
      [ACCEPT, ACCEPT],
    ]
  ) {
    const head = response({ "Sec-WebSocket-Accept": accept });
    const result = checkUpgradeResponse(head, {
      key: KEY,
      body: Uint8Array.of(1),
    });
    assert(!result.ok);
    assertEquals(result.error.reason, "bad-accept");
    assertEquals(result.error.body, undefined); // what follows are frames
  }
  const old = response({}, { version: "HTTP/1.0" });
  assertEquals(resultOf(old), "malformed-response");
});

test("CI-8: the subprotocol must have been offered", () => {
  const of = (value: string | string[], subprotocols?: string[]): string =>
    resultOf(response({ "Sec-WebSocket-Protocol": value }), { subprotocols });
  assertEquals(of("a", ["a", "b"]), "open");
  assertEquals(of("c", ["a", "b"]), "subprotocol-not-offered");
  assertEquals(of("A", ["a"]), "subprotocol-not-offered");
  assertEquals(of("", ["a"]), "subprotocol-not-offered");
  assertEquals(of("a"), "subprotocol-not-offered");
  assertEquals(of("a, b", ["a", "b"]), "subprotocol-not-offered");
  assertEquals(of(["a", "b"], ["a", "b"]), "subprotocol-not-offered");
  assertEquals(of(["a", "a"], ["a"]), "subprotocol-not-offered");
});

test("CI-8: no subprotocol is an error only where one is required", () => {
  const subprotocols = ["a"];
  assertEquals(resultOf(response(), { subprotocols }), "open");
  assertEquals(
    resultOf(response(), { subprotocols, requireSubprotocol: true }),
    "subprotocol-required",
  );
});

test("CI-8: extensions must have been offered, on one line", () => {
  const extensions = [{ name: "a", parameters: [] }];
  const of = (value: string | string[]): string =>
    resultOf(response({ "Sec-WebSocket-Extensions": value }), { extensions });
  assertEquals(of("a; b"), "open");
  assertEquals(of("c"), "extension-not-offered");
  assertEquals(of("a, constructor"), "extension-not-offered");
  assertEquals(of(["a", "a"]), "malformed-extension");
  assertEquals(of("a;"), "malformed-extension");
  assertEquals(of(""), "malformed-extension");
  const unasked = response({ "Sec-WebSocket-Extensions": "a" });
  assertEquals(resultOf(unasked), "extension-not-offered");
});

test("CI-12: an answer to an offer of compression must be acceptable", () => {
  const extensions = parseExtensions([
    "permessage-deflate; server_max_window_bits=10",
  ])!;
  const check = (value: string) =>
    checkUpgradeResponse(
      response({ "Sec-WebSocket-Extensions": value }),
      { key: KEY, extensions },
    );
  const agreed = check("permessage-deflate; server_max_window_bits=9");
  assert(agreed.ok);
  assertEquals(agreed.deflate, {
    serverMaxWindowBits: 9,
    clientMaxWindowBits: 15,
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
  });
  for (
    const value of [
      "permessage-deflate",
      "permessage-deflate; server_max_window_bits=1000",
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10",
    ]
  ) {
    const result = check(value);
    assert(!result.ok);
    assertEquals(result.error.reason, "extension-not-acceptable", value);
    assertEquals(result.error.status, 101);
  }
});

test("a client and a server of ours agree", () => {
  const subprotocols = ["chat"];
  const extensions = [{ name: "x", parameters: [["y", undefined]] as const }];
  const request = new RequestHeadReader();
  request.receive(encodeUpgradeRequest({
    url: new URL("ws://[::1]:8080/a?b"),
    key: KEY,
    subprotocols,
    extensions,
  }));
  const offer = checkUpgrade(request.head!);
  assert(offer.ok);
  const answer = new ResponseHeadReader();
  answer.receive(encodeUpgradeResponse(offer, {
    subprotocol: "chat",
    extensions: offer.extensions,
  }));
  assertEquals(
    checkUpgradeResponse(answer.head!, { key: KEY, subprotocols, extensions }),
    { ok: true, subprotocol: "chat", extensions, deflate: undefined },
  );
});
