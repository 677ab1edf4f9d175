/**
 * Holds docs/features.md: every row of the seed systems is there once, and every
 * test it names exists.
 */
import { existsSync, readFileSync } from "node:fs";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

/** Rows that the page must have: letters, first, last. */
const ROWS = [
  ["TW", 1, 22],
  ["BL", 1, 8],
  ["SI", 1, 14],
  ["AB", 1, 24],
  ["WS", 1, 18],
  ["WS", 20, 42],
  ["B-", 1, 14],
] as const;

/** A row of a table: id, what the seed does, what is ours, tests. */
interface Feature {
  readonly id: string;
  readonly ours: string;
  readonly tests: string;
}

function features(page: string): Feature[] {
  return [...page.matchAll(/^\| ([A-Z]+-?\d+) *\|.*$/gm)].map(([line]) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const [, id = "", , ours = "", tests = ""] = cells;
    return { id, ours, tests };
  });
}

/** Tests that a cell names: file and name. */
function named(cell: string): { file: string; name: string }[] {
  return Array.from(
    cell.matchAll(/`(tests\/[\w/]+_test\.ts)`: "(.*?)"(?=;|$)/g),
    ([, file = "", name = ""]) => ({ file, name }),
  );
}

/** Names of the tests of a file, as patterns: some have a variable part. */
function testNames(source: string): RegExp[] {
  const names = source.matchAll(
    /\b(?:test\w*)\(\s*(?:[^`;]*?,\s*)??(?:"((?:\\.|[^"\\])*)"|`([^`]*)`)/g,
  );
  return Array.from(names, ([, text, template = ""]) => {
    const name = text === undefined ? template : JSON.parse(`"${text}"`);
    const parts = String(name).split(/\$\{[^}]*\}/)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".+")}$`);
  });
}

const page = readFileSync(checkoutPath("docs/features.md"), "utf8");

test("docs/features.md has every row once, and no other", () => {
  const wanted = ROWS.flatMap(([letters, first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => `${letters}${first + i}`)
  );
  assertEquals(features(page).map(({ id }) => id).sort(), wanted.sort());
});

test("docs/features.md names tests that exist, or says why there is none", () => {
  for (const { id, ours, tests } of features(page)) {
    const found = named(tests);
    if (ours.startsWith("left out")) continue;
    assert(found.length > 0, `${id} names no test: ${tests}`);
    const rest = found.reduce(
      (text, { file, name }) => text.replace(`\`${file}\`: "${name}"`, ""),
      tests,
    );
    assertEquals(rest.replaceAll(/[;\s]/g, ""), "", `${id}: ${tests}`);
    for (const { file, name } of found) {
      const path = checkoutPath(file);
      assert(existsSync(path), `${id}: there is no ${file}`);
      const names = testNames(readFileSync(path, "utf8"));
      assert(
        names.some((pattern) => pattern.test(name)),
        `${id}: ${file} has no test "${name}"`,
      );
    }
  }
});

test("testNames() reads names with and without a variable part", () => {
  const source = 'test("a: b", () => {});\ntestWhere(\n  missing,\n' +
    '  `behind ${name}: c (d)`,\n);\ntestBehind("e \\"f\\"", g);';
  const names = testNames(source);
  const has = (name: string) => names.some((pattern) => pattern.test(name));
  assertEquals(
    ["a: b", "behind nginx: c (d)", 'e "f"', "a: c"].map(has),
    [true, true, true, false],
  );
});
