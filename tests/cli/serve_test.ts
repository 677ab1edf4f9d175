/** `serve`: a site at hand. */
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClosedError, dial, HandshakeError } from "../../client.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  test,
} from "../harness.ts";
import { checkoutPath, type Child } from "../harness/child.ts";
import { rawConnect } from "../harness/raw_client.ts";
import { pause, statusOf } from "../site/served.ts";
import { assertExits, startCli } from "./talking.ts";

/** Waits for the line that says where it listens; returns the port. */
async function portOf(child: Child): Promise<number> {
  const line = await child.line();
  const [, port] = /info {2}listening on 127\.0\.0\.1:(\d+)$/.exec(line) ?? [];
  assert(port !== undefined, line);
  return Number(port);
}

/** Sends a request as it stands; returns the response. */
async function request(port: number, line: string): Promise<string> {
  await using client = await rawConnect(port);
  client.write(`${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return new TextDecoder().decode(await client.readToEnd());
}

test("serve: echoes on every path, and a signal ends it", async () => {
  await using child = startCli("serve", "--port", "0");
  const port = await portOf(child);
  const connection = await dial(`ws://127.0.0.1:${port}/any/path`);
  connection.send("hello");
  connection.send(Uint8Array.of(1, 2));
  assertEquals(await connection.receive(), "hello");
  assertEquals(await connection.receive(), Uint8Array.of(1, 2));
  assertMatch(await child.line(), / opened \S+ \/any\/path from /);
  assertMatch(await request(port, "GET /"), /A WebSocket server/);
  child.signal("SIGTERM");
  // Asking for another message lets the Close frame be answered.
  const { info } = await assertRejects(() => connection.receive(), ClosedError);
  assertEquals(info.code, 1001);
  await assertExits(child, 0);
});

test("serve: who does not read the echo is not read from, and loses nothing", async () => {
  await using child = startCli("serve", "--port", "0");
  const connection = await dial(`ws://127.0.0.1:${await portOf(child)}/`);
  const COUNT = 4_000;
  const text = "x".repeat(10_000);
  let sent = 0;
  const sending = (async () => {
    for (; sent < COUNT; sent++) {
      if (!connection.send(text)) await connection.drained;
    }
  })();
  for (let before = -1; before !== sent;) {
    before = sent;
    await pause(500);
  }
  assert(sent < COUNT, "it reads all, and keeps it");
  for (let i = 0; i < COUNT; i++) {
    assertEquals(await connection.receive(), text);
  }
  await sending;
  assertEquals((await connection.close()).code, 1000);
});

test("serve: --broadcast sends to everybody", async () => {
  await using child = startCli("serve", "-p", "0", "--broadcast");
  const url = `ws://127.0.0.1:${await portOf(child)}/`;
  await using one = await dial(url);
  await using other = await dial(url);
  one.send("hello");
  assertEquals(
    [await one.receive(), await other.receive()],
    ["hello", "hello"],
  );
});

test("serve: pages of other origins stay out unless they are named", async () => {
  const headers = { origin: "https://a.test" };
  for (
    const [args, isIn] of [[[], false], [["--origin", "*"], true], [
      ["--origin", "https://b.test", "--origin", "https://a.test"],
      true,
    ]] as [string[], boolean][]
  ) {
    await using child = startCli("serve", "-p", "0", ...args);
    const dialing = dial(`ws://127.0.0.1:${await portOf(child)}/`, { headers });
    if (isIn) await (await dialing).close();
    else {
      const error = await assertRejects(() => dialing, HandshakeError);
      assertEquals(error.status, 403);
    }
  }
});

test("serve: the files of a folder, and no others", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    const dir = join(folder, "site");
    mkdirSync(join(dir, "sub"), { recursive: true });
    writeFileSync(join(folder, "secret.txt"), "secret");
    mkdirSync(join(folder, "site-too"));
    writeFileSync(join(folder, "site-too", "secret.txt"), "secret");
    writeFileSync(join(dir, ".hidden"), "secret");
    writeFileSync(join(dir, "index.html"), "<h1>Hello</h1>");
    writeFileSync(join(dir, "sub", "empty.txt"), "");
    writeFileSync(join(dir, "sub", "ü b.bin"), "x".repeat(200_000));
    symlinkSync("../secret.txt", join(dir, "link.txt"));
    symlinkSync("../site-too", join(dir, "link"));
    await using child = startCli("serve", "-p", "0", dir);
    const port = await portOf(child);
    const index = await request(port, "GET /?query");
    assertEquals(statusOf(index), 200, index);
    assertMatch(index, /^content-type: text\/html; charset=utf-8\r$/im);
    assertMatch(index, /<h1>Hello<\/h1>/);
    const big = await request(port, "GET /sub/%C3%BC%20b.bin");
    assertMatch(big, /^content-type: application\/octet-stream\r$/im);
    assertEquals(big.match(/x/g)!.length >= 200_000, true);
    assertEquals(statusOf(await request(port, "GET /sub/empty.txt")), 200);
    const head = await request(port, "HEAD /index.html");
    assertEquals([statusOf(head), head.includes("Hello")], [200, false]);
    assertEquals(statusOf(await request(port, "POST /index.html")), 405);
    for (
      const path of [
        "/nothing",
        "/sub",
        "/sub/",
        "/.hidden",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/..%2fsite-too/secret.txt",
        "/link.txt",
        "/link/secret.txt",
        "/index.html%00",
        "/%ff",
        "/index.html/",
      ]
    ) {
      const response = await request(port, `GET ${path}`);
      assert([400, 404].includes(statusOf(response)), `${path}: ${response}`);
      assert(!response.includes("\r\n\r\nsecret"), path);
    }
    await using connection = await dial(`ws://127.0.0.1:${port}/index.html`);
    connection.send("hello");
    assertEquals(await connection.receive(), "hello");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("serve: --cert and --key speak TLS", async () => {
  const file = (name: string) => checkoutPath(`tests/certs/${name}`);
  await using child = startCli(
    ...["serve", "-p", "0", "--cert", file("leaf.crt")],
    ...["--key", file("leaf.key")],
  );
  await using talk = startCli(
    ...["--ca", file("ca.crt"), "--send", "hello", "--once"],
    `wss://localhost:${await portOf(child)}/`,
  );
  assertEquals(await talk.line(), "< hello");
  await assertExits(talk, 0);
});

test("serve: says why it cannot", async () => {
  await using first = startCli("serve", "-p", "0");
  const port = await portOf(first);
  await using second = startCli("serve", "-p", String(port));
  await assertExits(second, 1);
  assertMatch(second.stderr, /^Cannot serve: .+\.\n$/);
  await using nowhere = startCli("serve", "-p", "0", "/nothing/here");
  await assertExits(nowhere, 1);
  assertMatch(nowhere.stderr, /^Cannot serve: .+\.\n$/);
});
