/** CI-17 and TW20: what a URL means, and what of it goes over the wire. */
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { dial, HandshakeError } from "../../client.ts";
import { Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  test,
  testWhere,
} from "../harness.ts";
import { headerOf, RawServer, upgradeResponse } from "../harness/raw_server.ts";

/** Dials a bare server by a URL made of its port; returns the request head. */
async function requestTo(
  toUrl: (port: number) => string | URL,
): Promise<{ head: string; url: string; port: number }> {
  await using server = await RawServer.listen();
  const dialing = dial(toUrl(server.port));
  const raw = await server.accept();
  const head = await raw.readHead();
  raw.write(upgradeResponse(head));
  const connection = await dialing;
  connection.terminate();
  await connection.closed;
  return { head, url: connection.request.url, port: server.port };
}

test("TW20: Host carries a port that is not the default", async () => {
  const { head, port } = await requestTo((port) => `ws://127.0.0.1:${port}`);
  assertEquals(headerOf(head, "Host"), `127.0.0.1:${port}`);
});

test("CI-17: path and query are sent as the URL parser settles them", async () => {
  const cases: [path: string, target: string][] = [
    ["", "/"],
    ["?a=b", "/?a=b"],
    ["/a/../b/./c", "/b/c"],
    ["/with space?q=ä", "/with%20space?q=%C3%A4"],
    ["/%zz%0d%0aX:y", "/%zz%0d%0aX:y"],
    ["/a\r\nX: y", "/aX:%20y"],
    ["\\back", "/back"],
  ];
  for (const [path, target] of cases) {
    const { head } = await requestTo((port) => `ws://127.0.0.1:${port}${path}`);
    assertEquals([path, head.split("\r\n")[0]], [
      path,
      `GET ${target} HTTP/1.1`,
    ]);
    assert(!head.includes("\r\nX"), head);
  }
});

test("CI-17: http: means ws:, a URL object will do, case does not count", async () => {
  for (const scheme of ["http", "HTTP", "ws", "Ws"]) {
    const { url, port } = await requestTo((port) =>
      new URL(`${scheme}://127.0.0.1:${port}/x`)
    );
    assertEquals(url, `ws://127.0.0.1:${port}/x`);
  }
  const given = new URL("http://u:p@127.0.0.1:1/");
  await assertRejects(() => dial(given), HandshakeError);
  assertEquals(given.href, "http://u:p@127.0.0.1:1/");
});

test("CI-17: https: means wss:", async () => {
  await using server = await RawServer.listen();
  const failed = assertRejects(
    () => dial(`https://127.0.0.1:${server.port}/`),
    HandshakeError,
  );
  const raw = await server.accept();
  assertEquals((await raw.readBytes(1))[0], 0x16); // a TLS handshake record
  raw.reset();
  assertEquals((await failed).reason, "tls-failed");
});

test("CI-17: user information becomes Basic authentication", async () => {
  const cases: [user: string, plain: string][] = [
    ["user:pass@", "user:pass"],
    ["user@", "user:"],
    [":pass@", ":pass"],
    ["a%3Ab:c%40d@", "a:b:c@d"],
    ["%C3%A4:ö@", "\xc3\xa4:\xc3\xb6"], // UTF-8, as bytes
    ["%ff%zz:%@", "\xff%zz:%"], // which is neither UTF-8 nor well-formed
    ["%0d%0aX:y@", "\r\nX:y"],
  ];
  for (const [user, plain] of cases) {
    const { head, url, port } = await requestTo((port) =>
      `ws://${user}127.0.0.1:${port}/`
    );
    assertEquals(
      [user, headerOf(head, "Authorization")],
      [user, `Basic ${btoa(plain)}`],
    );
    assertEquals(url, `ws://127.0.0.1:${port}/`);
  }
});

test("CI-17: an Authorization header goes before user information", async () => {
  await using server = await RawServer.listen();
  const failed = assertRejects(() =>
    dial(`ws://user:pass@127.0.0.1:${server.port}/`, {
      headers: { authorization: "Bearer x" },
    })
  );
  const raw = await server.accept();
  assertEquals(headerOf(await raw.readHead(), "Authorization"), "Bearer x");
  raw.reset();
  await failed;
});

test("CI-17: what is no URL of ours is a TypeError", async () => {
  const urls: string[] = [
    "",
    "/relative",
    "//host/",
    "localhost:8080",
    "ws:",
    "ws://",
    "ws://user@/",
    "ws://user:pass@:80/",
    "ws://host:99999/",
    "ws://host:x/",
    "ws://[::1/",
    "ws://[fe80::1%25eth0]/",
    "ws://a b/",
    "ws://%00/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "blob:ws://127.0.0.1/",
    "ws://127.0.0.1/#frag",
    "ws://127.0.0.1/#",
    "http://127.0.0.1/#",
  ];
  for (const url of urls) {
    const error = await assertRejects(() => dial(url), TypeError);
    assertEquals([url, error.name], [url, "TypeError"]);
  }
});

test("CI-17: port 0 fails as a connection", async () => {
  const error = await assertRejects(
    () => dial("ws://127.0.0.1:0/"),
    HandshakeError,
  );
  assertEquals(error.reason, "connect-failed");
});

test("CI-17: a host beyond ASCII goes out as IDNA has it", async () => {
  await using server = await RawServer.listen();
  const { port } = server;
  const cases: [host: string, sent: string][] = [
    ["bücher.test", "xn--bcher-kva.test"],
    ["B%C3%BCcher.TEST", "xn--bcher-kva.test"],
    ["例え。テスト", "xn--r8jz45g.xn--zckzah"],
    ["faß.test", "xn--fa-hia.test"],
    ["%65xample.test", "example.test"],
    ["example.test.", "example.test."],
  ];
  for (const [host, sent] of cases) {
    const dialing = dial(`ws://${host}:${port}/`, {
      connectTo: { hostname: "127.0.0.1" },
    });
    const raw = await server.accept();
    const head = await raw.readHead();
    assert(head.includes(`\r\nHost: ${sent}:${port}\r\n`), head);
    raw.write(upgradeResponse(head));
    const connection = await dialing;
    assertEquals(connection.request.url, `ws://${sent}:${port}/`);
    connection.terminate();
    await connection.closed;
  }
});

test("CI-17: an IPv4 address is understood in every form that URLs have", async () => {
  for (const host of ["127.1", "0x7f.0.0.1", "2130706433", "127。0。0。1"]) {
    const { head, url, port } = await requestTo((port) =>
      `ws://${host}:${port}/`
    );
    assertEquals(url, `ws://127.0.0.1:${port}/`);
    assert(head.includes(`\r\nHost: 127.0.0.1:${port}\r\n`), head);
  }
});

test("CI-17: the default port is not sent, and other zeros neither", async () => {
  await using server = await RawServer.listen();
  const { port } = server;
  const cases: [authority: string, host: string][] = [
    ["h.test", "h.test"],
    ["h.test:80", "h.test"],
    ["h.test:0080", "h.test"],
    ["h.test:", "h.test"],
    ["h.test:443", "h.test:443"],
    ["[::1]:080", "[::1]"],
  ];
  for (const [authority, host] of cases) {
    const failed = assertRejects(() =>
      dial(`ws://${authority}/`, {
        connectTo: { hostname: "127.0.0.1", port },
      })
    );
    const raw = await server.accept();
    const head = await raw.readHead();
    assert(head.includes(`\r\nHost: ${host}\r\n`), head);
    raw.reset();
    await failed;
  }
});

test("CI-17: ports that browsers block are a matter of the program's", async () => {
  for (const port of [1, 6000, 6667, 10_080]) {
    const server = createServer((socket) => socket.destroy());
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    // Who listens there already is not to be called.
    if (!isFree) continue;
    const error = await assertRejects(
      () => dial(`ws://127.0.0.1:${port}/`),
      HandshakeError,
    );
    assertEquals([port, error.reason], [port, "closed-early"]);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

const hasIpv6 = Object.values(networkInterfaces()).flat().some((end) =>
  end?.address === "::1"
);

testWhere(
  hasIpv6 ? undefined : "IPv6",
  "CI-17: an IPv6 address in brackets",
  async () => {
    const site = new Site();
    site.addHandler("/host", (connection) => {
      connection.send(connection.request.headers.get("host") ?? "");
    });
    await using server = await site.listen({ port: 0, hostname: "::1" });
    assert(server.addr.transport === "tcp");
    const { port } = server.addr;
    const connection = await dial(`ws://[0:0::1]:${port}/host`);
    assertEquals(await connection.receive(), `[::1]:${port}`);
    const { remoteAddress } = connection;
    assert(remoteAddress.transport === "tcp");
    assertEquals([remoteAddress.hostname, remoteAddress.port], ["::1", port]);
    await connection.closed;
  },
);
