/** A program that has closed its connections, or got none, ends by itself (BL8). */
import { type Server, Site } from "../../server.ts";
import type { DialOptions } from "../../client.ts";
import { assert, assertEquals, test, testWhere } from "../harness.ts";
import { Child, currentRuntime } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { RawServer } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo } from "../site/served.ts";
import { FullListener } from "./full_listener.ts";
import { Relay } from "./relay.ts";

const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const ca = certificate("ca.crt");

async function listen(secure = false): Promise<[Server, number]> {
  const site = new Site({
    root: ({ url }) =>
      url.endsWith("/away")
        ? new Response(null, { status: 302, headers: { Location: "/echo" } })
        : new Response("no", { status: 403 }),
  });
  site.addHandler("/echo", Echo);
  const server = await site.listen({
    port: 0,
    hostname: "127.0.0.1",
    ...(secure && { tls }),
  });
  assert(server.addr.transport === "tcp");
  return [server, server.addr.port];
}

/** What a child says in the end, and that it ends. */
async function assertExits(
  url: string,
  how: "close" | "terminate" | "abort" | "fail",
  options: DialOptions,
  wanted: unknown,
): Promise<void> {
  await using child = Child.running("tests/client/settling_child.ts", [], {
    SOCKEYE_TEST_URL: url,
    SOCKEYE_TEST_HOW: how,
    SOCKEYE_TEST_OPTIONS: JSON.stringify(options),
  });
  assertEquals([url, await child.json()], [url, wanted]);
  if (how === "close") {
    const { cause, wasClean } = await child.json<Record<string, unknown>>();
    assertEquals([cause, wasClean], ["local", true]);
  }
  // Well under the 10 or 20 seconds that a timer left behind would take.
  const exit = await within(child.exited, `the child's end: ${url}`, 8_000);
  assertEquals([url, how, exit, child.stderr], [
    url,
    how,
    { code: 0, signal: null },
    "",
  ]);
}

test("BL8: a process ends by itself after dial() and close(), or terminate()", async () => {
  const [server, port] = await listen();
  await using _ = server;
  for (const how of ["close", "terminate"] as const) {
    await assertExits(`ws://127.0.0.1:${port}/echo`, how, {}, "hello");
  }
});

test("BL8: a process ends by itself after TLS", async () => {
  const [server, port] = await listen(true);
  await using _ = server;
  for (const how of ["close", "terminate"] as const) {
    const url = `wss://127.0.0.1:${port}/echo`;
    await assertExits(url, how, { tls: { ca } }, "hello");
  }
  const url = `wss://localhost:${port}/echo`;
  await assertExits(url, "fail", {}, "tls-failed");
});

test("BL8: a process ends by itself after a proxy, plain and with TLS in TLS", async () => {
  const [server, port] = await listen(true);
  await using _ = server;
  await using relay = await Relay.listen({ port });
  await using secure = await Relay.listen({ port, tls });
  const url = "wss://localhost/echo";
  const proxies = [
    `http://127.0.0.1:${relay.port}`,
    `socks5://127.0.0.1:${relay.port}`,
    { url: `https://127.0.0.1:${secure.port}`, tls: { ca } },
  ];
  for (const proxy of proxies) {
    await assertExits(url, "close", { proxy, tls: { ca } }, "hello");
  }
  const proxy = `http://127.0.0.1:${relay.port}`;
  await assertExits(url, "terminate", { proxy, tls: { ca } }, "hello");
});

test("BL8: a process ends by itself after a redirect", async () => {
  const [server, port] = await listen();
  await using _ = server;
  const url = `ws://127.0.0.1:${port}/away`;
  await assertExits(url, "close", { maxRedirects: 1 }, "hello");
  await assertExits(url, "fail", {}, "bad-status");
});

test("BL8: a process ends by itself after it was refused", async () => {
  const [server, port] = await listen();
  await using _ = server;
  await using wanting = await Relay.listen({ port, user: "me:secret" });
  await assertExits(`ws://127.0.0.1:${port}/other`, "fail", {}, "bad-status");
  await assertExits("ws://127.0.0.1:1/", "fail", {}, "connect-failed");
  const proxy = `http://127.0.0.1:${wanting.port}`;
  await assertExits("ws://a.test/", "fail", { proxy }, "proxy-failed");
});

/** What a server that accepts TCP and says nothing keeps a dialer waiting for. */
const WAITS: [what: string, toUrl: (port: number) => [string, DialOptions]][] =
  [
    ["the response", (port) => [`ws://127.0.0.1:${port}/`, {}]],
    ["TLS", (port) => [`wss://127.0.0.1:${port}/`, {}]],
    [
      "a proxy",
      (port) => ["wss://a.test/", { proxy: `http://127.0.0.1:${port}` }],
    ],
  ];

for (const [what, toUrl] of WAITS) {
  test(`BL8: a process ends by itself after it gave up ${what}, or ran out of time`, async () => {
    await using silent = await RawServer.listen();
    const [url, options] = toUrl(silent.port);
    await assertExits(url, "abort", options, "AbortError");
    const timeout = { ...options, openTimeoutMs: 150 };
    await assertExits(url, "fail", timeout, "open-timeout");
  });
}

// Bun 1.4.5 cannot cancel a connection attempt: where not even TCP gets an answer
// the process lives until the kernel gives up, some two minutes.
testWhere(
  currentRuntime === "bun" ? "way to cancel a connection attempt" : undefined,
  "BL8: a process ends by itself after it gave up what TCP did not answer",
  async () => {
    await using full = await FullListener.listen();
    const url = `ws://127.0.0.1:${full.port}/`;
    await assertExits(url, "abort", {}, "AbortError");
    await assertExits(url, "fail", { openTimeoutMs: 150 }, "open-timeout");
  },
);
