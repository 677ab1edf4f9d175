/** The code of the page on the shapes of browsers does what it says. */
import { assertEquals, test } from "../harness.ts";
import { importCode, readPage, sections } from "./blocks.ts";

const PAGE = "docs/websocket_class.md";
const blocks = sections(readPage(PAGE)).flatMap(({ blocks }) => blocks);

for (const [index, { code }] of blocks.entries()) {
  test(`${PAGE}: block ${index + 1} runs`, async () => {
    await importCode(code);
  });
}

test("every block of the page is found", () => {
  assertEquals(blocks.length, 3);
});
