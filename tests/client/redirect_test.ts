/** WS23 and CI-9: redirects are not followed, or with care. */
import { dial, type DialOptions, HandshakeError } from "../../client.ts";
import { Site } from "../../server.ts";
import { assert, assertEquals, assertRejects, test } from "../harness.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";

const SECRETS = {
  Authorization: "Bearer x",
  Cookie: "a=b",
  "Proxy-Authorization": "Basic x",
  "X-Other": "kept",
};

function redirect(location: string, status = 302): string {
  return `HTTP/1.1 ${status} Found\r\nLocation: ${location}\r\n` +
    // A body of which not all comes: nobody is to wait for it.
    "Content-Length: 10\r\n\r\nx";
}

/** What `dial` makes of a redirect. */
async function refusalOf(
  location: string,
  options: DialOptions = { maxRedirects: 5 },
): Promise<HandshakeError> {
  await using server = await RawServer.listen();
  const url = `ws://127.0.0.1:${server.port}/`;
  const failed = assertRejects(() => dial(url, options), HandshakeError);
  const raw = await server.accept();
  await raw.readHead();
  raw.write(redirect(location));
  if (options.maxRedirects === 0) raw.write("123456789");
  const error = await failed;
  await raw.readToEnd();
  return error;
}

test("CI-9: a redirect is an error by default, and says where it leads", async () => {
  const error = await refusalOf("/elsewhere", { maxRedirects: 0 });
  assertEquals([error.reason, error.status], ["bad-status", 302]);
  assertEquals(error.headers?.get("location"), "/elsewhere");
});

test("WS23: each status is followed, locations may be relative, all headers stay", async () => {
  await using server = await RawServer.listen();
  const { port } = server;
  const hops: [status: number, location: string, target: string][] = [
    [300, "b?c", "/a/b?c"],
    [301, "/x", "/x"],
    [302, `//127.0.0.1:${port}/y`, "/y"],
    [303, `http://127.0.0.1:${port}/z`, "/z"],
    [307, `WS://127.0.0.1:${port}`, "/"],
    [308, "?q", "/?q"],
  ];
  const dialing = dial(`ws://127.0.0.1:${port}/a/`, {
    maxRedirects: hops.length,
    headers: SECRETS,
  });
  const keys = new Set<string | undefined>();
  let head = "";
  for (const [status, location, target] of [...hops, [101, "", ""] as const]) {
    const raw = await server.accept();
    head = await raw.readHead();
    keys.add(headerOf(head, "Sec-WebSocket-Key"));
    if (status === 101) raw.write(upgradeResponse(head));
    else raw.write(redirect(location, status));
    if (target !== "") await raw.readToEnd();
    if (status !== 101) continue;
    assert(head.startsWith("GET /?q HTTP/1.1\r\n"), head);
  }
  const connection = await dialing;
  assertEquals(connection.request.url, `ws://127.0.0.1:${port}/?q`);
  for (const [name, value] of Object.entries(SECRETS)) {
    assertEquals([name, headerOf(head, name)], [name, value]);
  }
  assertEquals(keys.size, hops.length + 1);
  connection.terminate();
  await connection.closed;
});

test("CI-9: another origin is told no secrets, not even when it leads back", async () => {
  await using first = await RawServer.listen();
  await using second = await RawServer.listen();
  const dialing = dial(`ws://user:pw@127.0.0.1:${first.port}/`, {
    maxRedirects: 5,
    headers: [["cookie", "a=b"], ["proxy-authorization", "x"], [
      "X-Other",
      "y",
    ]],
  });
  const raw = await first.accept();
  const head = await raw.readHead();
  assert(headerOf(head, "Authorization") !== undefined, head);
  raw.write(redirect(`ws://127.0.0.1:${second.port}/x`));
  const other = await second.accept();
  const otherHead = await other.readHead();
  other.write(redirect(`ws://127.0.0.1:${first.port}/back`));
  const back = await first.accept();
  const backHead = await back.readHead();
  back.write(upgradeResponse(backHead));
  for (const text of [otherHead, backHead]) {
    assert(!/authorization|cookie/i.test(text), text);
    assertEquals(headerOf(text, "X-Other"), "y");
  }
  assert(otherHead.includes(`\r\nHost: 127.0.0.1:${second.port}\r\n`));
  const connection = await dialing;
  connection.terminate();
  await connection.closed;
});

test("CI-9: a loop ends after maxRedirects, with the last response", async () => {
  await using server = await RawServer.listen();
  const failed = assertRejects(
    () => dial(`ws://127.0.0.1:${server.port}/`, { maxRedirects: 3 }),
    HandshakeError,
  );
  for (let count = 0; count <= 3; count++) {
    const raw = await server.accept();
    await raw.readHead();
    raw.write(redirect("/"));
    await raw.readToEnd();
  }
  const error = await failed;
  assertEquals([error.reason, error.status], ["bad-redirect", 302]);
  assert(error.cause instanceof HandshakeError);
});

test("CI-9: locations that no client should follow", async () => {
  for (
    const location of [
      "javascript:alert(1)",
      "file:///etc/passwd",
      "ftp://127.0.0.1/",
      "ws+unix:///tmp/x:/",
      "wss+unix:///tmp/x:/",
      "http+unix://%2Ftmp%2Fx/",
      "unix:/tmp/x",
      "data:,x",
      "blob:ws://127.0.0.1/",
      "http://",
      "ws://user:secret@127.0.0.1:1/",
      "ws://user@127.0.0.1:1/",
      "/x#fragment",
      "/x#",
      "/x\r\nLocation: /x",
      "ws://127.0.0.1:1/\r\nlocation: /x",
    ]
  ) {
    const error = await refusalOf(location);
    assertEquals([location, error.reason], [location, "bad-redirect"]);
    assert(!error.message.includes("secret"));
  }
});

test("CI-9: another origin is refused when the address is fixed", async () => {
  await using server = await RawServer.listen();
  const failed = assertRejects(
    () =>
      dial("ws://example.test/", {
        maxRedirects: 5,
        connectTo: { hostname: "127.0.0.1", port: server.port },
      }),
    HandshakeError,
  );
  const raw = await server.accept();
  await raw.readHead();
  raw.write(redirect("/same"));
  const next = await server.accept();
  assert((await next.readHead()).startsWith("GET /same "));
  next.write(redirect("ws://other.test/"));
  assertEquals((await failed).reason, "bad-redirect");
});

test("CI-9: a redirect without a location is a status like another", async () => {
  await using server = await RawServer.listen();
  const failed = assertRejects(
    () => dial(`ws://127.0.0.1:${server.port}/`, { maxRedirects: 5 }),
    HandshakeError,
  );
  const raw = await server.accept();
  await raw.readHead();
  raw.write("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
  assertEquals((await failed).reason, "bad-status");
});

test("CI-9: from wss: to ws: is refused, from ws: to wss: is not", async () => {
  await using plain = await RawServer.listen();
  let location = `ws://127.0.0.1:${plain.port}/`;
  const site = new Site({
    root: () => new Response(null, { status: 302, headers: { location } }),
  });
  site.addHandler("/echo", () => {});
  site.addHandler(
    "/away",
    class {
      static upgrade(): Response {
        return new Response(null, { status: 302, headers: { location } });
      }
    } as never,
  );
  await using server = await site.listen({
    port: 0,
    hostname: "127.0.0.1",
    tls: { cert: certificate("leaf.crt"), key: certificate("leaf.key") },
  });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  const options = { maxRedirects: 5, tls: { ca: certificate("ca.crt") } };
  const error = await assertRejects(
    () => dial(`wss://127.0.0.1:${port}/away`, options),
    HandshakeError,
  );
  assertEquals([error.reason, error.status], ["bad-redirect", 302]);

  location = `wss://127.0.0.1:${port}/echo`;
  const dialing = dial(`ws://127.0.0.1:${plain.port}/`, options);
  const raw = await plain.accept();
  await raw.readHead();
  raw.write(redirect(location));
  const connection = await dialing;
  assertEquals(connection.request.url, location);
  await connection.closed;
});

test("WS23: a number of redirects that is none is refused at once", async () => {
  for (const maxRedirects of ["5", -1, NaN, null]) {
    await assertRejects(() =>
      dial("ws://127.0.0.1:1/", { maxRedirects } as DialOptions)
    );
  }
});
