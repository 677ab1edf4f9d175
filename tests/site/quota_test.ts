/** How many connections there may be, in all and from one address (B-13). */
import { Quota } from "../../server/quota.ts";
import {
  type Address,
  type Connection,
  Handler,
  refuseAfterOpen,
  Site,
} from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import {
  assertRefused,
  readClose,
  serve,
  type Served,
  serveInTime,
  until,
} from "./served.ts";

function tcp(hostname: string): Address {
  return { transport: "tcp", hostname, port: 1 };
}

test("B-13: places are taken and given back, once each", () => {
  const quota = new Quota(4, 2);
  const [a, b, c, d, e] = [{}, {}, {}, {}, {}];
  assertEquals(quota.take(a, tcp("1.1.1.1")), undefined);
  assertEquals(quota.take(b, tcp("::ffff:1.1.1.1")), undefined);
  assertEquals(quota.take(c, tcp("1.1.1.1")), "too-many-from-address");
  assertEquals(quota.take(c, tcp("2001:db8::1")), undefined);
  assertEquals(quota.take(d, tcp("2001:db8::2:3:4:5")), undefined);
  assertEquals(quota.take(e, tcp("9.9.9.9")), "too-many-connections");
  assertEquals([quota.size, quota.networks], [4, 2]);
  quota.release(e);
  quota.release(a);
  quota.release(a);
  assertEquals([quota.size, quota.networks], [3, 2]);
  assertEquals(
    quota.take(e, tcp("2001:db8:0:0:ffff::")),
    "too-many-from-address",
  );
  assertEquals(quota.take(e, tcp("1.1.1.1")), undefined);
  assertEquals(quota.take(a, tcp("1.1.1.1")), "too-many-connections");
  for (const holder of [a, b, c, d, e]) quota.release(holder);
  assertEquals([quota.size, quota.networks], [0, 0]);
});

test("B-13: a place is handed on, once", () => {
  const quota = new Quota(2, 2);
  const [a, b, c] = [{}, {}, {}];
  quota.take(a, tcp("1.1.1.1"));
  quota.move(a, b);
  quota.move(a, c);
  quota.release(a);
  quota.release(c);
  assertEquals([quota.size, quota.networks], [1, 1]);
  quota.release(b);
  assertEquals([quota.size, quota.networks], [0, 0]);
});

test("B-13: who has no address counts in all alone", () => {
  const quota = new Quota(3, 1);
  const unix: Address = { transport: "unix", path: "" };
  for (let count = 0; count < 3; count++) {
    assertEquals(quota.take({}, unix), undefined);
  }
  assertEquals(quota.take({}, unix), "too-many-connections");
  assertEquals(quota.networks, 0);
  const open = new Quota(Infinity, 1);
  assertEquals(open.take({}, unix), undefined);
  const total = new Quota(1, Infinity);
  assertEquals(total.take({}, tcp("1.1.1.1")), undefined);
  assertEquals([total.size, total.networks], [1, 0]);
});

class Quiet extends Handler {
  override message(): void {}
}

/** Asserts that one more is refused, with a time to come again. */
async function assertFull(
  served: Served,
  status: number,
  headers?: Record<string, string>,
): Promise<void> {
  const response = await served.exchange(upgradeRequest("/quiet", headers));
  assertRefused(response, status);
  assertMatch(response, /^Retry-After: [1-9]\d*\r$/m);
}

test("B-13: one more than maxConnections is refused with 503, until one has gone", async () => {
  // The canary is the first.
  await serve({
    maxConnections: 3,
    setup: (site) => site.addHandler("/quiet", Quiet),
    root: () => new Response("root"),
  }, async (served) => {
    await using one = await rawUpgrade(served.port, "/quiet");
    await using two = await rawUpgrade(served.port, "/quiet");
    await assertFull(served, 503);
    // Nobody who asks for a page is turned away.
    const page = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assertMatch(await served.exchange(page), /^HTTP\/1\.1 200 /);
    one.reset();
    await until(() => served.site.connections.size === 2, "the reset");
    await using _three = await rawUpgrade(served.port, "/quiet");
    await assertFull(served, 503);
    two.reset();
    await until(() => served.site.connections.size === 2, "the end");
  });
});

test("B-13: 0 lets nobody in", async () => {
  const site = new Site({ maxConnections: 0 });
  site.addHandler("/quiet", Quiet);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await using client = await rawConnect(server.addr.port);
  client.write(upgradeRequest("/quiet"));
  assertMatch(await client.readHead(), /^HTTP\/1\.1 503 /);
});

test("B-13, HS-24: maxConnectionsPerAddress counts clients, not proxies: 429", async () => {
  const from = (address: string) => ({ "X-Forwarded-For": address });
  await serve({
    maxConnectionsPerAddress: 2,
    trustedProxies: 1,
    setup: (site) => site.addHandler("/quiet", Quiet),
  }, async (served) => {
    const open = (address: string): Promise<RawClient> =>
      rawUpgrade(served.port, "/quiet", from(address));
    await using _a = await open("1.1.1.1");
    await using b = await open("9.9.9.9, 1.1.1.1:55");
    await assertFull(served, 429, from("1.1.1.1"));
    await assertFull(served, 429, from("::ffff:1.1.1.1"));
    await using _c = await open("1.1.1.2");
    await using _d = await open("2001:db8::1");
    await using _e = await open("2001:db8::ffff:0:0:1");
    await assertFull(served, 429, from("2001:db8:0:0:1::"));
    await using _f = await open("2001:db8:0:1::");
    const before = served.site.connections.size;
    b.reset();
    await until(() => served.site.connections.size < before, "the reset");
    await using _g = await open("1.1.1.1");
    await assertFull(served, 429, from("1.1.1.1"));
  });
});

test("B-13: without a trusted proxy its headers make nobody another", async () => {
  await serve({
    maxConnectionsPerAddress: 2,
    setup: (site) => site.addHandler("/quiet", Quiet),
  }, async (served) => {
    await using client = await rawUpgrade(served.port, "/quiet");
    await assertFull(served, 429, { "X-Forwarded-For": "1.1.1.1" });
    // The canary's fresh connection needs the place.
    client.reset();
    await until(() => served.site.connections.size === 1, "the end");
  });
});

test("B-13: a client that was refused, and stays, holds no place", async () => {
  await serve({
    maxConnections: 2,
    setup: addEnds,
  }, async (served) => {
    await using refused = await rawConnect(served.port);
    refused.write(upgradeRequest("/no"));
    assertMatch(await refused.readHead(), /^HTTP\/1\.1 401 /);
    await using next = await rawUpgrade(served.port, "/quiet");
    next.reset();
    await until(() => served.site.connections.size === 1, "the reset");
  });
});

test("B-13: an upgrade that comes late, after requests to the root, counts", async () => {
  await serve({
    maxConnections: 2,
    setup: addEnds,
    root: () => new Response("root"),
  }, async (served) => {
    for (let time = 0; time < 3; time++) {
      const client = await rawConnect(served.port);
      client.write("GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      assertMatch(await client.readHead(), /^HTTP\/1\.1 200 /);
      await client.read((bytes) => {
        const isWhole = new TextDecoder().decode(bytes).includes("root");
        return isWhole ? { value: true, size: bytes.length } : undefined;
      }, "the page");
      await client.upgrade("/quiet");
      await assertFull(served, 503);
      client.reset();
      await client.closed;
      await free(served, "late");
    }
  });
});

test("B-13: handshakes under way count", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  class Slow extends Quiet {
    static async upgrade(): Promise<void> {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
    }
  }
  await serve({
    maxConnections: 3,
    setup(site) {
      site.addHandler("/quiet", Quiet);
      site.addHandler("/slow", Slow);
    },
  }, async (served) => {
    await using first = await rawConnect(served.port);
    first.write(upgradeRequest("/slow"));
    await using second = await rawConnect(served.port);
    second.write(upgradeRequest("/slow"));
    await until(() => gates.length === 2, "both to be asked");
    await assertFull(served, 503);
    gates.forEach(({ resolve }) => resolve());
    await first.readHead();
    await second.readHead();
    await assertFull(served, 503);
    first.reset();
    await until(() => served.site.connections.size === 2, "the reset");
  });
});

/** Every way in which a request, or its connection, can end. */
const ENDS: Readonly<Record<string, (served: Served) => Promise<void>>> = {
  async "refused before it is asked"(served) {
    const request = upgradeRequest("/quiet", { Origin: "http://evil.example" });
    assertRefused(await served.exchange(request), 403);
  },
  async "refused by a Response"(served) {
    assertRefused(await served.exchange(upgradeRequest("/no")), 401);
  },
  async "refused by an exception"(served) {
    assertRefused(await served.exchange(upgradeRequest("/throws")), 500);
    served.takeErrors();
  },
  async "refused by a constructor"(served) {
    assertRefused(await served.exchange(upgradeRequest("/broken")), 500);
    served.takeErrors();
  },
  async "refused after the opening"(served) {
    await using client = await rawUpgrade(served.port, "/after");
    assertEquals(await readClose(client), 4401);
    client.sendFrame({ opcode: "close", payload: new Uint8Array([3, 232]) });
    await client.readToEnd();
  },
  async "refused for its time"(served) {
    assertRefused(await served.exchange(upgradeRequest("/never")), 503);
    served.takeErrors();
  },
  async "reset while it is decided"(served) {
    const client = await rawConnect(served.port);
    client.write(upgradeRequest("/never"));
    await until(() => asked > 0, "the question");
    client.reset();
    await client.closed;
  },
  async "ended while it is decided"(served) {
    await using client = await rawConnect(served.port);
    client.write(upgradeRequest("/never"));
    await until(() => asked > 0, "the question");
    client.end();
    await client.closed;
  },
  async "closed by the client"(served) {
    await using client = await rawUpgrade(served.port, "/quiet");
    client.sendFrame({ opcode: "close", payload: new Uint8Array([3, 232]) });
    await client.readToEnd();
  },
  async "closed by the handler"(served) {
    await using client = await rawUpgrade(served.port, "/returns");
    assertEquals(await readClose(client), 1000);
    client.sendFrame({ opcode: "close", payload: new Uint8Array([3, 232]) });
    await client.readToEnd();
  },
  async "terminated by the handler"(served) {
    await using client = await rawUpgrade(served.port, "/terminates");
    await client.readToEnd();
  },
  async "reset"(served) {
    const client = await rawUpgrade(served.port, "/quiet");
    client.reset();
    await client.closed;
  },
  async "ended without a Close"(served) {
    await using client = await rawUpgrade(served.port, "/quiet");
    client.end();
    await client.closed;
  },
  async "broken by the client"(served) {
    await using client = await rawUpgrade(served.port, "/quiet");
    client.write(Uint8Array.of(0xff, 0xff));
    await client.readToEnd();
  },
  async "silent after our Close"(served) {
    await using client = await rawUpgrade(served.port, "/returns");
    await client.readToEnd();
  },
};

let asked = 0;

function addEnds(site: Site): void {
  site.addHandler("/quiet", Quiet);
  site.addHandler("/returns", () => {}, { closeTimeoutMs: 50 });
  site.addHandler("/terminates", (connection: Connection) => {
    connection.terminate();
  });
  site.addHandler(
    "/no",
    class extends Quiet {
      static upgrade = (): Response => new Response(null, { status: 401 });
    },
  );
  site.addHandler(
    "/throws",
    class extends Quiet {
      static upgrade(): void {
        throw new Error("no");
      }
    },
  );
  site.addHandler(
    "/broken",
    class extends Quiet {
      constructor(connection: Connection) {
        super(connection);
        throw new Error("no");
      }
    },
  );
  site.addHandler(
    "/after",
    class extends Quiet {
      static upgrade = () => refuseAfterOpen(4401, "no");
    },
  );
  site.addHandler(
    "/never",
    class extends Quiet {
      static upgrade(): Promise<void> {
        asked++;
        return new Promise(() => {});
      }
    },
  );
}

test("B-13: however a connection ends, its place is free again", async () => {
  // Once with something that stands between connections and their transports.
  for (const more of [{}, { onFrame() {} }]) {
    await serveInTime({
      // The canary, and one more.
      maxConnections: 2,
      maxConnectionsPerAddress: 2,
      openTimeoutMs: 100,
      setup: addEnds,
      ...more,
    }, async (served) => {
      for (const [how, end] of Object.entries(ENDS)) {
        for (let time = 0; time < 2; time++) {
          asked = 0;
          await end(served);
          await free(served, how);
        }
      }
    });
  }
});

/** Waits until there is a place, and none too many. */
async function free(served: Served, how: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (true) {
    await using client = await rawConnect(served.port);
    client.write(upgradeRequest("/quiet"));
    const head = await client.readHead();
    if (head.startsWith("HTTP/1.1 101 ")) {
      await assertFull(served, 503);
      client.reset();
      await client.closed;
      await until(() => served.site.connections.size === 1, `${how}: the end`);
      return;
    }
    assert(Date.now() < deadline, `${how}: the place is not free: ${head}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
