/**
 * A site inside of other programs: fetch handlers, Hono, and what the runtimes
 * serve by themselves (TW1, B-5, AB16).
 */
import { Handler, Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
  test,
} from "../harness.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  runtimePath,
} from "../harness/child.ts";
import { closeCode } from "../harness/frame.ts";
import {
  rawConnect,
  type RawConnectOptions,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo, readText, until } from "../site/served.ts";
import { type Fetch, type HostServer, serveHost } from "../ways/hosts.ts";

/** Runs `body` while a fetch handler is served by the runtime's own server. */
async function hosted(
  site: Site,
  fetch: Fetch,
  body: (
    target: RawConnectOptions & { readonly port: number },
  ) => Promise<void>,
  tls = false,
): Promise<void> {
  const server: HostServer = serveHost(fetch, site.websocket, tls);
  try {
    const { port } = server;
    await body(tls ? { port, ca: certificate("ca.crt") } : { port });
  } finally {
    await site.shutdown({ timeoutMs: 500 });
    await server.stop();
  }
}

function echoSite(): Site {
  const site = new Site();
  site.addHandler("/echo", Echo);
  return site;
}

async function assertEcho(
  target: number | RawConnectOptions,
  path = "/echo",
): Promise<void> {
  await using client = await rawUpgrade(target, path);
  client.sendFrame({ payload: "hello" });
  assertEquals(await readText(client), "hello");
}

async function get(target: RawConnectOptions, path: string): Promise<string> {
  await using client = await rawConnect(target);
  const headers = { Upgrade: undefined, Connection: "close" };
  client.write(upgradeRequest(path, headers));
  return new TextDecoder().decode(await client.readToEnd());
}

/** Defines a test where the runtime has a server that hands out WebSockets. */
function testHost(name: string, body: () => Promise<void>): void {
  if (currentRuntime !== "node") test(name, body);
}

testHost("TW1, B-5: a fetch handler asks the site what is for it", async () => {
  const site = echoSite();
  const fetch: Fetch = (request, info) =>
    site.claims(request)
      ? site.fetch(request, info)
      : new Response(`mine: ${new URL(request.url).pathname}`);
  await hosted(site, fetch, async (target) => {
    await assertEcho(target);
    assertStringIncludes(await get(target, "/echo"), "mine: /echo");
    assertStringIncludes(await get(target, "/other"), "mine: /other");
    await using client = await rawConnect(target);
    client.write(upgradeRequest("/other"));
    assertStringIncludes(await client.readHead(), "HTTP/1.1 200 ");
  });
});

test("claims() takes upgrades of paths with a handler, and nothing else", () => {
  const site = echoSite();
  site.addHandler("/rooms/:id", Echo);
  const claims = (
    path: string,
    headers: HeadersInit = { Upgrade: "websocket", Connection: "Upgrade" },
  ): boolean =>
    site.claims(new Request(`http://localhost${path}`, { headers }));
  assertEquals(
    ["/echo", "/echo?a=1", "/rooms/1", "/rooms/%ff"].map((path) =>
      claims(path)
    ),
    [true, true, true, true],
  );
  assertEquals(["/", "/echo/", "/rooms/"].map((path) => claims(path)), [
    false,
    false,
    false,
  ]);
  assertEquals(claims("/echo", {}), false);
  assertEquals(
    claims("/echo", { Upgrade: "h2c", Connection: "Upgrade" }),
    false,
  );
});

// Holds that `Deno.serve` and `deno serve` take it as it is; only types count.
const fitsDeno: Site extends Deno.ServeDefaultExport ? true : false = true;
const fitsHandler: Site["fetch"] extends Deno.ServeHandler ? true : false =
  true;

test("the types of a site are those that Deno asks for", () => {
  assert(fitsDeno && fitsHandler);
});

// By a variable: whoever checks types need not have installed it.
const HONO: string = "hono";

testHost(
  "TW1: in Hono, behind middleware that may refuse and add headers",
  async () => {
    const { Hono } = await import(HONO);
    const site = echoSite();
    // deno-lint-ignore no-explicit-any
    type Context = any;
    const app = new Hono();
    const seen: string[] = [];
    app.use(async (c: Context, next: () => Promise<void>) => {
      seen.push(c.req.path);
      if (c.req.query("key") === "wrong") return c.text("no entry", 401);
      await next();
      c.header("X-Middleware", "was here");
    });
    app.get("/", (c: Context) => c.text("the app's"));
    app.get("/echo", (c: Context) => site.fetch(c.req.raw, c.env));
    await hosted(site, app.fetch, async (target) => {
      await assertEcho(target);
      assertStringIncludes(await get(target, "/"), "the app's");
      await using refused = await rawConnect(target);
      refused.write(upgradeRequest("/echo?key=wrong"));
      assertStringIncludes(await refused.readHead(), "HTTP/1.1 401 ");
      // What the site refuses passes through the middleware, too.
      await using bad = await rawConnect(target);
      bad.write(upgradeRequest("/echo", { "Sec-WebSocket-Version": "8" }));
      const head = await bad.readHead();
      assertStringIncludes(head, "HTTP/1.1 426 ");
      assert(/^x-middleware: was here\r$/im.test(head), head);
      assertEquals(seen, ["/echo", "/", "/echo", "/echo"]);
    });
  },
);

testHost(
  "a framework that passes { server } or { remoteAddr } on",
  async () => {
    const site = echoSite();
    const fetch: Fetch = (request, info) => {
      const { remoteAddr } = Object(info);
      return site.fetch(
        request,
        remoteAddr ? { remoteAddr } : { server: info },
      );
    };
    await hosted(site, fetch, (target) => assertEcho(target));
  },
);

testHost("what is not the host's is a TypeError, and no upgrade", async () => {
  const site = echoSite();
  const errors: unknown[] = [];
  const fetch: Fetch = async (request) => {
    try {
      return await site.fetch(request, { remoteAddress: { transport: "x" } });
    } catch (error) {
      errors.push(error);
      return new Response("failed", { status: 500 });
    }
  };
  await hosted(site, fetch, async (target) => {
    await using client = await rawConnect(target);
    client.write(upgradeRequest());
    assertStringIncludes(await client.readHead(), "HTTP/1.1 500 ");
  });
  assertEquals(errors.map((error) => error instanceof TypeError), [true]);
});

testHost("wss: a host with TLS says so", async () => {
  const site = new Site();
  site.addHandler("/secure", (connection) => {
    connection.send(connection.request.url);
  });
  await hosted(site, site.fetch, async (target) => {
    await using client = await rawUpgrade(target, "/secure");
    assertEquals(await readText(client), "wss://127.0.0.1/secure");
  }, true);
});

testHost(
  "after a shutdown requests are answered 503, also the first",
  async () => {
    const site = echoSite();
    await hosted(site, site.fetch, async (target) => {
      await assertEcho(target);
      await site.shutdown();
      await using client = await rawConnect(target);
      client.write(upgradeRequest());
      assertStringIncludes(await client.readHead(), "HTTP/1.1 503 ");
    });
    const unused = echoSite();
    await unused.shutdown();
    await hosted(unused, unused.fetch, async (target) => {
      await using client = await rawConnect(target);
      client.write(upgradeRequest());
      assertStringIncludes(await client.readHead(), "HTTP/1.1 503 ");
    });
  },
);

testHost("one site listens and is hosted at once", async () => {
  const site = echoSite();
  const server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  await hosted(site, site.fetch, async (target) => {
    await using one = await rawUpgrade(port);
    await using other = await rawUpgrade(target);
    assertEquals(site.connections.size, 2);
    assertEquals(site.broadcast("to both").sent, 2);
    assertEquals(await readText(one), "to both");
    assertEquals(await readText(other), "to both");
  });
});

testHost("a handler that is added while the host serves is found", async () => {
  const site = echoSite();
  await hosted(site, site.fetch, async (target) => {
    await assertEcho(target);
    site.addHandler(
      "/late",
      class extends Handler {
        override open(): void {
          this.connection.send("late");
        }
      },
    );
    await using client = await rawUpgrade(target, "/late");
    assertEquals(await readText(client), "late");
  });
});

/** Defines a test where the runtime has no such server. */
function testNode(name: string, body: () => Promise<void>): void {
  if (currentRuntime === "node") test(name, body);
}

testNode(
  "on Node an upgrade is 501, and other requests are the root's",
  async () => {
    const root = () => new Response("the root's");
    const site = new Site({ root });
    site.addHandler("/echo", Echo);
    const headers = { Upgrade: "websocket", Connection: "Upgrade" };
    const upgrade = new Request("http://localhost/echo", { headers });
    const refused = await site.fetch(upgrade, undefined);
    assertEquals(refused.status, 501);
    assertStringIncludes(await refused.text(), "has to listen by itself");
    const plain = new Request("http://localhost/");
    const remoteAddress = {
      transport: "tcp" as const,
      hostname: "127.0.0.1",
      port: 1,
    };
    const answered = await site.fetch(plain, { remoteAddress });
    assertEquals(await answered.text(), "the root's");
    // By now it is known what the host is.
    assertThrows(
      () => site.fetch(plain, {}),
      TypeError,
      "say who asks, as in site.fetch(request, { remoteAddress })",
    );
  },
);

/** How the runtime serves what a program exports. */
const SERVING: readonly string[] = currentRuntime === "deno"
  ? ["serve", "-A", "--no-check", "--host", "127.0.0.1", "--port", "0"]
  : currentRuntime === "bun"
  ? ["run"]
  : [];

test("B-5: export default site is served by deno serve, bun run and node", async () => {
  await using child = new Child(
    runtimePath(currentRuntime)!,
    [...SERVING, checkoutPath("examples/hosted.ts")],
    { PORT: "0" },
  );
  // Deno says where on its standard error.
  const said = currentRuntime === "deno"
    ? until(() => child.stderr.includes("\n"), "an address", 20_000)
      .then(() => child.stderr)
    : child.line();
  const port = Number(/:(\d+)\/?\s*$/.exec(await said)?.[1]);
  await assertEcho(port);
  assertStringIncludes(await get({ port }, "/"), "No WebSocket: GET");
  await using client = await rawUpgrade(port);
  child.signal("SIGTERM");
  const { opcode, payload } = await client.readFrame();
  assertEquals([opcode, closeCode(payload)], [8, 1001]);
  client.sendFrame({ opcode: "close", payload });
  client.end();
  assertEquals((await child.exited).code, 0);
});
