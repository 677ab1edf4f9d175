/** Holds the table of docs/compression.md equal to the defaults. */
import { readFileSync } from "node:fs";
import { DEFAULT_COMPRESSION } from "../../connection/compression.ts";
import { assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

test("docs/compression.md has every option, with its defaults", () => {
  const page = readFileSync(checkoutPath("docs/compression.md"), "utf8");
  const rows = Array.from(
    page.matchAll(/^\| `(\w+)` +\| (\w+) +\| (\w+) +\|/gm),
    ([, name, server, client]) => [name, server, client],
  );
  const { server, client } = DEFAULT_COMPRESSION;
  const wanted = Object.entries(server).map(([name, value]) => [
    name,
    String(value),
    String(client[name as keyof typeof client]),
  ]);
  assertEquals(rows, wanted);
});
