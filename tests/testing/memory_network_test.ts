/** A network in memory in the place of the real one (B-12). */
import { dial, HandshakeError } from "../../client.ts";
import { Handler, Site } from "../../server.ts";
import { MemoryNetwork } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  test,
} from "../harness.ts";
import { rawUpgrade } from "../harness/raw_client.ts";

test("B-12: listen() and dial() meet in memory, whatever the host", async () => {
  using network = new MemoryNetwork({ hostname: "198.51.100.1" });
  const site = new Site();
  site.addHandler("/who", (connection) => {
    const { remoteAddress } = connection;
    connection.send(JSON.stringify(remoteAddress));
  });
  await using server = await site.listen({ port: 0 });
  assert(server.addr.transport === "tcp");
  const { port } = server.addr;
  await using connection = await dial(`ws://one.example:${port}/who`);
  const seen = JSON.parse(await connection.receive() as string);
  assertEquals(seen.hostname, "198.51.100.1");
  assertEquals(network.wires.length, 1);
  await using other = await dial(`ws://two.example:${port}/who`);
  assert(await other.receive() !== JSON.stringify(seen), "the same port twice");

  await assertRejects(() => site.listen({ port }), Error, "already in use");
  const nowhere = await assertRejects(
    () => dial("ws://one.example:81/"),
    HandshakeError,
  );
  assertEquals((nowhere as HandshakeError).reason, "connect-failed");
  const aborted = AbortSignal.abort(new Error("no time"));
  await assertRejects(
    () => dial(`ws://one.example:${port}/who`, { signal: aborted }),
    Error,
    "no time",
  );
});

test("B-12: dial's onFrame is told of frames in memory, too", async () => {
  using _network = new MemoryNetwork();
  const site = new Site();
  site.addHandler("/", async (connection) => {
    connection.send(await connection.receive());
  });
  await using _server = await site.listen({ port: 80 });
  const told: string[] = [];
  const connection = await dial("ws://example.com/", {
    onFrame: ({ direction, opcode }) => told.push(`${direction} ${opcode}`),
  });
  connection.send("hello");
  assertEquals(await connection.receive(), "hello");
  await connection.close();
  assertEquals(told.slice(0, 2), ["sent text", "received text"]);
});

test("B-12: wss: leads to those who listen with tls, and to nobody else", async () => {
  using _network = new MemoryNetwork();
  const site = new Site();
  site.addHandler("/", (connection) => {
    connection.send(connection.request.url);
  });
  await using _secure = await site.listen({
    port: 443,
    tls: { cert: "", key: "" },
  });
  await using _plain = await site.listen({ port: 80 });
  await using connection = await dial("wss://example.com/");
  assertEquals(await connection.receive(), "wss://example.com/");
  for (const url of ["wss://example.com:80/", "ws://example.com:443/"]) {
    await assertRejects(() => dial(url), HandshakeError, "speaks TLS");
  }
});

test("B-12: there are no proxies in memory, and none is passed by", async () => {
  using _network = new MemoryNetwork();
  const site = new Site();
  site.addHandler("/", () => {});
  await using _server = await site.listen({ port: 80 });
  const error = await assertRejects(
    () => dial("ws://example.com/", { proxy: "http://proxy:80" }),
    HandshakeError,
    "no proxies",
  );
  assertEquals((error as HandshakeError).reason, "proxy-failed");
});

test("requests for the root are answered in memory", async () => {
  using _network = new MemoryNetwork();
  const errors: string[] = [];
  const site = new Site({
    onError: (error) => errors.push(error.message),
    root: (request, { remoteAddress }) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/fails") throw new Error("root");
      const { hostname } = remoteAddress as { hostname: string };
      return new Response(`${request.method} ${pathname} ${hostname}`, {
        status: 418,
        headers: { "X-A": "b" },
      });
    },
  });
  site.addHandler("/", Handler);
  await using _server = await site.listen({ port: 80 });
  const refusal = async (path: string): Promise<HandshakeError> =>
    await assertRejects(
      () => dial(`ws://localhost${path}`),
      HandshakeError,
    ) as HandshakeError;
  const { status, body, headers } = await refusal("/page?x");
  assertEquals(
    [status, new TextDecoder().decode(body), headers?.get("x-a")],
    [418, "GET /page 127.0.0.1", "b"],
  );
  assertEquals([(await refusal("/fails")).status, errors], [500, ["root"]]);
});

test("after the network everything is as it was", async () => {
  const network = new MemoryNetwork();
  network[Symbol.dispose]();
  network[Symbol.dispose]();
  const site = new Site();
  site.addHandler("/", Handler);
  await using server = await site.listen({ port: 0, hostname: "127.0.0.1" });
  assert(server.addr.transport === "tcp");
  await using client = await rawUpgrade(server.addr.port, "/");
  client.sendFrame({ opcode: "ping" });
  assertEquals((await client.readFrame()).opcode, 10);
  const wrong = { hostnam: "x" } as object;
  assertThrows(() => new MemoryNetwork(wrong), TypeError, "hostnam");
});
