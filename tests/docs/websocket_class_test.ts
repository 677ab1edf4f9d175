/** The code of the page on the shapes of browsers does what it says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const PAGE = "docs/websocket_class.md";
const page = readFileSync(checkoutPath(PAGE), "utf8");
const blocks = Array.from(
  page.matchAll(/^```ts\n([^]*?)^```\n/gm),
  ([, code = ""]) => code,
);

/** Has a block import this checkout. */
function fromCheckout(code: string): string {
  const url = (file: string) => pathToFileURL(checkoutPath(file)).href;
  return code
    .replaceAll('"@sockeye/sockeye/websocket"', `"${url("websocket.ts")}"`)
    .replaceAll('"@sockeye/sockeye"', `"${url("mod.ts")}"`);
}

for (const [index, code] of blocks.entries()) {
  test(`${PAGE}: block ${index + 1} runs`, async () => {
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

test("every block of the page is found", () => {
  assertEquals(blocks.length, 3);
});
