/** The code of the page on testing does what it says, on every runtime (B-12, TW22). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { assert, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const PAGE = "docs/testing.md";

/** Blocks of code by the heading that they are under. */
function blocks(page: string): { title: string; code: string }[] {
  return page.split(/^## /m).slice(1).flatMap((text) => {
    const title = text.slice(0, text.indexOf("\n"));
    return Array.from(
      text.matchAll(/^```ts\n([^]*?)^```\n/gm),
      ([, code = ""], index) => ({ title: `${title}, ${index + 1}`, code }),
    );
  });
}

/** Has a block import this checkout. */
function fromCheckout(code: string): string {
  const url = (file: string) => pathToFileURL(checkoutPath(file)).href;
  return code
    .replaceAll('"@sockeye/sockeye/testing"', `"${url("testing.ts")}"`)
    .replaceAll('"@sockeye/sockeye"', `"${url("mod.ts")}"`);
}

for (
  const { title, code } of blocks(readFileSync(checkoutPath(PAGE), "utf8"))
) {
  test(`TW22: ${PAGE}: ${title}`, async () => {
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
  const page = readFileSync(checkoutPath(PAGE), "utf8");
  assert(blocks(page).length === page.split("```ts\n").length - 1);
  assert(blocks(page).length > 5);
});
