/** The command line on pipes, and without a terminal. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, Site } from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { Relay } from "../client/relay.ts";
import { checkoutPath, Child } from "../harness/child.ts";
import { certificate } from "../runtime/recorder.ts";
import { Echo, serve, until } from "../site/served.ts";
import { assertExits, commandLine, startCli } from "./talking.ts";

function addMixed(site: Site): void {
  site.addHandler("/mixed", (connection) => {
    connection.send("a\x1b[2J\r\nb \u009b31m \u202e ü");
    connection.send(Uint8Array.of(0, 1, 0xfe, 0xff));
    connection.send("x".repeat(300));
  });
}

/** Says nothing. */
async function untilClosed(connection: Connection): Promise<void> {
  await connection.closed;
}

test("WS29: lines of a pipe are sent, messages are printed, the end closes", async () => {
  await serve({}, async ({ port }) => {
    await using child = startCli(`ws://127.0.0.1:${port}/echo`);
    child.say("hello");
    assertEquals(await child.line(), "< hello");
    child.say("two words, ü €");
    child.say("\u2028 is no end of a line");
    child.say("");
    child.say("last");
    // It closes behind what it has sent: the answers still come.
    child.endInput();
    assertEquals(await child.line(), "< two words, ü €");
    assertEquals(await child.line(), "< \\u{2028} is no end of a line");
    assertEquals(await child.line(), "< ");
    assertEquals(await child.line(), "< last");
    await assertExits(child, 0);
    assertEquals(
      child.stderr,
      `Connected to ws://127.0.0.1:${port}/echo.\n` +
        "Connection closed: 1000 (OK).\n",
    );
  });
});

test("WS29: the scheme may be left out", async () => {
  await serve({}, async ({ port }) => {
    await using child = startCli("--once", `127.0.0.1:${port}/echo`);
    child.say("hello");
    assertEquals(await child.line(), "< hello");
    await assertExits(child, 0);
  });
});

test("WS29: a thousand piped lines come back in order", async () => {
  await serve({}, async ({ port }) => {
    await using child = startCli(`ws://127.0.0.1:${port}/echo`);
    const lines = Array.from({ length: 1_000 }, (_, i) => `${i} `.repeat(100));
    child.say(lines.join("\n"));
    child.endInput();
    for (const line of lines) assertEquals(await child.line(), `< ${line}`);
    await assertExits(child, 0);
  });
});

test("WS29: binary is printed as hex, control characters are escaped", async () => {
  await serve({ setup: addMixed }, async ({ port }) => {
    await using child = startCli("-n", `ws://127.0.0.1:${port}/mixed`);
    assertEquals(
      await child.line(),
      "< a\\u{1b}[2J\\u{d}\\u{a}b \\u{9b}31m \\u{202e} ü",
    );
    assertEquals(await child.line(), "< (binary) 0001feff");
    assertEquals(await child.line(), `< ${"x".repeat(300)}`);
    await assertExits(child, 0);
  });
});

test("WS29: --binary-dir writes binary messages, over no file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    await serve({ setup: addMixed }, async ({ port }) => {
      for (const name of ["000001.bin", "000002.bin"]) {
        const dir = join(folder, "new");
        await using child = startCli(
          ...["-n", "--binary-dir", dir],
          `ws://127.0.0.1:${port}/mixed`,
        );
        await child.line();
        const path = join(dir, name);
        assertEquals(await child.line(), `< (binary) 4 bytes in ${path}`);
        assertEquals([...readFileSync(path)], [0, 1, 0xfe, 0xff]);
        await assertExits(child, 0);
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("WS29: a message that cannot be written ends it, and is an error", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  const dir = join(folder, "file");
  writeFileSync(dir, "");
  try {
    await serve({ setup: addMixed }, async ({ port }) => {
      const args = ["-n", "--binary-dir", dir, `ws://127.0.0.1:${port}/mixed`];
      await using child = startCli(...args);
      await assertExits(child, 1);
      assertMatch(
        child.stderr,
        /^Connected.*\nCannot write a message: .*EEXIST.*\.\nConnection closed: /,
      );
      await using json = startCli("--json", "--reconnect", ...args);
      for (const expected of ["open", "message", "not-written", "close"]) {
        const { type, reason } = JSON.parse(await json.line());
        assertEquals(type === "error" ? reason : type, expected);
      }
      await assertExits(json, 1);
      assertEquals(json.stderr, "");
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("WS29: --once prints one message, and fails where none comes in time", async () => {
  const setup = (site: Site) => {
    addMixed(site);
    site.addHandler("/silent", untilClosed);
  };
  await serve({ setup }, async ({ port }) => {
    await using one = startCli("--once", `ws://127.0.0.1:${port}/mixed`);
    one.endInput();
    assertMatch(await one.line(), /^< a/);
    await assertExits(one, 0);
    await using none = startCli(
      ...["--once", "--timeout", "0.5"],
      `ws://127.0.0.1:${port}/silent`,
    );
    none.endInput();
    await assertExits(none, 1);
    assertMatch(none.stderr, /No message within 0\.5 s\.\nConnection closed/);
  });
});

test("WS29: --json prints one object for each event", async () => {
  await serve({ setup: addMixed }, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/mixed`;
    await using child = startCli("--json", "-n", "--compress", url);
    assertEquals(await child.json(), {
      type: "open",
      url,
      subprotocol: "",
      extensions: [],
    });
    const line = await child.line();
    assertEquals(JSON.parse(line), {
      type: "message",
      text: "a\x1b[2J\r\nb \u009b31m \u202e ü",
    });
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f-\x9f\u202e]/.test(line), line);
    assertEquals(await child.json(), { type: "message", hex: "0001feff" });
    await child.line();
    assertEquals(await child.json(), {
      type: "close",
      code: 1000,
      reason: "",
      wasClean: true,
      cause: "peer",
    });
    await assertExits(child, 0);
    assertEquals(child.stderr, "");
    await using failing = startCli("--json", `ws://127.0.0.1:${port}/nothing`);
    const { type, reason, status } = await failing.json<
      Record<string, unknown>
    >();
    assertEquals([type, reason, status], ["error", "bad-status", 404]);
    await assertExits(failing, 1);
  });
});

test("WS29: --frames prints direction, opcode and length; --ping pings", async () => {
  const setup = (site: Site) => site.addHandler("/silent", untilClosed);
  await serve({ setup }, async ({ port }) => {
    await using child = startCli(
      ...["--json", "--frames", "--ping", "0.05"],
      `ws://127.0.0.1:${port}/silent`,
    );
    await child.line();
    child.say("hello");
    const frames: string[] = [];
    while (!frames.includes("received pong 4")) {
      const frame = await child.json<Record<string, unknown>>();
      assertEquals(frame["type"], "frame");
      const { direction, opcode, payloadBytes } = frame;
      frames.push(`${direction} ${opcode} ${payloadBytes}`);
    }
    assert(frames.includes("sent text 5"), frames.join());
    assert(frames.includes("sent ping 4"), frames.join());
    child.endInput();
    await assertExits(child, 0);
    await using text = startCli(
      ...["--frames", "--once"],
      `ws://127.0.0.1:${port}/echo`,
    );
    text.say("hello");
    await assertExits(text, 0);
    assert(text.stderr.includes('\n> text "hello" [5 bytes]\n'), text.stderr);
    assert(text.stderr.includes('\n< text "hello" [5 bytes]\n'), text.stderr);
  });
});

test("WS29: headers, origin, credentials, subprotocols and compression are sent", async () => {
  const seen: (string | null)[] = [];
  const setup = (site: Site) => {
    site.addHandler("/asked", (connection) => {
      const { headers } = connection.request;
      for (const name of ["x-one", "origin", "authorization"]) {
        seen.push(headers.get(name));
      }
      connection.send(connection.extensions.map(({ name }) => name).join());
    }, { origins: ["https://a.test"], subprotocols: ["b"], compression: true });
  };
  await serve({ setup }, async ({ port }) => {
    await using child = startCli(
      ...["-H", "X-One: 1: 2", "--header", "X-One:3", "--auth", "jo:pä:ss"],
      ...["--origin", "https://a.test", "-s", "a", "-s", "b", "--compress"],
      ...["-n", `ws://127.0.0.1:${port}/asked`],
    );
    assertEquals(await child.line(), "< permessage-deflate");
    await assertExits(child, 0);
    assertMatch(child.stderr, /^Connected to \S+ \(b\)\.$/m);
    assertEquals(seen, [
      "1: 2, 3",
      "https://a.test",
      "Basic am86cMOkOnNz",
    ]);
  });
});

test("WS29: TLS is verified, unless --ca or --insecure says otherwise", async () => {
  const tls = { cert: certificate("self.crt"), key: certificate("self.key") };
  const site = new Site({ onError: () => {} });
  site.addHandler("/echo", Echo);
  await using server = await site.listen({
    port: 0,
    hostname: "127.0.0.1",
    tls,
  });
  assert(server.addr.transport === "tcp");
  const url = `wss://127.0.0.1:${server.addr.port}/echo`;
  await using refused = startCli(url);
  await assertExits(refused, 1);
  assertMatch(refused.stderr, /^Cannot connect to 127\.0\.0\.1:\d+: /);
  await using insecure = startCli("--insecure", "--once", url);
  insecure.say("secret");
  assertEquals(await insecure.line(), "< secret");
  await assertExits(insecure, 0);
  const file = checkoutPath("tests/certs/self.crt");
  await using trusted = startCli("--ca", file, "--once", url);
  trusted.say("secret");
  assertEquals(await trusted.line(), "< secret");
  await assertExits(trusted, 0);
});

test("WS29: a connection that fails or ends badly makes the exit code 1", async () => {
  const setup = (site: Site) => {
    site.addHandler("/drop", (connection) => connection.terminate());
    site.addHandler("/policy", async (connection) => {
      await connection.close(1008, "not\nyou");
    });
    site.addHandler("/away", async (connection) => {
      await connection.close(1001);
    });
  };
  await serve({ setup }, async ({ port }) => {
    await using dropped = startCli(`ws://127.0.0.1:${port}/drop`);
    await assertExits(dropped, 1);
    assertMatch(
      dropped.stderr,
      /^Connection closed: 1006 \(connection closed abnormally \[internal\]\)\. Cause: transport-error/m,
    );
    await using thrown = startCli(`ws://127.0.0.1:${port}/policy`);
    await assertExits(thrown, 1);
    assertMatch(
      thrown.stderr,
      /^Connection closed: 1008 \(policy violation\) not\\u\{a\}you\.$/m,
    );
    await using away = startCli(`ws://127.0.0.1:${port}/away`);
    await assertExits(away, 0);
    assertMatch(away.stderr, /^Connection closed: 1001 \(going away\)\.$/m);
    await using nobody = startCli(`ws://127.0.0.1:${port}/nothing`);
    await assertExits(nobody, 1);
    assertMatch(nobody.stderr, /404/);
  });
});

test("WS29: SIGINT closes with 1000", async () => {
  await serve({}, async ({ port, site }) => {
    await using child = startCli("-n", `ws://127.0.0.1:${port}/echo`);
    await until(() => child.stderr.includes("Connected"), "the connection");
    assertEquals(site.connections.size, 2);
    child.signal("SIGINT");
    await assertExits(child, 0);
    assertMatch(child.stderr, /^Connection closed: 1000 \(OK\)\.$/m);
  });
});

test("WS29: nothing is coloured that is no terminal", async () => {
  await serve({}, async ({ port }) => {
    await using child = startCli("--once", `ws://127.0.0.1:${port}/echo`);
    child.say("hello");
    assert(!(await child.line()).includes("\x1b"));
    await assertExits(child, 0);
    assert(!child.stderr.includes("\x1b"), child.stderr);
  });
});

test("WS29: --reconnect connects again, and sends what was read meanwhile", async () => {
  const served: Connection[] = [];
  const setup = (site: Site) =>
    site.addHandler("/flapping", {
      open: (connection) => void served.push(connection),
      message: (connection, data) => void connection.send(data),
    });
  await serve({ setup }, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/flapping`;
    await using child = startCli("--reconnect", url);
    child.say("one");
    assertEquals(await child.line(), "< one");
    served[0]!.terminate();
    await until(() => child.stderr.includes("1006"), "the end");
    child.say("two");
    assertEquals(await child.line(), "< two");
    await served[1]!.close(1001);
    await until(() => child.stderr.includes("1001"), "the end");
    child.say("three");
    child.endInput();
    assertEquals(await child.line(), "< three");
    await assertExits(child, 0);
    assertEquals(served.length, 3);
    assertEquals(child.stderr.match(/^Connected to /gm)?.length, 3);
  });
});

test("WS29: --reconnect gives up where trying again makes no sense, or on SIGINT", async () => {
  const setup = (site: Site) =>
    site.addHandler("/dropping", (connection) => connection.terminate());
  await serve({ setup }, async ({ port }) => {
    await using refused = startCli(
      "--reconnect",
      `ws://127.0.0.1:${port}/nothing`,
    );
    await assertExits(refused, 1);
    assertEquals(refused.stderr.match(/404/g)?.length, 1);
    await using child = startCli(
      "--reconnect",
      `ws://127.0.0.1:${port}/dropping`,
    );
    await until(() => child.stderr.includes("1006"), "the end");
    child.signal("SIGINT");
    await assertExits(child, 1);
  });
});

test("WS29: --unix connects to a socket, --proxy through a proxy", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    const path = join(folder, "socket");
    await serve({}, async ({ port, site }) => {
      await using unix = await site.listen({ path });
      assertEquals(unix.addr.transport, "unix");
      await using child = startCli("--once", "--unix", path, "a.test/echo");
      child.say("hello");
      assertEquals(await child.line(), "< hello");
      await assertExits(child, 0);
      assertMatch(child.stderr, /^Connected to ws:\/\/a\.test\/echo\.$/m);
      await using relay = await Relay.listen({ port });
      const proxy = `http://127.0.0.1:${relay.port}`;
      const [command = "", ...args] = commandLine("--once", "--proxy");
      for (
        const proxied of [
          new Child(command, [...args, proxy, "a.test/echo"]),
          new Child(command, [...args, "env", "a.test/echo"], {
            ws_proxy: proxy,
            no_proxy: "",
          }),
        ]
      ) {
        await using _child = proxied;
        proxied.say("hello");
        assertEquals(await proxied.line(), "< hello");
        await assertExits(proxied, 0);
      }
      assertEquals(relay.targets, ["a.test:80", "a.test:80"]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
