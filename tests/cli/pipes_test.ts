/** The command line between other programs: pipes that stall, end, and break. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import type { Connection, Site } from "../../server.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  test,
  testWhere,
} from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { RawServer, upgradeResponse } from "../harness/raw_server.ts";
import { pause, serve, until } from "../site/served.ts";
import { assertExits, commandLine, startCli } from "./talking.ts";

/** A process of which the test holds the pipes. Dispose of it. */
class Bare implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr = "";

  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    this.child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: checkoutPath(""),
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    this.child.stdin!.on("error", () => {});
    this.child.stderr!.on("data", (chunk: Uint8Array) => {
      this.stderr += new TextDecoder().decode(chunk);
    });
    this.exited = new Promise((resolve) => {
      this.child.on("exit", (code) => resolve(code));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await within(this.exited, "the end of the command line");
  }
}

const LINE = "x".repeat(10_000);
const MOST_BLOCKS = 50;
const BLOCK: string = `${LINE}\n`.repeat(100);

test("WS29: a server that does not read stops the input, and loses nothing", async () => {
  let served: Connection | undefined;
  let received = 0;
  const setup = (site: Site) =>
    site.addHandler("/slow", {
      open: (connection) => {
        served = connection;
        connection.pause();
      },
      message: (_connection, data) => {
        assertEquals(data, LINE);
        received++;
      },
    });
  await serve({ setup }, async ({ port }) => {
    await using bare = new Bare(
      commandLine(`ws://127.0.0.1:${port}/slow`),
    );
    await until(() => served !== undefined, "the connection", 20_000);
    const { stdin } = bare.child;
    // By callbacks: other than `write`, they tell on Bun, too, what is taken.
    let written = 0;
    let taken = 0;
    const feed = (): void => {
      if (written === MOST_BLOCKS || hasEnough) return;
      written++;
      stdin!.write(BLOCK, () => {
        taken++;
        feed();
      });
    };
    let hasEnough = false;
    feed();
    for (let before = -1; before !== taken;) {
      before = taken;
      await pause(1_000);
    }
    hasEnough = true;
    assert(taken < MOST_BLOCKS, "the input is not stopped");
    served!.resume();
    stdin!.end();
    assertEquals(await within(bare.exited, "the end", 60_000), 0, bare.stderr);
    assertEquals(received, written * 100);
  });
});

test("WS29: output that nobody reads stops the server, and loses nothing", async () => {
  const COUNT = 20_000;
  let sent = 0;
  const setup = (site: Site) =>
    site.addHandler("/much", async (connection) => {
      for (; sent < COUNT; sent++) {
        if (!connection.send(LINE)) await connection.drained;
      }
    });
  await serve({ setup }, async ({ port }) => {
    await using bare = new Bare(
      commandLine("-n", "--raw", `ws://127.0.0.1:${port}/much`),
    );
    await until(() => sent > 0, "the first message", 20_000);
    let before = -1;
    while (before !== sent) {
      before = sent;
      await pause(1_000);
    }
    assert(sent < 0.75 * COUNT, `the server is not stopped: ${sent}`);
    let bytes = 0;
    bare.child.stdout!.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
    });
    await until(
      () => bytes === COUNT * (LINE.length + 1),
      "the output",
      60_000,
    );
    assertEquals(await within(bare.exited, "the end", 60_000), 0, bare.stderr);
  });
});

test("WS29: answers that nobody has read when the input ends are not lost", async () => {
  // More than may wait within the process.
  const COUNT = 4_000;
  const text = "x".repeat(20_000);
  let isServed = false;
  const setup = (site: Site) =>
    site.addHandler("/answering", {
      open: () => {
        isServed = true;
      },
      message: async (connection, data) => {
        if (!connection.send(data)) await connection.drained;
      },
    });
  await serve({ setup }, async ({ port }) => {
    await using bare = new Bare(
      commandLine("--raw", `ws://127.0.0.1:${port}/answering`),
    );
    const { stdin, stdout } = bare.child;
    let taken = 0;
    for (let i = 0; i < COUNT / 10; i++) {
      stdin!.write(`${text}\n`.repeat(10), () => void taken++);
    }
    stdin!.end();
    await until(() => isServed, "the connection", 20_000);
    for (let before = -1; before !== taken;) {
      before = taken;
      await pause(500);
    }
    let bytes = 0;
    stdout!.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
    });
    assertEquals(await within(bare.exited, "the end", 60_000), 0, bare.stderr);
    await until(() => bytes === COUNT * (text.length + 1), "the output");
  });
});

test("WS29: a reader that has had enough ends it, quietly", async () => {
  let served: Connection | undefined;
  const setup = (site: Site) =>
    site.addHandler("/ticking", async (connection) => {
      served = connection;
      while (connection.readyState === 1) {
        connection.send("tick");
        await pause(20);
      }
    });
  await serve({ setup }, async ({ port }) => {
    await using bare = new Bare(
      commandLine("-n", `ws://127.0.0.1:${port}/ticking`),
    );
    await new Promise((resolve) => bare.child.stdout!.once("data", resolve));
    bare.child.stdout!.destroy();
    assertEquals(await within(bare.exited, "the end", 60_000), 0, bare.stderr);
    assertMatch(
      bare.stderr,
      /^Connected to [^\n]+\nConnection closed: 1000 \(OK\)\.\n$/,
    );
    assertEquals((await served!.closed).code, 1000);
  });
  for (const args of [["--help"], ["--nonsense"]]) {
    await using bare = new Bare(commandLine(...args));
    bare.child.stdout!.destroy();
    bare.child.stderr!.destroy();
    const code = await within(bare.exited, "the end", 60_000);
    assertEquals(code, args[0] === "--help" ? 0 : 2);
  }
});

testWhere(
  existsSync("/dev/full") ? undefined : "/dev/full",
  "WS29: output that cannot be written is an error",
  async () => {
    const setup = (site: Site) =>
      site.addHandler("/tick", async (connection) => {
        connection.send("tick");
        await connection.closed;
      });
    await serve({ setup }, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/tick`;
      for (const args of [["-n", url], ["--once", "--json", url], ["--help"]]) {
        await using full = new Bare([
          ...["/bin/sh", "-c", 'exec "$@" > /dev/full', "sh"],
          ...commandLine(...args),
        ]);
        const code = await within(full.exited, "the end", 60_000);
        assertEquals([args, code], [args, 1], full.stderr);
        assertMatch(full.stderr, /^(Connected to \S+\n)?Cannot write: .*\.\n/);
      }
    });
  },
);

test("WS29: --raw prints messages as they are", async () => {
  const setup = (site: Site) =>
    site.addHandler("/mixed", (connection) => {
      connection.send('{"a":"\u2028\x1b"}');
      connection.send(Uint8Array.of(0, 10, 255));
      connection.send("ü");
    });
  await serve({ setup }, async ({ port }) => {
    await using bare = new Bare(
      commandLine("-n", "--raw", `ws://127.0.0.1:${port}/mixed`),
    );
    const chunks: Uint8Array[] = [];
    bare.child.stdout!.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    assertEquals(await within(bare.exited, "the end", 60_000), 0, bare.stderr);
    const text = (text: string) => [...new TextEncoder().encode(text)];
    assertEquals(chunks.flatMap((chunk) => [...chunk]), [
      ...text('{"a":"\u2028\x1b"}\n'),
      ...[0, 10, 255],
      ...text("ü\n"),
    ]);
  });
});

test("WS29: --wait stays behind the end of the input; the last line needs no end", async () => {
  const setup = (site: Site) =>
    site.addHandler("/late", {
      message: async (connection, data) => {
        await pause(300);
        connection.send(data);
        if (data === "bye") await connection.close();
      },
    });
  await serve({ setup }, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/late`;
    // The time is not waited for where the server closes.
    await using bare = new Bare(commandLine("--wait", "300", url));
    let output = "";
    bare.child.stdout!.on("data", (chunk: Uint8Array) => {
      output += new TextDecoder().decode(chunk);
    });
    bare.child.stdin!.end("one\nbye");
    assertEquals(await within(bare.exited, "the end", 60_000), 0, bare.stderr);
    assertEquals(output, "< one\n< bye\n");
    const start = performance.now();
    await using short = startCli("--wait", "0.4", url);
    short.endInput();
    await assertExits(short, 0);
    assert(performance.now() - start > 390);
  });
});

test("WS29: --send goes first, on each connection", async () => {
  const received: string[] = [];
  const setup = (site: Site) =>
    site.addHandler("/flapping", {
      message: async (connection, data) => {
        received.push(String(data));
        if (data === "two") await connection.close();
      },
    });
  await serve({ setup }, async ({ port }) => {
    await using child = startCli(
      ...["--reconnect", "-x", "one", "--send", "two"],
      `ws://127.0.0.1:${port}/flapping`,
    );
    await until(() => received.length >= 4, "two connections", 20_000);
    assertEquals(received.slice(0, 4), ["one", "two", "one", "two"]);
    child.signal("SIGINT");
    await within(child.exited, "the end");
  });
});

test("WS29: SIGTERM closes with 1001", async () => {
  let served: Connection | undefined;
  const setup = (site: Site) =>
    site.addHandler("/open", async (connection) => {
      served = connection;
      await connection.closed;
    });
  await serve({ setup }, async ({ port }) => {
    await using child = startCli("-n", `ws://127.0.0.1:${port}/open`);
    await until(
      () => child.stderr.includes("Connected"),
      "the connection",
      20_000,
    );
    child.signal("SIGTERM");
    await assertExits(child, 0);
    assertEquals((await served!.closed).code, 1001);
    assertMatch(child.stderr, /^Connection closed: 1001 \(going away\)\.$/m);
  });
});

test("WS29: a second SIGINT does not wait for the server", async () => {
  await using server = await RawServer.listen();
  await using child = startCli("-n", `ws://127.0.0.1:${server.port}/`);
  const raw = await server.accept();
  raw.write(upgradeResponse(await raw.readHead()));
  await until(
    () => child.stderr.includes("Connected"),
    "the connection",
    20_000,
  );
  child.signal("SIGINT");
  // The Close frame: two bytes, a mask key, a code.
  await until(() => raw.received.length >= 8, "the Close frame", 20_000);
  child.signal("SIGINT");
  const { code } = await within(child.exited, "the end", 8_000);
  assertEquals(code, 1);
  assertMatch(child.stderr, /^Connection closed: 1006 /m);
});
