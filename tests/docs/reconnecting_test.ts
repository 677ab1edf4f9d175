/**
 * The page on reconnecting says what the options are (`guide_test.ts` runs its
 * code), and the README has a client that reconnects.
 */
import { readFileSync } from "node:fs";
import type { DurableConnection } from "../../client.ts";
import { Site } from "../../server.ts";
import { FakeClock, MemoryNetwork, settle } from "../../testing.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { importCode, readPage, sections } from "./blocks.ts";

const page = readPage("docs/reconnecting.md");

test("B-8: README.md: a client that comes back by itself", async () => {
  const code = sections(readPage("README.md"))
    .flatMap(({ blocks }) => blocks.map(({ code }) => code))
    .find((code) => code.includes("redial("));
  assert(code !== undefined && code.split("\n").length <= 10 + 1, "its length");
  const lines: string[] = [];
  const { log } = console;
  using clock = new FakeClock();
  using _network = new MemoryNetwork();
  console.log = (...values: unknown[]) => void lines.push(values.join(" "));
  try {
    const { durable } = await importCode<{ durable: DurableConnection }>(
      `${code}export { durable };`,
    );
    await settle();
    assertEquals(durable.state, "down");
    const site = new Site();
    site.addHandler("/echo", {
      message: (connection, data) => void connection.send(data),
    });
    await using _server = await site.listen({ port: 8080 });
    await clock.advance(5_000);
    for (const peer of site.connections) peer.terminate();
    await settle();
    await durable.close();
  } finally {
    console.log = log;
  }
  assertEquals(lines, ["subscribe", "hello", "lost: transport-error"]);
});

test("B-8: the page says the defaults that the options have", () => {
  const source = ["client/backoff.ts", "client/redial_options.ts"]
    .map((file) => readFileSync(checkoutPath(file), "utf8")).join("\n");
  const table = page.split(/^## /m).find((text) =>
    text.startsWith("The waits")
  );
  const rows = [...(table ?? "").matchAll(/^\| `(\w+)` *\| ([^|]*?) *\|/gm)];
  const said = rows.map(([, name, value = ""]) => [
    name,
    value.replaceAll(/[,`]/g, ""),
  ]);
  const declared = said.map(([name]) => {
    const comment = source.split(`readonly ${name}?:`)[0]!
      .split("/**").at(-1)!;
    const value = /@default \{([^}]*)\}/.exec(comment)?.[1] ?? "";
    return [name, value.replaceAll("_", "")];
  });
  assertEquals(said, declared);
  assert(rows.length > 10);
});
