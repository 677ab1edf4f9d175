/** The code of the pages: found, and run as a program that has this checkout. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { pathToFileURL } from "node:url";
import { checkoutPath } from "../harness/child.ts";

/** A part of a page under a heading, with its blocks of TypeScript. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** A block of code, and the lines that the page says it prints. */
export interface Block {
  readonly code: string;
  readonly prints: readonly string[];
}

/** Takes a page apart; what stands above its sections is one by the page's title. */
export function sections(page: string): Section[] {
  return page.replace(/^# /, "").split(/^## /m).map((text) => {
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

/** Reads a page of the checkout. */
export function readPage(path: string): string {
  return readFileSync(checkoutPath(path), "utf8");
}

/** Where the package's name leads to, and each of its doors. */
function fromCheckout(code: string, main: string): string {
  return code.replaceAll(
    /"@sockeye\/sockeye(?:\/(\w+))?"/g,
    (_, door = undefined) => {
      const file = door === undefined ? main : `${door}.ts`;
      return JSON.stringify(pathToFileURL(checkoutPath(file)).href);
    },
  );
}

/**
 * Runs code of a page, and returns what it exports.
 *
 * @param main What `@sockeye/sockeye` is to it.
 */
export async function importCode<Exports>(
  code: string,
  main = "mod.ts",
): Promise<Exports> {
  const folder = mkdtempSync(`${tmpdir()}/sockeye-docs-`);
  try {
    const file = `${folder}/block.ts`;
    writeFileSync(file, fromCheckout(code, main));
    return await import(pathToFileURL(file).href) as Exports;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
