/** What a handshake that fails is answered, in the words of other libraries. */
import {
  type ConnectionRequest,
  Handler,
  type UpgradeDecision,
} from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { HANDSHAKE_KEY, upgradeRequest } from "../harness/raw_client.ts";
import { assertRefused, serve, statusOf } from "./served.ts";

const KEY = "Sec-WebSocket-Key";
const VERSION = "Sec-WebSocket-Version";

/** What is wrong, the request, the status, and a header that says what would do. */
const FAILURES: readonly (readonly [string, string, number, RegExp?])[] = [
  [
    "no Upgrade",
    upgradeRequest("/echo", { Upgrade: undefined }),
    426,
    /^Upgrade: websocket\r$/m,
  ],
  [
    "another Upgrade",
    upgradeRequest("/echo", { Upgrade: "h2c" }),
    426,
    /^Upgrade: websocket\r$/m,
  ],
  ["no Connection", upgradeRequest("/echo", { Connection: undefined }), 426],
  ["no key", upgradeRequest("/echo", { [KEY]: undefined }), 400],
  ["a bad key", upgradeRequest("/echo", { [KEY]: "dGhlIHNhbXBs" }), 400],
  [
    "two keys",
    upgradeRequest("/echo", { [KEY]: `${HANDSHAKE_KEY}\r\n${KEY}: x` }),
    400,
  ],
  [
    "version 8",
    upgradeRequest("/echo", { [VERSION]: "8" }),
    426,
    /^Sec-WebSocket-Version: 13\r$/m,
  ],
  [
    "POST",
    upgradeRequest().replace("GET", "POST"),
    405,
    /^Allow: GET\r$/m,
  ],
  ["HTTP/1.0", upgradeRequest().replace("HTTP/1.1", "HTTP/1.0"), 505],
  ["a long line", upgradeRequest(`/${"a".repeat(8_200)}`), 414],
  ["a long header", upgradeRequest("/echo", { A: "a".repeat(8_200) }), 431],
  [
    "many headers",
    upgradeRequest("/echo", { A: `b${"\r\nA: b".repeat(128)}` }),
    431,
  ],
  ["no Host", upgradeRequest("/echo", { Host: undefined }), 400],
  ["two Hosts", upgradeRequest("/echo", { Host: "a\r\nHost: a" }), 400],
  [
    "two Origins",
    upgradeRequest("/echo", { Origin: "http://a\r\nOrigin: http://a" }),
    400,
  ],
  ["a body", upgradeRequest("/echo", { "Content-Length": "5" }), 400],
  ["no handler", upgradeRequest("/nowhere"), 404],
];

test("WS11, SI13: each handshake that fails has the status that says why", async () => {
  await serve({}, async (served) => {
    for (const [what, request, status, header] of FAILURES) {
      const response = await served.exchange(request);
      assertEquals(statusOf(response), status, what);
      assertRefused(response, status);
      if (header !== undefined) assertMatch(response, header, what);
    }
  });
});

test("SI13, WS7: Host must be there, Origin need not be unless upgrade wants one", async () => {
  class Paged extends Handler {
    static upgrade({ headers }: ConnectionRequest): UpgradeDecision {
      if (!headers.has("origin")) return new Response(null, { status: 403 });
    }
    override open(): void {
      this.connection.close();
    }
  }
  await serve({
    setup(site) {
      site.addHandler("/any", () => {});
      site.addHandler("/paged", Paged, { origins: [null, /\.example$/] });
    },
  }, async (served) => {
    const close = Uint8Array.of(0x88, 0x80, 0, 0, 0, 0);
    for (
      const [path, Origin, status] of [
        ["/any", undefined, 101],
        ["/any", "http://127.0.0.1", 101],
        ["/any", "http://a.example", 403],
        ["/paged", undefined, 403],
        ["/paged", "null", 101],
        ["/paged", "http://a.example", 101],
        ["/paged", "http://a.example.evil", 403],
      ] as const
    ) {
      const request = upgradeRequest(path, { Origin });
      const response = await served.exchange(request, close);
      assertEquals(statusOf(response), status, `${path} from ${Origin}`);
    }
  });
});

test("WS5: a health check on the same port, and 401 by the upgrade", async () => {
  await serve({
    root: ({ url }) =>
      new URL(url).pathname === "/healthz"
        ? new Response("OK\n")
        : new Response(null, { status: 404 }),
    upgrade: ({ url }, { query }) =>
      url.endsWith("/echo") || query.get("token") === "secret"
        ? undefined
        : new Response("a token, please", { status: 401 }),
    setup: (site) => site.addHandler("/private", () => {}),
  }, async (served) => {
    const health = await served.exchange(
      "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assertEquals(statusOf(health), 200);
    assert(health.includes("OK\n"), health);
    assertRefused(await served.exchange(upgradeRequest("/private")), 401);
    const wrong = upgradeRequest("/private?token=guess");
    assertRefused(await served.exchange(wrong), 401);
    const close = Uint8Array.of(0x88, 0x80, 0, 0, 0, 0);
    const right = upgradeRequest("/private?token=secret");
    assertEquals(statusOf(await served.exchange(right, close)), 101);
  });
});
