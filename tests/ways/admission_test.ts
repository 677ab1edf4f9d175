/** Who may connect, and who is told, whichever way the request came. */
import { Handler, refuseAfterOpen, type SiteEvent } from "../../server.ts";
import { assert, assertEquals } from "../harness.ts";
import { closeCode, closePayload } from "../harness/frame.ts";
import { rawConnect, upgradeRequest } from "../harness/raw_client.ts";
import { pause, readText, until } from "../site/served.ts";
import { testWays } from "./ways.ts";

testWays("B-13: maxConnections holds, and every end makes room again", {
  // One for the canary, one for its fresh connection, one more.
  maxConnections: 3,
  setup: (site) => {
    site.addHandler(
      "/refuses",
      class extends Handler {
        static upgrade(): Response {
          return new Response("no", { status: 401 });
        }
      },
    );
    site.addHandler(
      "/breaks",
      class extends Handler {
        constructor(connection: ConstructorParameters<typeof Handler>[0]) {
          super(connection);
          throw new Error("unmade");
        }
      },
    );
  },
}, async (way) => {
  for (let i = 0; i < 4; i++) {
    assertEquals((await way.ask("/refuses")).status, 401);
    assertEquals((await way.ask("/breaks")).status, 500);
    const headers = { "Sec-WebSocket-Version": "8" };
    assertEquals((await way.ask("/echo", headers)).status, 426);
  }
  assertEquals(way.takeErrors().length, 4);
  for (let i = 0; i < 4; i++) {
    const one = await way.upgrade();
    const other = await way.upgrade();
    const { status, headers } = await way.ask("/echo");
    assertEquals(status, 503);
    assert(headers.has("retry-after"));
    one.sendFrame({ opcode: "close", payload: closePayload(1000) });
    await one.readFrame();
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await until(
      () => way.site.stats.open + way.site.stats.closing === 1,
      "room",
    );
  }
});

testWays("HS-24: trusted proxies say who the client is", {
  trustedProxies: 1,
  setup: (site) =>
    site.addHandler("/whoami", (connection) => {
      const { remoteAddress, request } = connection;
      assert(remoteAddress.transport === "tcp");
      connection.send(`${remoteAddress.hostname} ${request.url}`);
    }),
}, async (way) => {
  await using client = await way.upgrade("/whoami", {
    "X-Forwarded-For": "198.51.100.7, 203.0.113.9",
    "X-Forwarded-Proto": "https",
  });
  assertEquals(await readText(client), "203.0.113.9 wss://127.0.0.1/whoami");
  const addresses: unknown[] = [];
  const stop = way.site.watch((event) => {
    if (event.type === "refused") addresses.push(event.remoteAddress);
  });
  await way.ask("/nowhere", { "X-Forwarded-For": "203.0.113.9" });
  stop();
  assertEquals(addresses, [
    { transport: "tcp", hostname: "203.0.113.9", port: 0 },
  ]);
});

testWays("WS10, WS13: the site's headers and its upgrade count", {
  headers: { Server: "Sockeye" },
  upgrade: (_request, { query }) => {
    if (query.get("key") === "bad") return refuseAfterOpen(4401, "log in");
    if (query.get("key") === "none") return new Response("", { status: 403 });
    return { headers: { "Set-Cookie": "a=1" } };
  },
}, async (way) => {
  await using client = await rawConnect(way.target);
  client.write(upgradeRequest("/echo?key=good"));
  const head = await client.readHead();
  assert(/^server: Sockeye\r$/im.test(head), head);
  assert(/^set-cookie: a=1\r$/im.test(head), head);
  for (const path of ["/echo?key=none", "/nowhere"]) {
    const { headers } = await way.ask(path);
    assertEquals(headers.get("server"), "Sockeye", path);
  }
  await using refused = await way.upgrade("/echo?key=bad");
  const { opcode, payload } = await refused.readFrame();
  assertEquals([opcode, closeCode(payload)], [8, 4401]);
});

testWays(
  "AB23: who watches is told, and everything is counted",
  {},
  async (way) => {
    const events: SiteEvent[] = [];
    const stop = way.site.watch((event) => {
      // That is the machine's doing.
      if (event.type !== "delayed") events.push(event);
    });
    await way.ask("/nowhere");
    await way.ask("/canary?q", { Origin: "nonsense" });
    const { client, connection } = await way.pair();
    client.sendFrame({ payload: "counted" });
    await readText(client);
    await client[Symbol.asyncDispose]();
    await connection.closed;
    await pause(0);
    stop();
    assertEquals(events.map(({ type }) => type), [
      "refused",
      "refused",
      "accepted",
      "opened",
      "closed",
    ]);
    const told = events[1];
    assert(told?.type === "refused");
    const { reason, status, path, remoteAddress } = told;
    assertEquals([reason, status, path, remoteAddress.transport], [
      "origin-not-allowed",
      403,
      "/canary",
      "tcp",
    ]);
    const { refused, opened } = way.site.stats;
    assertEquals([refused, opened], [2, 2]);
  },
);
