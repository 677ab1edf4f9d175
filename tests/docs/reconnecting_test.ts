/** The code of the page on reconnecting does what it says, on every runtime (B-8). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const PAGE = "docs/reconnecting.md";
const page = readFileSync(checkoutPath(PAGE), "utf8");

/** Has a block import this checkout. */
function fromCheckout(code: string): string {
  const url = (file: string) => pathToFileURL(checkoutPath(file)).href;
  return code
    .replaceAll('"@sockeye/sockeye/testing"', `"${url("testing.ts")}"`)
    .replaceAll('"@sockeye/sockeye"', `"${url("mod.ts")}"`);
}

const blocks = Array.from(
  page.matchAll(/^```ts\n([^]*?)^```\n/gm),
  ([, code = ""]) => code,
);

for (const [index, code] of blocks.entries()) {
  test(`B-8: ${PAGE}: block ${index + 1}`, async () => {
    const folder = mkdtempSync(`${tmpdir()}/sockeye-docs-`);
    try {
      const file = `${folder}/block.ts`;
      writeFileSync(file, fromCheckout(code));
      await import(pathToFileURL(file).href);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test("B-8: the page says the defaults that the options have", () => {
  const source = ["client/backoff.ts", "client/redial_options.ts"]
    .map((file) => readFileSync(checkoutPath(file), "utf8")).join("\n");
  const rows = [...page.matchAll(/^\| `(\w+)` *\| ([^|]*?) *\|/gm)];
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
  assertEquals([rows.length > 10, blocks.length > 0], [true, true]);
});
