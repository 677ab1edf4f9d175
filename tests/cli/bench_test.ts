/** `bench`, against servers that echo, and others. */
import type { Site } from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import type { Child } from "../harness/child.ts";
import { serve, until } from "../site/served.ts";
import { assertExits, startCli } from "./talking.ts";

/** As long as it takes: {@linkcode endAfter} ends it. */
const LONG = ["--duration", "300"];

/** Ends a measurement when so many messages have come. */
async function endAfter(
  messages: number,
  child: Child,
  site: Site,
): Promise<void> {
  const isEnough = () => site.stats.messagesReceived > messages;
  await until(isEnough, "the first messages");
  child.signal("SIGINT");
}

test("bench: measures until SIGINT, and prints percentiles and a histogram", async () => {
  await serve({}, async ({ port, site }) => {
    await using child = startCli(
      ...["bench", "-c", "3", "--in-flight", "4", "--size", "100"],
      ...[...LONG, `ws://127.0.0.1:${port}/echo`],
    );
    await endAfter(100, child, site);
    assertMatch(
      await child.line(),
      /^3 connections, 4 in flight on each, 100 bytes, \d+\.\d s$/,
    );
    assertMatch(
      await child.line(),
      /^[1-9]\d* messages and back, \d+ a second$/,
    );
    assertEquals(await child.line(), "");
    for (const name of ["p50", "p75", "p90", "p99", "p99.9", "max"]) {
      const line = await child.line();
      assertMatch(line, /^\S+ +[\d.]+ ms$/);
      assertEquals(line.split(" ")[0], name);
    }
    assertEquals(await child.line(), "");
    assertMatch(await child.line(), /^ +<= [\d.]+ ms +\d+( #+)?$/);
    await assertExits(child, 0);
    // No live line where nobody looks on.
    assertEquals(child.stderr, "");
  });
});

test("bench: --json is one object", async () => {
  await serve({}, async ({ port, site }) => {
    await using child = startCli(
      ...["bench", "--json", "-c", "2", ...LONG],
      `ws://127.0.0.1:${port}/echo`,
    );
    await endAfter(100, child, site);
    const report = await child.json<Record<string, unknown>>();
    const { type, connections, inFlight, messageBytes } = report;
    const { wrong, failed, lost } = report;
    assertEquals(
      [type, connections, inFlight, messageBytes, wrong, failed, lost],
      ["bench", 2, 1, 64, 0, 0, 0],
    );
    assert(Number(report["messages"]) > 0);
    const { p50, p99, max } = report["latencyMs"] as Record<string, number>;
    assert(p50! > 0 && p50! <= p99! && p99! <= max!);
    await assertExits(child, 0);
  });
});

test("bench: fails where a server does not echo, refuses, or drops", async () => {
  const setup = (site: Site) => {
    site.addHandler("/silent", { message: () => {} });
    site.addHandler("/other", {
      message: (connection) => void connection.send("something else"),
    });
    site.addHandler("/drop", {
      message: (connection) => connection.terminate(),
    });
  };
  await serve({ setup }, async ({ port }) => {
    const start = (path: string, seconds = "0.3") =>
      startCli(
        ...["bench", "-c", "2", "--duration", seconds],
        `ws://127.0.0.1:${port}${path}`,
      );
    await using silent = start("/silent");
    assertMatch(
      await silent.line(),
      /^2 connections, .* (0\.[3-9]|[1-9]\d*\.\d) s$/,
    );
    await assertExits(silent, 1);
    await using other = start("/other");
    await assertExits(other, 1);
    await using refused = start("/nothing");
    await assertExits(refused, 1);
    assertMatch(refused.stderr, /^2 of 2 connections failed: .*404.*\.\n$/);
    // Without a connection it ends at once.
    await using dropped = start("/drop", "300");
    await dropped.line();
    await dropped.line();
    assertEquals(await dropped.line(), "2 connections ended before their time");
    await assertExits(dropped, 1);
  });
});

test("bench: measures what could be opened, and tells what could not", async () => {
  await serve({ maxConnections: 3 }, async ({ port, site }) => {
    const args = ["-c", "5", ...LONG, `ws://127.0.0.1:${port}/echo`];
    // The canary is the third.
    await using child = startCli("bench", ...args);
    await endAfter(100, child, site);
    assertMatch(await child.line(), /^2 connections, /);
    assertMatch(await child.line(), /^[1-9]\d* messages and back, /);
    await assertExits(child, 1);
    assertMatch(child.stderr, /^3 of 5 connections failed: .*503.*\.\n$/);
    const before = site.stats.messagesReceived;
    await using json = startCli("bench", "--json", ...args);
    await endAfter(before + 100, json, site);
    const error = await json.json<Record<string, unknown>>();
    assertEquals([error["type"], error["status"]], ["error", 503]);
    const report = await json.json<Record<string, unknown>>();
    const { connections, failed, messages } = report;
    assertEquals([connections, failed], [2, 3]);
    assert(Number(messages) > 0);
    await assertExits(json, 1);
  });
});

test("bench: prints what was measured when the server stops half-way", async () => {
  let isStopped = false;
  let echoed = 0;
  const setup = (site: Site) =>
    site.addHandler("/stopping", {
      message: async (connection, data) => {
        if (isStopped) await connection.closed;
        connection.send(data);
        isStopped = ++echoed >= 50;
      },
    });
  await serve({ setup }, async ({ port, site }) => {
    const before = site.stats.messagesReceived;
    await using child = startCli(
      ...["bench", "-c", "2", ...LONG],
      `ws://127.0.0.1:${port}/stopping`,
    );
    await until(() => isStopped, "the stop");
    // Whoever sends the next message has got the reply to the one before.
    await endAfter(before + echoed + 1, child, site);
    assertMatch(await child.line(), /^2 connections, /);
    assertMatch(await child.line(), /^5\d messages and back, /);
    assertEquals(await child.line(), "2 connections ended before their time");
    await assertExits(child, 1);
  });
});
