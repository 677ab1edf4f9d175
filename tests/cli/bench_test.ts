/** `bench`, against servers that echo, and others. */
import type { Site } from "../../server.ts";
import { assert, assertEquals, assertMatch, test } from "../harness.ts";
import { serve } from "../site/served.ts";
import { assertExits, startCli } from "./talking.ts";

test("bench: measures, and prints percentiles and a histogram", async () => {
  await serve({}, async ({ port }) => {
    await using child = startCli(
      ...["bench", "-c", "3", "--in-flight", "4", "--size", "100"],
      ...["--duration", "0.4", `ws://127.0.0.1:${port}/echo`],
    );
    assertMatch(
      await child.line(),
      /^3 connections, 4 in flight on each, 100 bytes, 0\.[4-9] s$/,
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
  await serve({}, async ({ port }) => {
    await using child = startCli(
      ...["bench", "--json", "-c", "2", "--duration", "0.3"],
      `ws://127.0.0.1:${port}/echo`,
    );
    const report = await child.json<Record<string, unknown>>();
    const { type, connections, inFlight, messageBytes, wrong, lost } = report;
    assertEquals(
      [type, connections, inFlight, messageBytes, wrong, lost],
      ["bench", 2, 1, 64, 0, 0],
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
    const start = (path: string) =>
      startCli(
        ...["bench", "-c", "2", "--duration", "0.3"],
        `ws://127.0.0.1:${port}${path}`,
      );
    await using silent = start("/silent");
    await assertExits(silent, 1);
    await using other = start("/other");
    await assertExits(other, 1);
    await using refused = start("/nothing");
    await assertExits(refused, 1);
    assertMatch(refused.stderr, /^2 of 2 connections failed: .*404.*\.\n$/);
    await using dropped = start("/drop");
    await dropped.line();
    await dropped.line();
    assertEquals(await dropped.line(), "2 connections ended before their time");
    await assertExits(dropped, 1);
  });
});
