/**
 * The code of the guide does what the guide says: each section is a test, which
 * runs the section's blocks in their order, and compares what they print.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";
import { freePort } from "../harness/free_port.ts";
import { until } from "../site/served.ts";
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
];

/** A block of code, and what it must print. */
interface Block {
  readonly code: string;
  readonly prints: readonly string[];
}

/** A part of a page under a heading. */
interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Takes a page apart. */
function sections(page: string): Section[] {
  return page.split(/^## /m).slice(1).map((text) => {
    const title = text.slice(0, text.indexOf("\n"));
    const fences = text.matchAll(
      /^```ts\n([^]*?)^```\n(?:\n```text\n([^]*?)^```\n)?/gm,
    );
    const blocks = Array.from(fences, ([, code = "", prints = ""]) => ({
      code,
      prints: prints.split("\n").slice(0, -1),
    }));
    return { title, blocks };
  }).filter(({ blocks }) => blocks.length > 0);
}

const folder = checkoutPath("tests/docs");

/** Makes a module of a block that runs in this process. */
function toModule({ code }: Block, port: number): string {
  const url = (path: string) => JSON.stringify(pathToFileURL(path).href);
  return code.replaceAll('"@sockeye/sockeye"', url(`${folder}/site.ts`))
    .replaceAll('"@sockeye/sockeye/testing"', url(checkoutPath("testing.ts")))
    .replaceAll("8080", String(port));
}

/** Runs a block; returns what it prints. */
async function run(
  file: string,
  block: Block,
  port: number,
): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => void lines.push(values.join(" "));
  try {
    writeFileSync(file, toModule(block, port));
    await import(pathToFileURL(file).href);
    if (block.prints.length > 0) {
      await until(() => lines.length >= block.prints.length, "the output");
    }
  } finally {
    console.log = log;
  }
  return lines;
}

for (const page of PAGES) {
  const text = readFileSync(checkoutPath(page), "utf8");
  for (const { title, blocks } of sections(text)) {
    test(`${page}: ${title}`, async () => {
      const temporary = mkdtempSync(`${tmpdir()}/sockeye-docs-`);
      try {
        const port = await freePort();
        for (const [i, block] of blocks.entries()) {
          const lines = await run(`${temporary}/${i}.ts`, block, port);
          assertEquals(lines, [...block.prints], block.code);
        }
      } finally {
        await shutdownAll();
        rmSync(temporary, { recursive: true, force: true });
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
