/** The page that shows what a site is doing (AB: `webStatus`). */
import {
  type Site,
  statusPage,
  type StatusPageOptions,
  type StatusSite,
} from "../../server.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
  test,
} from "../harness.ts";
import { closePayload } from "../harness/frame.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { readClose, readText, serve, type Served, statusOf } from "./served.ts";

/** What the feed sends. */
interface Snapshot {
  readonly stats: Record<string, number>;
  readonly paths: string[];
  readonly connections: {
    readonly id: string;
    readonly path: string;
    readonly address: string;
    readonly ageMs: number | null;
    readonly messagesReceived: number;
  }[];
}

/** Runs `body` against a site with a status page. */
async function withPage(
  options: StatusPageOptions,
  body: (served: Served) => Promise<void>,
): Promise<void> {
  let page: ((request: Request) => Response) | undefined;
  const setup = (site: Site): void => void (page = statusPage(site, options));
  await serve({ root: (request) => page!(request), setup }, body);
}

/** Sends a request for a page; returns head and body of the response. */
async function fetchPage(
  served: Served,
  path: string,
  method = "GET",
): Promise<[head: string, body: string]> {
  const response = await served.exchange(
    `${method} ${path} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n`,
  );
  const [head = "", ...body] = response.split("\r\n\r\n");
  return [head, body.join("\r\n\r\n")];
}

/** Reads what the feed sends until it fits. */
async function readUntil(
  feed: RawClient,
  fits: (snapshot: Snapshot) => boolean,
): Promise<Snapshot> {
  while (true) {
    const snapshot: Snapshot = JSON.parse(await readText(feed));
    if (fits(snapshot)) return snapshot;
  }
}

test("AB webStatus: the page is one document under a strict policy", async () => {
  await withPage({}, async (served) => {
    const [head, body] = await fetchPage(
      served,
      "/status?redirect=//evil.test",
    );
    assertEquals(statusOf(head), 200);
    assertMatch(head, /^content-type: text\/html; charset=utf-8$/im);
    assertMatch(head, /^cache-control: no-store$/im);
    assertMatch(head, /^x-content-type-options: nosniff$/im);
    const [, policy = ""] = /^content-security-policy: (.*)$/im.exec(head) ??
      [];
    const [, nonce = ""] = /script-src 'nonce-([^']+)'/.exec(policy) ?? [];
    assert(atob(nonce).length === 16);
    assertEquals(policy.split("; "), [
      "default-src 'none'",
      `style-src 'nonce-${nonce}'`,
      `script-src 'nonce-${nonce}'`,
      "img-src data:",
      "connect-src 'self' ws://site.test wss://site.test",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    // Nothing is loaded, and no markup is made of what a client chose.
    const tags = [...body.matchAll(/<(script|style|img|link|iframe)[^>]*>/g)];
    assertEquals(tags.map(([tag]) => tag), [
      '<link rel="icon" href="data:,">',
      `<style nonce="${nonce}">`,
      `<script nonce="${nonce}">`,
    ]);
    assert(!/innerHTML|insertAdjacentHTML|document\.write|eval/.test(body));
    // No open redirect, and no trace of the request at all.
    assert(!body.includes("evil") && !head.includes("evil"));
    const [, other] = await fetchPage(served, "/status");
    assert(!other.includes(nonce), "the nonce was used twice");
  });
});

test("AB webStatus: other paths and methods are answered as they should", async () => {
  await withPage({ path: "/admin/status" }, async (served) => {
    const statuses = [];
    for (
      const [path, method] of [
        ["/admin/status", "GET"],
        ["/admin/status", "HEAD"],
        ["/admin/status", "POST"],
        ["/status", "GET"],
        ["/admin/status/", "GET"],
      ] as const
    ) {
      const [head, body] = await fetchPage(served, path, method);
      statuses.push(statusOf(head));
      if (method === "HEAD") assertEquals(body, "");
    }
    assertEquals(statuses, [200, 200, 405, 404, 404]);
  });
});

test("AB webStatus: the feed shows a connection appear, count and vanish", async () => {
  await withPage({ intervalMs: 100 }, async (served) => {
    await using feed = await rawUpgrade(served.port, "/status");
    const first: Snapshot = JSON.parse(await readText(feed));
    assertEquals(first.paths, ["/echo", "/status"]);
    assertEquals(first.stats["open"], 2);
    assertEquals(first.connections.map(({ path }) => path), [
      "/echo",
      "/status",
    ]);
    await using client = await rawUpgrade(served.port, "/echo?token=secret");
    const isThere = ({ connections }: Snapshot) =>
      connections.find(({ address }) =>
        address === `127.0.0.1 ${client.localPort}`
      );
    const there = await readUntil(feed, (it) => isThere(it) !== undefined);
    const shown = isThere(there)!;
    assertEquals(shown.path, "/echo");
    assert(shown.ageMs !== null && shown.ageMs < 10_000);
    const ids = [...served.site.connections].map(({ id }) => id);
    assert(ids.includes(shown.id));
    client.sendFrame({ payload: "hello" });
    await readText(client);
    await readUntil(feed, (it) => isThere(it)?.messagesReceived === 1);
    client.sendFrame({ opcode: "close", payload: closePayload(1000) });
    await client.readToEnd();
    client.end();
    const gone = await readUntil(feed, (it) => it.stats["closed"] === 1);
    assertEquals(gone.stats["open"], 2);
    assertEquals(gone.connections.length, 2);
    assert(!JSON.stringify([first, there, gone]).includes("secret"));
  });
});

test("AB webStatus: a crowd is cut off, the counters tell all", async () => {
  await withPage({ maxConnections: 3 }, async (served) => {
    const clients = [];
    for (let count = 0; count < 5; count++) {
      clients.push(await rawUpgrade(served.port, "/echo"));
    }
    await using feed = await rawUpgrade(served.port, "/status");
    const { stats, connections }: Snapshot = JSON.parse(await readText(feed));
    assertEquals([stats["open"], connections.length], [7, 3]);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });
});

test("AB webStatus, HS-18: pages of other origins do not get the feed", async () => {
  const statusFor = async (
    options: StatusPageOptions,
    headers: Record<string, string>,
  ): Promise<number> => {
    let status = 0;
    await withPage(options, async ({ port }) => {
      await using client = await rawConnect(port);
      client.write(upgradeRequest("/status", headers));
      status = statusOf(await client.readHead());
    });
    return status;
  };
  const evil = { Origin: "https://evil.test" };
  assertEquals(await statusFor({}, evil), 403);
  assertEquals(await statusFor({ origins: ["https://evil.test"] }, evil), 101);
  const upgrade: StatusPageOptions["upgrade"] = ({ headers }) =>
    headers.get("authorization") === "Bearer right"
      ? undefined
      : new Response("No.", { status: 401 });
  assertEquals(await statusFor({ upgrade }, {}), 401);
  const right = { Authorization: "Bearer right" };
  assertEquals(await statusFor({ upgrade }, right), 101);
});

test("AB webStatus: the feed takes no messages", async () => {
  await withPage({}, async ({ port }) => {
    await using feed = await rawUpgrade(port, "/status");
    await readText(feed);
    feed.sendFrame({ payload: "x" });
    assertEquals(await readClose(feed), 1009);
  });
});

test("AP-1: statusPage refuses options that are unknown or wrong", () => {
  const site: StatusSite = {
    stats: {} as StatusSite["stats"],
    connections: new Set(),
    paths: [],
    watch: () => () => {},
    addHandler: () => {},
  };
  const wrong: unknown[] = [
    null,
    { pth: "/x" },
    { intervalMs: "1" },
    { maxConnections: null },
    { upgrade: {} },
  ];
  for (const options of wrong) {
    assertThrows(
      () => statusPage(site, options as StatusPageOptions),
      TypeError,
    );
  }
  assertThrows(() => statusPage(site, { intervalMs: -1 }), RangeError);
});
