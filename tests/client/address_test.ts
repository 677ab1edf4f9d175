/** WS25 and TW16: connecting to another address than that of the URL. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import { type ListenOptions, type Server, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { certificate } from "../runtime/recorder.ts";

const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
const ca = certificate("ca.crt");

/** A site that says which host it was asked for. */
function listen(options: ListenOptions): Promise<Server> {
  const site = new Site();
  site.addHandler("/host", (connection) => {
    connection.send(connection.request.headers.get("host") ?? "");
  });
  return site.listen(options);
}

async function hostSeen(url: string, options: DialOptions): Promise<unknown> {
  const connection = await dial(url, options);
  const host = await connection.receive();
  await connection.closed;
  return host;
}

test("WS25: connectTo changes the address, not the Host", async () => {
  await using server = await listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  assertEquals(
    await hostSeen("ws://example.test:99/host", {
      connectTo: { hostname: "127.0.0.1", port },
    }),
    "example.test:99",
  );
  assertEquals(
    await hostSeen("ws://127.0.0.1/host", { connectTo: { port } }),
    "127.0.0.1",
  );
  assertEquals(
    await hostSeen(`ws://example.test:${port}/host`, {
      connectTo: { hostname: "127.0.0.1" },
    }),
    `example.test:${port}`,
  );
});

test("WS25: with connectTo TLS checks the name of the URL, or serverName", async () => {
  await using server = await listen({ port: 0, hostname: "127.0.0.1", tls });
  assert(server.addr.transport === "tcp");
  const connectTo = { hostname: "127.0.0.1", port: server.addr.port };
  assertEquals(
    await hostSeen("wss://localhost/host", { connectTo, tls: { ca } }),
    "localhost",
  );
  const error = await assertRejects(
    () => dial("wss://example.test/host", { connectTo, tls: { ca } }),
    HandshakeError,
  );
  assertEquals(error.reason, "tls-failed");
  assertEquals(
    await hostSeen("wss://example.test/host", {
      connectTo,
      tls: { ca, serverName: "localhost" },
    }),
    "example.test",
  );
});

test("WS25: a Unix socket, plain and with TLS", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-dial-"));
  try {
    const path = join(folder, "s");
    const secure = join(folder, "t");
    await using _server = await listen({ path });
    await using _secure = await listen({ path: secure, tls });
    assertEquals(await hostSeen("ws://x.test/host", { path }), "x.test");
    assertEquals(
      await hostSeen("wss://localhost/host", { path: secure, tls: { ca } }),
      "localhost",
    );
    const wrong = await assertRejects(
      () => dial("wss://x.test/host", { path: secure, tls: { ca } }),
      HandshakeError,
    );
    assertEquals(wrong.reason, "tls-failed");
    const error = await assertRejects(
      () => dial("ws://x.test/", { path: join(folder, "nobody") }),
      HandshakeError,
    );
    assertEquals(error.reason, "connect-failed");
    // What it was, on every runtime.
    assert(/ENOENT|No such file/.test(error.message), error.message);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("WS25: addresses that are none are refused at once", async () => {
  const wrong: unknown[] = [
    { path: "" },
    { path: 5 },
    { path: "/x", connectTo: {} },
    { connectTo: "127.0.0.1" },
    { connectTo: null },
    { connectTo: { host: "x" } },
    { connectTo: { hostname: "" } },
    { connectTo: { hostname: 5 } },
    { connectTo: { hostname: "127.0.0.1:80" } },
    { connectTo: { hostname: "1.2.3.999" } },
    { connectTo: { hostname: "a b" } },
    { connectTo: { hostname: "a\r\nX: y" } },
    { connectTo: { hostname: "user@a" } },
    { connectTo: { port: "80" } },
    { connectTo: { port: -1 } },
    { connectTo: { port: 1.5 } },
    { connectTo: { port: 65_536 } },
  ];
  for (const options of wrong) {
    const error = await assertRejects(() =>
      dial("ws://127.0.0.1:1/", options as DialOptions)
    );
    assert(error instanceof TypeError || error instanceof RangeError);
  }
});
