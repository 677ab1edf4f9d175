/** The code of the page on testing does what it says, on every runtime (B-12, TW22). */
import { assert, assertEquals, test } from "../harness.ts";
import { importCode, readPage, sections } from "./blocks.ts";

const PAGE = "docs/testing.md";
const page = readPage(PAGE);
const found = sections(page);

for (const { title, blocks } of found) {
  for (const [index, { code }] of blocks.entries()) {
    test(`TW22: ${PAGE}: ${title}, ${index + 1}`, async () => {
      await importCode(code);
    });
  }
}

test("every block of the page is found", () => {
  const count = found.flatMap(({ blocks }) => blocks).length;
  assertEquals(count, page.split("```ts\n").length - 1);
  assert(count > 5);
});
