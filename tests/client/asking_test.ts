/** What a client says of itself, and what it is told: WS21, WS22, AB1, AB5. */
import { dial, type DialOptions, type DialRequest } from "../../client.ts";
import { Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { opened } from "./dialing.ts";

const NOWHERE = "ws://127.0.0.1:1/";

/** Head of the request that goes out for these options. */
async function headFor(options: DialOptions): Promise<string> {
  await using end = await opened(options);
  return end.requestHead;
}

test("WS22: headers go out line by line, several values of one name included", async () => {
  const head = await headFor({
    headers: [["X-One", "1"], ["X-Two", "a"], ["X-Two", "b"]],
  });
  assert(head.includes("\r\nX-One: 1\r\nX-Two: a\r\nX-Two: b\r\n"), head);
  const joined = await headFor({
    headers: new Headers([["X-Two", "a"], ["X-Two", "b"]]),
  });
  assertEquals(headerOf(joined, "X-Two"), "a, b");
  assertEquals(headerOf(await headFor({ headers: { a: "b" } }), "a"), "b");
});

test("WS22: origin, userAgent and cookies are headers, and absent by default", async () => {
  const head = await headFor({
    origin: "https://example.com",
    userAgent: "test/1.0",
    cookies: { a: "1", b: "x=y" },
  });
  assert(head.includes("\r\nOrigin: https://example.com\r\n"), head);
  assert(head.includes("\r\nUser-Agent: test/1.0\r\n"), head);
  assert(head.includes("\r\nCookie: a=1; b=x=y\r\n"), head);
  const bare = await headFor({ cookies: {} });
  for (const name of ["Origin", "User-Agent", "Cookie"]) {
    assertEquals([name, headerOf(bare, name)], [name, undefined]);
  }
});

test("WS22: what belongs to the handshake, or cannot be sent, is refused at once", async () => {
  const requests: unknown[] = [
    { headers: { Host: "x" } },
    { headers: { Upgrade: "x" } },
    { headers: { Connection: "close" } },
    { headers: { "Content-Length": "5" } },
    { headers: { "Transfer-Encoding": "chunked" } },
    { headers: { "Sec-WebSocket-Key": "x" } },
    { headers: { "sec-websocket-extensions": "x" } },
    { headers: [["a", "b", "c"]] },
    { headers: [["a"]] },
    { headers: "a: b" },
    { headers: { "a b": "c" } },
    { headers: { a: "b\r\nc: d" } },
    { origin: 5 },
    { origin: "x\r\ny: z" },
    { origin: "a", headers: { origin: "b" } },
    { userAgent: {} },
    { userAgent: "a", headers: { "User-Agent": "b" } },
    { cookies: "a=b" },
    { cookies: null },
    { cookies: { "a b": "c" } },
    { cookies: { a: "b; c=d" } },
    { cookies: { a: "b c" } },
    { cookies: { a: 5 } },
    { cookies: { a: "b" }, headers: { Cookie: "c=d" } },
    { beforeConnect: 5 },
  ];
  for (const request of requests) {
    const error = await assertRejects(
      () => dial(NOWHERE, request as DialOptions),
      TypeError,
    );
    assert(!error.message.includes("c=d"), error.message);
  }
});

test("AB14: an option that nobody knows is a TypeError", async () => {
  for (const name of ["header", "useragent", "timeout", "maxRedirect"]) {
    await assertRejects(
      () => dial(NOWHERE, { [name]: 1 } as DialOptions),
      TypeError,
    );
  }
});

test("AB5: the response is at hand, and a site's connection has none", async () => {
  const site = new Site();
  const seen: unknown[] = [];
  site.addHandler("/", (connection) => {
    seen.push(connection.response);
  });
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await using ours = await dial(`ws://127.0.0.1:${server.addr.port}/`);
  assertEquals(ours.response?.status, 101);
  assertEquals(ours.response?.headers.get("UPGRADE"), "websocket");
  await ours.closed;
  assertEquals(seen, [undefined]);

  await using raw = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${raw.port}/`);
  await raw.acceptUpgrade({ "Set-Cookie": "a=b", "X-Version": "7" });
  const connection = await dialing;
  const { headers } = connection.response!;
  assertEquals([headers.get("set-cookie"), headers.get("x-version")], [
    "a=b",
    "7",
  ]);
  assertEquals(new Headers(headers).get("x-version"), "7");
  connection.terminate();
  await connection.closed;
});

test("AB1: beforeConnect is awaited, and replaces options of the same name", async () => {
  const urls: string[] = [];
  const head = await headFor({
    headers: { "X-Stale": "1" },
    origin: "https://kept.example",
    subprotocols: ["old"],
    beforeConnect: async ({ url, signal }) => {
      urls.push(url);
      assert(!signal.aborted);
      await Promise.resolve();
      return { headers: { Authorization: "Bearer fresh" }, subprotocols: [] };
    },
  });
  assertEquals(headerOf(head, "Authorization"), "Bearer fresh");
  assertEquals(headerOf(head, "X-Stale"), undefined);
  assertEquals(headerOf(head, "Sec-WebSocket-Protocol"), undefined);
  assert(head.includes("\r\nOrigin: https://kept.example\r\n"), head);
  assertEquals(urls.length, 1);
  assertEquals(
    headerOf(await headFor({ beforeConnect: () => {} }), "x"),
    undefined,
  );
});

test("AB1: the request that a connection tells is the one that was sent", async () => {
  await using end = await opened({
    beforeConnect: () => ({ headers: { "X-Token": "7" } }),
  });
  assertEquals(end.connection.request.headers.get("x-token"), "7");
});

test("AB1: what beforeConnect throws, or returns by mistake, ends the attempt", async () => {
  await using server = await RawServer.listen();
  const url = `ws://127.0.0.1:${server.port}/`;
  const error = new Error("no token");
  const seen = await assertRejects(() =>
    dial(url, {
      beforeConnect: () => {
        throw error;
      },
    })
  );
  assertEquals(seen, error);
  const revisions = [5, null, { tls: {} }, { headers: { Host: "x" } }];
  for (const revision of revisions) {
    await assertRejects(
      () => dial(url, { beforeConnect: () => revision as DialRequest }),
      TypeError,
    );
  }
});

test("AB1: a beforeConnect that does not end is given up, in time and by the signal", async () => {
  // Keeps the process alive, as whatever one waits for does.
  await using _server = await RawServer.listen();
  const beforeConnect = () => new Promise<void>(() => {});
  const late = await assertRejects(() =>
    dial(NOWHERE, { beforeConnect, openTimeoutMs: 50 })
  );
  assertEquals((late as { reason?: string }).reason, "open-timeout");
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = assertRejects(() =>
    dial(NOWHERE, {
      beforeConnect: () => {
        controller.abort(reason);
        return beforeConnect();
      },
      signal: controller.signal,
    })
  );
  assertEquals(await aborted, reason);
});

test("BL7: an attempt that fails rejects and calls no hook, one that opens calls close once", async () => {
  const events: string[] = [];
  const handler = {
    open: () => void events.push("open"),
    close: () => void events.push("close"),
  };
  await assertRejects(() => dial(NOWHERE, { handler }));
  assertEquals(events, []);
  await using server = await RawServer.listen();
  const dialing = dial(`ws://127.0.0.1:${server.port}/`, { handler });
  const raw = await server.accept();
  raw.write(upgradeResponse(await raw.readHead()));
  const connection = await dialing;
  raw.reset();
  await connection.closed;
  assertEquals(events, ["open", "close"]);
});

test("WS22: options are taken as they are at the call", async () => {
  await using server = await RawServer.listen();
  const subprotocols = ["chat"];
  const headers: [string, string][] = [["X-One", "1"]];
  const options = {
    subprotocols,
    headers,
    requireSubprotocol: true,
    connectTo: { hostname: "127.0.0.1", port: server.port },
    beforeConnect: () => ({ userAgent: "x" }),
  };
  const dialing = dial("ws://name.test/", options);
  dialing.catch(() => {});
  // As one does who uses them for the next call.
  subprotocols[0] = "other";
  headers[0] = ["X-Two", "2"];
  options.connectTo = { hostname: "127.0.0.1", port: 1 };
  options.requireSubprotocol = false;
  const raw = await server.accept();
  const head = await raw.readHead();
  assertEquals(headerOf(head, "X-One"), "1");
  assertEquals(headerOf(head, "Sec-WebSocket-Protocol"), "chat");
  raw.write(upgradeResponse(head, { "Sec-WebSocket-Protocol": "chat" }));
  const connection = await dialing;
  assertEquals(connection.subprotocol, "chat");
  connection.terminate();
  await connection.closed;
});

test("AB1: headers that can be read once are kept when beforeConnect adds others", async () => {
  const headers = new Map([["X-One", "1"]]).entries();
  const head = await headFor({
    headers,
    beforeConnect: () => ({ userAgent: "x" }),
  });
  assertEquals(headerOf(head, "X-One"), "1");
  assertEquals(headerOf(head, "User-Agent"), "x");
});
