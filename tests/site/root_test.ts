/** The root beside the handlers, on one port (HT). */
import type { Site } from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { assertEchoes } from "../harness/canary.ts";
import { currentRuntime } from "../harness/child.ts";
import {
  type RawClient,
  rawConnect,
  rawUpgrade,
  upgradeRequest,
} from "../harness/raw_client.ts";
import { assertRefused, Echo, pause, serve, until } from "./served.ts";

function get(path: string, ...headers: string[]): string {
  const lines = [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1", ...headers];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Reads one response with a length; returns its status and body. */
async function readResponse(client: RawClient): Promise<[number, string]> {
  const head = await client.readHead();
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
  const chunked = /^transfer-encoding: *chunked/im.test(head);
  assert(chunked || length >= 0, head);
  const status = Number(head.slice(9, 12));
  if (!chunked) {
    const body = await client.readBytes(length);
    return [status, new TextDecoder().decode(body)];
  }
  const body = await client.read((bytes) => {
    const text = new TextDecoder("latin1").decode(bytes);
    const end = text.indexOf("0\r\n\r\n");
    return end < 0 ? undefined : { value: text.slice(0, end), size: end + 5 };
  }, "the last chunk");
  return [status, body.replaceAll(/^[0-9a-f]+\r\n|\r\n$/gm, "")];
}

test("the root answers what is no upgrade, and knows the client", async () => {
  let seen: unknown;
  await serve({
    root: (request, info) => {
      seen = info;
      const { pathname, search } = new URL(request.url);
      return new Response(`${request.method} ${pathname}${search}`);
    },
  }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write(get("/page?x=1"));
    assertEquals(await readResponse(client), [200, "GET /page?x=1"]);
    assertEquals(seen, {
      remoteAddress: {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: client.localPort,
      },
      secure: false,
    });
    // The connection is kept alive.
    client.write(
      "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    );
    assertEquals(await readResponse(client), [200, "POST /form"]);
    client.write(get("/last", "Connection: close"));
    assertEquals(await readResponse(client), [200, "GET /last"]);
    assertEquals((await client.readToEnd()).length, 0);
  });
});

test("HT-8: a page on a handler's path, and an upgrade on a page's", async () => {
  const root = (request: Request): Response =>
    new Response(new URL(request.url).pathname, { status: 418 });
  await serve({ root }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write(get("/echo"));
    assertEquals(await readResponse(client), [418, "/echo"]);
    await using upgrade = await rawConnect(port);
    upgrade.write(upgradeRequest("/page"));
    assertEquals(await readResponse(upgrade), [418, "/page"]);
  });
});

test("HT-5: what follows a refused upgrade never reaches the root", async () => {
  let calls = 0;
  const root = (): Response => {
    calls++;
    return new Response("evil");
  };
  await serve({ root }, async (served) => {
    const refused: [string, number][] = [
      [upgradeRequest("/echo", { "Sec-WebSocket-Version": "8" }), 426],
      [upgradeRequest("/echo", { "Sec-WebSocket-Key": "x" }), 400],
      [upgradeRequest("/echo", { Host: undefined }), 400],
      [upgradeRequest("/echo", { "Content-Length": "5" }), 400],
      [upgradeRequest("/echo", { Expect: "100-continue" }), 417],
      [upgradeRequest().replace("GET", "POST"), 405],
      [upgradeRequest().replace("HTTP/1.1", "HTTP/1.0"), 505],
      ["GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400],
      ["GET /\r\n\r\n", 400],
    ];
    for (const [request, status] of refused) {
      assertRefused(await served.exchange(request, get("/evil")), status);
    }
    assertEquals(calls, 0);
  });
});

// `Bun.serve` closes a connection that sends a second request before the first has
// been answered, unless its handler is synchronous; see tests/runtime.
const isBun = currentRuntime === "bun";

test("HT-9: a path means the same to an upgrade and to the root", async () => {
  const paths = [
    "/echo",
    "/echo?x=1",
    "/a/../echo",
    "/./echo",
    "/%65cho",
    "/echo/",
    "//echo",
    "/ECHO",
    "/echo%2f",
    "/a/%2e%2e/echo",
  ];
  const seen: string[] = [];
  await serve({
    root: (request) => {
      seen.push(new URL(request.url).pathname);
      return new Response("no", { status: 404 });
    },
  }, async ({ port }) => {
    for (const path of paths) {
      await using page = await rawConnect(port);
      page.write(get(path));
      await readResponse(page);
      await using socket = await rawConnect(port);
      socket.write(upgradeRequest(path));
      const head = await socket.readHead();
      const isUpgraded = head.startsWith("HTTP/1.1 101 ");
      // Whoever guards `/echo` before the root guards the handler as well.
      assertEquals(isUpgraded, seen[0] === "/echo", `${path}: ${seen}`);
      seen.length = 0;
    }
  });
});

test("HT-7: 10,000 pipelined GETs are answered in order, one at a time", async () => {
  let inside = 0;
  let most = 0;
  const enter = (request: Request): string => {
    most = Math.max(most, ++inside);
    return `<${new URL(request.url).searchParams.get("n")}>`;
  };
  const leave = (body: string): Response => {
    inside--;
    return new Response(body);
  };
  const root = isBun
    ? (request: Request) => leave(enter(request))
    : async (request: Request) => {
      const body = enter(request);
      if (body.endsWith("000>")) await pause(1);
      return leave(body);
    };
  await serve({ root }, async ({ port }) => {
    await using client = await rawConnect(port);
    const count = 10_000;
    const requests = Array.from({ length: count }, (_, i) => get(`/?n=${i}`));
    client.write(requests.join(""));
    const numbers: string[] = [];
    // Piece by piece: joining all that has arrived each time would take long.
    while (numbers.length < count) {
      const part = await client.read((bytes) => {
        const text = new TextDecoder("latin1").decode(bytes);
        const size = text.lastIndexOf(">") + 1;
        return size === 0 ? undefined : { value: text.slice(0, size), size };
      }, "more responses");
      for (const [, number] of part.matchAll(/<(\d+)>/g)) numbers.push(number!);
    }
    assertEquals(numbers, requests.map((_, i) => `${i}`));
    assertEquals(most, 1);
  });
});

test("HT-7: an upgrade after requests becomes a working connection", async () => {
  const root = (): Response => new Response("page");
  const setup = (site: Site): void => site.addHandler("/rooms/:id", Echo);
  await serve({ root, setup }, async ({ port, site }) => {
    await using client = await rawConnect(port);
    client.write(get("/"));
    assertEquals(await readResponse(client), [200, "page"]);
    client.write(upgradeRequest("/rooms/7?x=1"));
    assertMatch(await client.readHead(), /^HTTP\/1\.1 101 /);
    await assertEchoes(client);
    const late = [...site.connections].find(({ params }) => params.id === "7");
    assertEquals(
      [late?.request.url, late?.remoteAddress],
      ["ws://127.0.0.1/rooms/7?x=1", {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: client.localPort,
      }],
    );
    // Large messages, and a close, as on any other.
    const payload = new Uint8Array(900_000).map((_, i) => i * 11);
    client.sendFrame({ opcode: "binary", payload });
    assertEquals((await client.readFrame()).payload, payload);
    client.sendFrame({ opcode: "close" });
    assertEquals((await client.readFrame()).opcode, 8);
    await client.readToEnd();
    client.end();
    await until(() => site.connections.size === 1, "the end");
  });
});

test("HT-7: a pipelined upgrade waits for its turn", async () => {
  const page = (): Response => new Response("page");
  const root = isBun ? page : () => pause(10).then(page);
  await serve({ root }, async ({ port }) => {
    await using client = await rawConnect(port);
    client.write(
      get("/1"),
      get("/2"),
      upgradeRequest(),
    );
    assertEquals(await readResponse(client), [200, "page"]);
    assertEquals(await readResponse(client), [200, "page"]);
    assertMatch(await client.readHead(), /^HTTP\/1\.1 101 /);
    await assertEchoes(client);
  });
});

test("HT-5: a late upgrade that is wrong is refused, once, and ends it", async () => {
  const urls: string[] = [];
  const root = (request: Request): Response => {
    urls.push(new URL(request.url).pathname);
    return new Response("page");
  };
  const setup = (site: Site): void => site.addHandler("/own", Echo);
  await serve({ root, setup }, async ({ port }) => {
    const cases = [
      [{ "Sec-WebSocket-Key": "abc" }, 400],
      [{ "Sec-WebSocket-Version": "8" }, 426],
      [{ Origin: "http://evil.example" }, 403],
      [{ "Sec-WebSocket-Protocol": "a b" }, 400],
    ] as const;
    for (const [headers, status] of cases) {
      await using client = await rawConnect(port);
      client.write(get("/first"));
      assertEquals(await readResponse(client), [200, "page"]);
      client.write(upgradeRequest("/own", headers), get("/evil"));
      assertEquals(Number((await client.readHead()).slice(9, 12)), status);
      await client.readToEnd();
    }
    assertEquals(urls, ["/first", "/first", "/first", "/first"]);
  });
});

test("HD-1: a root that throws answers a neutral 500, and is reported once", async () => {
  const root = (request: Request): Response | Promise<Response> => {
    if (request.url.endsWith("/later")) {
      return Promise.reject(new Error("the secret is 5678"));
    }
    throw new Error("the secret is 1234");
  };
  await serve({ root }, async (served) => {
    for (const [path, number] of [["/now", 1234], ["/later", 5678]] as const) {
      await using client = await rawConnect(served.port);
      client.write(get(path));
      const [status, body] = await readResponse(client);
      assertEquals(status, 500);
      assert(!body.includes("secret"), body);
      assertEquals(served.takeErrors(), [`the secret is ${number}`]);
    }
  });
});

test("a shutdown finishes the root's responses, and closes idle connections", async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const root = async (request: Request): Promise<Response> => {
    asked++;
    if (request.url.endsWith("/slow")) await gate.promise;
    return new Response("done");
  };
  await serve({ root }, async ({ port, site }) => {
    const second = await site.listen({ port: 0, hostname: "127.0.0.1" });
    assert(second.addr.transport === "tcp" && second.addr.port !== port);
    await using idle = await rawConnect(second.addr.port);
    idle.write(get("/idle"));
    assertEquals(await readResponse(idle), [200, "done"]);
    await using busy = await rawConnect(second.addr.port);
    busy.write(get("/slow"));
    await until(() => asked === 2, "the request");
    const end = second.shutdown({ timeoutMs: 5_000 });
    setTimeout(gate.resolve, 50);
    assertEquals(await readResponse(busy), [200, "done"]);
    await Promise.all([idle.readToEnd(), busy.readToEnd()]);
    idle.end();
    busy.end();
    await end;
    await using still = await rawUpgrade(port);
    await assertEchoes(still);
  });
});
