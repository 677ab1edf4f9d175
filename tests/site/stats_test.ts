/** Counters of a whole site (AB23, B-13). */
import { type ConnectionStats, Site } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import { rawConnect, rawUpgrade } from "../harness/raw_client.ts";
import { readText, serve, until } from "./served.ts";

test("AB23: the site's counters are the sums over connections open and gone", async () => {
  await serve({}, async (served) => {
    const { site } = served;
    const before = site.stats;
    const all: ConnectionStats[] = [];
    const pairs = [];
    for (let index = 0; index < 3; index++) {
      const pair = await served.pair("/echo");
      for (let count = 0; count <= index; count++) {
        pair.client.sendFrame({ payload: "x".repeat(200 * count) });
        await readText(pair.client);
      }
      pairs.push(pair);
    }
    const [first, second, third] = pairs;
    first!.client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    await first!.client.readToEnd();
    first!.client.end();
    second!.client.reset();
    await until(() => site.stats.closed === 2, "the end of two");
    for (const { connection } of pairs) all.push(connection.stats);
    const after = site.stats;
    for (const name of Object.keys(all[0]!) as (keyof ConnectionStats)[]) {
      const sum = all.reduce((sum, stats) => sum + stats[name], 0);
      assertEquals(after[name] - before[name], sum, name);
    }
    assertEquals(after.messagesReceived - before.messagesReceived, 6);
    // The canary is one of them.
    assertEquals([after.open, after.closing, after.opened], [2, 0, 4]);
    assertEquals(after.closedFor, { peer: 1, "transport-error": 1 });
    await third!.client[Symbol.asyncDispose]();
  });
});

test("AB23: a connection that closes counts until it is gone, and once", async () => {
  await serve({}, async (served) => {
    const { site } = served;
    const { client, connection } = await served.pair("/echo");
    client.sendFrame({ payload: "hello" });
    await readText(client);
    const { messagesReceived } = site.stats;
    void connection.close();
    await client.readFrame();
    const closing = site.stats;
    assertEquals([closing.open, closing.closing, closing.closed], [1, 1, 0]);
    assertEquals(closing.messagesReceived, messagesReceived);
    client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    await client.readToEnd();
    client.end();
    await until(() => site.stats.closed === 1, "the end");
    const gone = site.stats;
    assertEquals([gone.open, gone.closing], [1, 0]);
    assertEquals(gone.messagesReceived, messagesReceived);
    assertEquals(gone.closedFor, { local: 1 });
  });
});

test("B-13: requests that went to the root are counted, and paths are listed", async () => {
  const setup = (site: Site): void => {
    site.addHandler("/rooms/:id", () => {});
    site.addHandler("/hello", () => {});
  };
  const root = () => new Response("root");
  await serve({ root, setup }, async (served) => {
    const { site } = served;
    const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (let count = 1; count <= 2; count++) {
      await using client = await rawConnect(served.port);
      client.write(request);
      await client.readToEnd();
      assertEquals(site.stats.passed, count);
    }
    assertEquals([site.stats.refused, site.stats.opened], [0, 1]);
    assertEquals(site.paths, ["/echo", "/hello", "/rooms/:id"]);
    site.removeHandler("/hello");
    assertEquals(site.paths, ["/echo", "/rooms/:id"]);
  });
});

test("AB23: a site that has done nothing has counted nothing", () => {
  for (const [name, value] of Object.entries(new Site().stats)) {
    assertEquals(value, typeof value === "number" ? 0 : {}, name);
  }
});

test("AB23: a handler whose constructor closes, or throws, leaves no count behind", async () => {
  const setup = (site: Site): void => {
    site.addHandler("/closing", (connection) => void connection.terminate());
  };
  await serve({ setup }, async ({ port, site }) => {
    for (let count = 1; count <= 3; count++) {
      await using client = await rawUpgrade(port, "/closing");
      await client.readToEnd();
      client.end();
      await until(() => site.stats.closed === count, "the end");
    }
    const { open, closing, opened, closedFor } = site.stats;
    assertEquals([open, closing, opened], [1, 0, 4]);
    assertEquals(closedFor, { local: 3 });
    assert(site.stats.bytesSent > 0);
  });
});
