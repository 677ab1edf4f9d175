/** Where a site listens (LC-10, HS-23). */
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Handler, type ListenOptions, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { canary } from "../harness/canary.ts";
import { checkoutPath } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { rawConnect, rawUpgrade } from "../harness/raw_client.ts";
import { Echo, pause, serve } from "./served.ts";

const LOCAL = { port: 0, hostname: "127.0.0.1" } as const;

function certificate(name: string): string {
  return readFileSync(checkoutPath(`tests/certs/${name}`), "utf8");
}

/** Runs `body` with a path for a socket in a new directory. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "sockeye-"));
  try {
    await body(join(directory, "site.sock"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Tells what it knows of its connection. */
class Where extends Handler {
  override open(): void {
    const { remoteAddress, localAddress, request } = this.connection;
    this.connection.send(
      JSON.stringify([remoteAddress, localAddress, request.url]),
    );
  }
}

test("port 0 takes a free port, says which, and knows both ends", async () => {
  await serve({ setup: (site) => site.addHandler("/where", Where) }, async (
    { server, port },
  ) => {
    assertEquals(server.addr, {
      transport: "tcp",
      hostname: "127.0.0.1",
      port,
    });
    assert(port > 0);
    await using client = await rawUpgrade(port, "/where", {
      Host: `127.0.0.1:${port}`,
    });
    const { payload } = await client.readFrame();
    assertEquals(JSON.parse(new TextDecoder().decode(payload)), [
      { transport: "tcp", hostname: "127.0.0.1", port: client.localPort },
      { transport: "tcp", hostname: "127.0.0.1", port },
      `ws://127.0.0.1:${port}/where`,
    ]);
  });
});

test("LC-10: a port in use, or an address that is not ours, rejects", async () => {
  await serve({}, async ({ site, port }) => {
    await assertRejects(() => site.listen({ ...LOCAL, port }), Error);
    await assertRejects(() =>
      site.listen({ port: 0, hostname: "203.0.113.1" })
    );
    await assertRejects(() => site.listen({ path: "/nowhere/at/all.sock" }));
    // Nothing is left of them: the site can listen a second time, elsewhere.
    const second = await site.listen(LOCAL);
    assert(second.addr.transport === "tcp");
    await canary(second.addr.port);
    await second.shutdown();
    await assertRejects(() =>
      rawConnect((second.addr as { port: number }).port)
    );
  });
});

test("listen options that cannot be meant are refused", async () => {
  const site = new Site();
  const wrong: [unknown, ErrorConstructor][] = [
    [undefined, TypeError],
    [{}, TypeError],
    [{ port: 0, path: "/tmp/x" }, TypeError],
    [{ port: 0, prot: 1 }, TypeError],
    [{ port: "80" }, TypeError],
    [{ port: 65_536 }, RangeError],
    [{ port: -1 }, RangeError],
    [{ port: 1.5 }, RangeError],
    [{ port: 0, tls: {} }, TypeError],
    [{ port: 0, tls: { cert: "a", key: "b", ca: "c" } }, TypeError],
  ];
  for (const [options, type] of wrong) {
    await assertRejects(() => site.listen(options as ListenOptions), type);
  }
  const cert = certificate("leaf.crt");
  const key = certificate("leaf.key");
  const bytes = new TextEncoder().encode(cert);
  const noPem: [unknown, string][] = [
    [{ key }, "tls.cert is not the text of a PEM file with a certificate"],
    [{ cert: bytes, key }, "tls.cert is not the text"],
    [{ cert: "leaf.crt", key: "leaf.key" }, "tls.cert is not the text"],
    [{ cert, key: cert }, "tls.key is not the text of a PEM file with a priv"],
  ];
  for (const [tls, message] of noPem) {
    const options = { port: 0, tls } as ListenOptions;
    await assertRejects(() => site.listen(options), TypeError, message);
  }
});

test("an aborted signal shuts the server down", async () => {
  const site = new Site();
  site.addHandler("/echo", Echo);
  const controller = new AbortController();
  const server = await site.listen({ ...LOCAL, signal: controller.signal });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  await using client = await rawUpgrade(port);
  controller.abort();
  assertEquals([...(await client.readFrame()).payload], [3, 233]);
  await client[Symbol.asyncDispose]();
  await within(server.finished, "the end of the server");
  await assertRejects(() => rawConnect(port));
  const reason = new Error("too late");
  const signal = AbortSignal.abort(reason);
  await assertRejects(
    () => site.listen({ ...LOCAL, signal }),
    Error,
    "too late",
  );
});

test("a site listens on a Unix socket", async () => {
  await withPath(async (path) => {
    const setup = (site: Site): void => site.addHandler("/where", Where);
    await serve({ setup, listen: { path }, target: { path } }, async (
      { server },
    ) => {
      assertEquals(server.addr, { transport: "unix", path });
      await using client = await rawUpgrade({ path }, "/where");
      const { payload } = await client.readFrame();
      const [remote, local, url] = JSON.parse(
        new TextDecoder().decode(payload),
      );
      assertEquals([remote.transport, local.transport], ["unix", "unix"]);
      assertEquals(url, "ws://127.0.0.1/where");
      // LC-10: who listens there is not pushed aside.
      await assertRejects(() => new Site().listen({ path }));
    });
    assert(!existsSync(path));
    writeFileSync(path, "precious");
    await assertRejects(() => new Site().listen({ path }));
    assertEquals(readFileSync(path, "utf8"), "precious");
  });
});

test("a site listens with TLS", async () => {
  const ca = certificate("ca.crt");
  const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
  let secure: boolean | undefined;
  class Secure extends Where {
    static upgrade(_: unknown, info: { secure: boolean }): void {
      secure = info.secure;
    }
  }
  const site = new Site({ onError() {} });
  site.addHandler("/echo", Echo);
  site.addHandler("/where", Secure);
  const server = await site.listen({ ...LOCAL, tls });
  try {
    assert(server.addr.transport === "tcp");
    const { port } = server.addr;
    await using client = await rawUpgrade({ port, ca }, "/where", {
      Host: `localhost:${port}`,
      Origin: `https://localhost:${port}`,
    });
    const { payload } = await client.readFrame();
    const [, , url] = JSON.parse(new TextDecoder().decode(payload));
    assertEquals([url, secure], [`wss://localhost:${port}/where`, true]);
    // HS-23: who speaks no TLS is dropped, and harms nobody.
    await using plain = await rawConnect(port);
    plain.write("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await plain.readToEnd();
    await canary({ port, ca });
    // A large message, both ways.
    await using big = await rawUpgrade({ port, ca }, "/echo");
    const message = new Uint8Array(900_000).map((_, i) => i * 31);
    big.sendFrame({ opcode: "binary", payload: message });
    assertEquals((await big.readFrame()).payload, message);
    client.sendFrame({ opcode: "close" });
    assertEquals((await client.readFrame()).opcode, 8);
  } finally {
    await server.shutdown({ timeoutMs: 500 });
  }
});

test("HS-1: a client that never finishes its TLS handshake is dropped", async () => {
  const tls = { cert: certificate("leaf.crt"), key: certificate("leaf.key") };
  const site = new Site({ onError() {}, openTimeoutMs: 200 });
  const server = await site.listen({ ...LOCAL, tls });
  try {
    assert(server.addr.transport === "tcp");
    await using client = await rawConnect(server.addr.port);
    client.write(Uint8Array.of(0x16, 3, 1));
    await client.readToEnd();
  } finally {
    await server.shutdown({ timeoutMs: 500 });
  }
});

test("unref and ref can be called, and many sites live side by side", async () => {
  const first = new Site();
  const second = new Site();
  first.addHandler("/echo", Echo);
  second.addHandler("/echo", Echo);
  const servers = [
    await first.listen(LOCAL),
    await first.listen(LOCAL),
    await second.listen(LOCAL),
  ];
  for (const server of servers) {
    server.unref();
    server.ref();
    assert(server.addr.transport === "tcp");
    await canary(server.addr.port);
  }
  await first.shutdown();
  await Promise.all(servers.slice(0, 2).map((server) => server.finished));
  assert(servers[2]!.addr.transport === "tcp");
  await canary(servers[2]!.addr.port);
  await servers[2]![Symbol.asyncDispose]();
  await pause(0);
});
