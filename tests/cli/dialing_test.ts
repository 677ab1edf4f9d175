/** How the command line gets to a server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { parseCommand } from "../../cli/arguments.ts";
import { UsageError } from "../../cli/usage.ts";
import type { Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
  test,
} from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { certificate } from "../runtime/recorder.ts";
import { serve } from "../site/served.ts";
import { assertExits, startCli } from "./talking.ts";

async function inFolder(
  body: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What `dial` would be told. */
function dialOf(...args: readonly string[]) {
  const command = parseCommand([...args, "a.test"]);
  assert(command.name === "talk");
  return command.dial;
}

test("WS29: --header @FILE has a header in each line, --auth @FILE has credentials", async () => {
  const seen: (string | null)[] = [];
  const setup = (site: Site) =>
    site.addHandler("/asked", (connection) => {
      const { headers } = connection.request;
      seen.push(headers.get("x-one"), headers.get("authorization"));
    });
  await inFolder(async (folder) => {
    const headers = join(folder, "headers");
    writeFileSync(headers, "X-One: 1\r\n\nX-One:2\n");
    const secret = join(folder, "secret");
    writeFileSync(secret, "jo:pä:ss\n");
    await serve({ setup }, async ({ port }) => {
      await using child = startCli(
        ...["-H", `@${headers}`, "--auth", `@${secret}`, "-H", "X-One: 3"],
        ...["-n", `ws://127.0.0.1:${port}/asked`],
      );
      await assertExits(child, 0);
    });
    assertEquals(seen, ["1, 2, 3", "Basic am86cMOkOnNz"]);
    writeFileSync(headers, "no colon\n");
    assertThrows(() => dialOf("-H", `@${headers}`), UsageError);
    writeFileSync(secret, "");
    assertThrows(() => dialOf("--auth", `@${secret}`), UsageError);
  });
  assertThrows(() => dialOf("-H", "@/nothing/here"), UsageError);
});

test("WS29: --connect-to goes elsewhere, the Host stays", async () => {
  const hosts: (string | null)[] = [];
  const setup = (site: Site) =>
    site.addHandler("/asked", (connection) => {
      hosts.push(connection.request.headers.get("host"));
    });
  await serve({ setup }, async ({ port }) => {
    await using child = startCli(
      ...["--connect-to", `127.0.0.1:${port}`, "-n", "ws://a.test/asked"],
    );
    await assertExits(child, 0);
  });
  assertEquals(hosts, ["a.test"]);
});

test("WS29: what --connect-to takes", () => {
  for (
    const [value, wanted] of [
      ["b.test", { hostname: "b.test" }],
      ["b.test:81", { hostname: "b.test", port: 81 }],
      [":81", { port: 81 }],
      ["[::1]:81", { hostname: "::1", port: 81 }],
      ["[::1]", { hostname: "::1" }],
    ] as const
  ) {
    assertEquals(dialOf("--connect-to", value).connectTo, wanted);
  }
  for (const value of ["", ":", "::1", "a:b", "a:65536", "[::1", "a:1:2"]) {
    assertThrows(() => dialOf("--connect-to", value), UsageError);
  }
});

test("WS29: --max-redirects follows; without it one is told where it leads", async () => {
  await serve({}, async ({ port }) => {
    await using server = await RawServer.listen();
    const location = `http://127.0.0.1:${port}/echo`;
    const redirect = async () => {
      const raw = await server.accept(20_000);
      await raw.readHead();
      raw.write(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\n\r\n`);
      raw.end();
    };
    const url = `ws://127.0.0.1:${server.port}/`;
    await using child = startCli("--max-redirects", "1", "--once", url);
    await redirect();
    child.say("hello");
    assertEquals(await child.line(), "< hello");
    await assertExits(child, 0);
    await using stayed = startCli(url);
    await redirect();
    await assertExits(stayed, 1);
    assert(
      stayed.stderr.endsWith(`. It leads to ${location}\n`),
      stayed.stderr,
    );
    await using told = startCli("--json", url);
    await redirect();
    const event = await told.json<Record<string, unknown>>();
    assertEquals([event["status"], event["location"]], [302, location]);
  });
});

test("AP-5: nothing that a server says in its refusal drives the terminal", async () => {
  for (const args of [[], ["--json"]]) {
    await using server = await RawServer.listen();
    await using child = startCli(...args, `ws://127.0.0.1:${server.port}/`);
    const raw = await server.accept(20_000);
    await raw.readHead();
    raw.write(
      "HTTP/1.1 302 \u009b31m\r\nLocation: /\u009b31m\u202e\r\n" +
        "Content-Length: 5\r\n\r\n\x1b[31m",
    );
    await assertExits(child, 1);
    const shown = child.output + child.stderr.replaceAll("\n", "");
    assert(/^[^\p{Cc}\p{Cf}]+$/u.test(shown), JSON.stringify(shown));
    assertMatch(shown, /31m/);
  }
});

test("WS29: --require-subprotocol fails where the server chooses none", async () => {
  await serve({}, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/echo`;
    await using child = startCli("-s", "a", "--require-subprotocol", url);
    await assertExits(child, 1);
    assertMatch(child.stderr, /subprotocol/);
    await using easy = startCli("-s", "a", "--send", "hello", "--once", url);
    assertEquals(await easy.line(), "< hello");
    await assertExits(easy, 0);
  });
});

test("WS29: --cert and --key show a certificate, --server-name names the server", async () => {
  const names: unknown[] = [];
  const server = createServer({
    cert: certificate("leaf.crt"),
    key: certificate("leaf.key"),
    ca: certificate("ca.crt"),
    requestCert: true,
  }, (socket) => {
    socket.on("error", () => {});
    names.push(socket.servername);
    socket.once("data", (head: Uint8Array) => {
      socket.write(upgradeResponse(new TextDecoder().decode(head)));
      // A Close frame, code 1000.
      socket.end(Uint8Array.of(0x88, 2, 0x03, 0xe8));
    });
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
  try {
    const { port } = server.address() as AddressInfo;
    const file = (name: string) => checkoutPath(`tests/certs/${name}`);
    const trust = ["-n", "--ca", file("ca.crt")];
    const shown = ["--cert", file("leaf.crt"), "--key", file("leaf.key")];
    const address = ["--connect-to", `127.0.0.1:${port}`, "wss://a.test"];
    const named = ["--server-name", "localhost", ...address];
    await using child = startCli(...trust, ...shown, ...named);
    await assertExits(child, 0);
    assertEquals(names, ["localhost"]);
    await using bare = startCli(...trust, ...named);
    await assertExits(bare, 1);
    // The certificate is for localhost.
    await using other = startCli(...trust, ...shown, ...address);
    await assertExits(other, 1);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

test("WS29: options that do not go together", () => {
  for (
    const args of [
      ["--cert", "tests/certs/leaf.crt"],
      ["--key", "tests/certs/leaf.key"],
      ["--ca", "tests/certs/ca.crt", "--insecure"],
      ["--require-subprotocol"],
      ["--raw", "--json"],
      ["--max-redirects", "-1"],
    ]
  ) {
    assertThrows(() => dialOf(...args), UsageError);
  }
  assertThrows(
    () => parseCommand(["serve", "--cert", "tests/certs/leaf.crt"]),
    UsageError,
  );
});
