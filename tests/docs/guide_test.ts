/**
 * The code of the guide does what the guide says: each section is a test, which
 * runs the section's blocks in their order, and compares what they print.
 */
import { assert, assertEquals, test } from "../harness.ts";
import { freePort } from "../harness/free_port.ts";
import { until } from "../site/served.ts";
import { type Block, importCode, readPage, sections } from "./blocks.ts";
import { shutdownAll } from "./site.ts";

/** The pages. */
const PAGES = [
  "docs/guide.md",
  "docs/dialing.md",
  "docs/reconnecting.md",
  "docs/broadcasting.md",
  "docs/compression.md",
  "docs/shutdown.md",
  "docs/debugging.md",
  "docs/moving.md",
];

/** Runs a block; returns what it prints. */
async function run(block: Block, port: number): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => void lines.push(values.join(" "));
  try {
    const code = block.code.replaceAll("8080", String(port));
    await importCode(code, "tests/docs/site.ts");
    if (block.prints.length > 0) {
      await until(() => lines.length >= block.prints.length, "the output");
    }
  } finally {
    console.log = log;
  }
  return lines;
}

for (const page of PAGES) {
  for (const { title, blocks } of sections(readPage(page))) {
    test(`${page}: ${title}`, async () => {
      try {
        const port = await freePort();
        for (const block of blocks) {
          const lines = await run(block, port);
          assertEquals(lines, [...block.prints], block.code);
        }
      } finally {
        await shutdownAll();
      }
    });
  }
}

test("sections() finds blocks and their output", () => {
  const found = sections(
    "# A\n\n## B\n\n```ts\na();\n```\n\n```text\n1\n2\n```\n\n## C\n\n" +
      "```js\nno\n```\n\n## D\n\n```ts\nb();\n```\n\ntext\n",
  );
  assertEquals(found, [
    { title: "B", blocks: [{ code: "a();\n", prints: ["1", "2"] }] },
    { title: "D", blocks: [{ code: "b();\n", prints: [] }] },
  ]);
  assert(PAGES.length > 0);
});
