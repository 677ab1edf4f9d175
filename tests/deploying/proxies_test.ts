/** Sites behind nginx, HAProxy and Caddy, as docs/deploying.md sets them up. */
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type Connection, dial, HandshakeError } from "../../client.ts";
import { type CloseInfo, Handler, Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, testWhere } from "../harness.ts";
import { within } from "../harness/deadline.ts";
import { rawConnect } from "../harness/raw_client.ts";
import { assertEchoed } from "../interop/talk.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo, pause, serve, statusOf, until } from "../site/served.ts";
import { PROXIES, Proxy, type ProxyKind } from "./proxy.ts";

function dialThrough(
  proxy: Proxy,
  path: string,
  options: { subprotocols?: string[]; headers?: Record<string, string> } = {},
): Promise<Connection> {
  const url = `wss://127.0.0.1:${proxy.port}${path}`;
  return dial(url, { tls: { ca: certificate("ca.crt") }, ...options });
}

/** Sends a request over a connection of its own; returns what came back. */
async function get(
  proxy: Proxy,
  path: string,
  ...lines: string[]
): Promise<string> {
  await using client = await rawConnect(proxy.target);
  const host = `Host: 127.0.0.1:${proxy.port}`;
  const head = [`GET ${path} HTTP/1.1`, host, "Connection: close", ...lines];
  client.write(`${head.join("\r\n")}\r\n\r\n`);
  return Buffer.from(await client.readToEnd()).toString("latin1");
}

/** Defines a test for each proxy. */
function testBehind(what: string, body: (kind: ProxyKind) => Promise<void>) {
  for (const kind of PROXIES) {
    testWhere(kind.missing, `behind ${kind.name}: ${what}`, () => body(kind));
  }
}

testBehind("messages and closes go through whole", async (kind) => {
  const closed: CloseInfo[] = [];
  class Closing extends Echo {
    override message(data: string | Uint8Array): void {
      if (data === "close") this.connection.close(3001, "because");
      else super.message(data);
    }
    override close(info: CloseInfo): void {
      closed.push(info);
    }
  }
  const setup = (site: Site) =>
    site.addHandler("/closing", Closing, { subprotocols: ["chat"] });
  await serve({ setup }, async ({ port }) => {
    await using proxy = await Proxy.start(kind, port);
    const first = await dialThrough(proxy, "/closing");
    await assertEchoed(first, "Hello, κόσμε \u{1f41f}");
    await assertEchoed(first, "");
    await assertEchoed(first, new Uint8Array(2 ** 20).fill(0xfe));
    for (let i = 0; i < 1_000; i++) first.send(String(i));
    for (let i = 0; i < 1_000; i++) {
      assertEquals(await within(first.receive(), "a message"), String(i));
    }
    assert(await within(first.ping(), "a Pong") >= 0);
    const byUs = await within(first.close(4001, "bye"), "the end");
    assertEquals([byUs.code, byUs.wasClean], [4001, true]);
    await until(() => closed.length === 1, "the end");
    assertEquals(
      [closed[0]?.code, closed[0]?.reason, closed[0]?.cause],
      [4001, "bye", "peer"],
    );
    const second = await dialThrough(proxy, "/closing", {
      subprotocols: ["other", "chat"],
    });
    assertEquals(second.subprotocol, "chat");
    second.send("close");
    const byThem = await within(second.closed, "the end");
    assertEquals(
      [byThem.code, byThem.reason, byThem.wasClean],
      [3001, "because", true],
    );
  });
});

testBehind(
  "a page of the proxy's host may connect, another not",
  async (kind) => {
    const setup = (site: Site) => site.addHandler("/own", Echo);
    await serve({ setup }, async ({ port }) => {
      await using proxy = await Proxy.start(kind, port);
      const from = (origin: string) =>
        dialThrough(proxy, "/own", { headers: { Origin: origin } });
      const own = await from(`https://127.0.0.1:${proxy.port}`);
      await assertEchoed(own, "from the page");
      await own.close();
      for (const origin of ["https://evil.example", "https://127.0.0.1"]) {
        const error = await assertRejects(() => from(origin), HandshakeError);
        assertEquals(error.status, 403);
      }
    });
  },
);

testBehind("the site is told host, scheme and client", async (kind) => {
  class Who extends Handler {
    override open(): void {
      const { headers } = this.connection.request;
      this.connection.send(JSON.stringify(Object.fromEntries(headers)));
    }
  }
  const root = (request: Request) =>
    Response.json(Object.fromEntries(request.headers));
  const setup = (site: Site) => site.addHandler("/who", Who);
  await serve({ setup, root }, async ({ port }) => {
    await using proxy = await Proxy.start(kind, port);
    const claims = {
      "X-Forwarded-For": "203.0.113.9",
      "X-Forwarded-Proto": "http",
      "Forwarded": "for=203.0.113.10",
    };
    const lines = Object.entries(claims).map((line) => line.join(": "));
    const page = await get(proxy, "/", ...lines);
    assertEquals(statusOf(page), 200, page);
    const connection = await dialThrough(proxy, "/who", { headers: claims });
    const message = await within(connection.receive(), "the headers");
    await connection.close();
    const body = page.slice(page.indexOf("{"), page.lastIndexOf("}") + 1);
    for (const json of [body, String(message)]) {
      const headers = JSON.parse(json) as Record<string, string>;
      assertEquals(headers["host"], `127.0.0.1:${proxy.port}`);
      assertEquals(headers["x-forwarded-proto"], "https");
      assertEquals(headers["forwarded"], undefined);
      assertEquals(
        headers["x-forwarded-for"],
        kind.keepsForwardedFor ? "203.0.113.9, 127.0.0.1" : "127.0.0.1",
      );
    }
  });
});

testBehind(
  "Pings keep a silent connection, which is dropped without",
  async (kind) => {
    const setup = (site: Site) => {
      site.addHandler("/pinged", Echo, { pingIntervalMs: 500 });
      site.addHandler("/silent", Echo, { pingIntervalMs: 0 });
    };
    await serve({ setup }, async ({ port }) => {
      await using proxy = await Proxy.start(kind, port, 3);
      const pinged = await dialThrough(proxy, "/pinged");
      const silent = await dialThrough(proxy, "/silent");
      if (kind.dropsIdle) {
        const info = await within(silent.closed, "the end of the silent one");
        assertEquals([info.code, info.wasClean], [1006, false]);
      } else {
        await pause(4_000);
        await silent.close();
      }
      await assertEchoed(pinged, "still here");
      await pinged.close();
    });
  },
);

testBehind(
  "clients hear of a restart, and find the site again",
  async (kind) => {
    const start = async (port: number) => {
      const site = new Site();
      site.addHandler("/echo", Echo);
      return await site.listen({ port, hostname: "127.0.0.1" });
    };
    const first = await start(0);
    assert(first.addr.transport === "tcp");
    const { port } = first.addr;
    await using proxy = await Proxy.start(kind, port);
    const before = await dialThrough(proxy, "/echo");
    await first.shutdown({ reason: "restart" });
    const info = await within(before.closed, "the end");
    assertEquals([info.code, info.reason, info.wasClean], [
      1001,
      "restart",
      true,
    ]);
    const error = await assertRejects(
      () => dialThrough(proxy, "/echo"),
      HandshakeError,
    );
    assert(error.status === 502 || error.status === 503, `${error.status}`);
    await using _second = await start(port);
    const deadline = Date.now() + 15_000;
    while (true) {
      try {
        const after = await dialThrough(proxy, "/echo");
        await assertEchoed(after, "back again");
        await after.close();
        break;
      } catch (error) {
        // A proxy may have noted that the site is away.
        if (!(error instanceof HandshakeError) || Date.now() > deadline) {
          throw error;
        }
        await pause(100);
      }
    }
  },
);

testBehind("the site may listen on a Unix socket", async (kind) => {
  const folder = mkdtempSync(`${tmpdir()}/sockeye-unix-`);
  try {
    const path = `${folder}/site.sock`;
    const root = () => new Response("the page");
    const where = { listen: { path }, target: { path } };
    await serve({ ...where, root }, async () => {
      await using proxy = await Proxy.start(kind, path);
      const connection = await dialThrough(proxy, "/echo");
      await assertEchoed(connection, "through the file system");
      await connection.close();
      assert((await get(proxy, "/page")).includes("the page"));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

testBehind("what only the inside may see is refused there", async (kind) => {
  const seen: string[] = [];
  const root = (request: Request) => {
    seen.push(new URL(request.url).pathname);
    return new Response("the page");
  };
  await serve({ root }, async ({ port }) => {
    await using proxy = await Proxy.start(kind, port);
    assertEquals(statusOf(await get(proxy, "/internal/status")), 403);
    assert((await get(proxy, "/page")).includes("the page"));
    assertEquals(seen, ["/page"]);
  });
});
