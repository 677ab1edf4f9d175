/**
 * Holds docs/limits.md: its tables list every reason there is, in the order and
 * the words of the source.
 */
import { readFileSync } from "node:fs";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const page = readFileSync(checkoutPath("docs/limits.md"), "utf8");

/** Reasons as a source declares them: name, number where it has one, meaning. */
function declared(source: string): string[][] {
  const entries = source.matchAll(
    /^ {2}\/\*\*\s([^]*?)\s\*\/\n {2}"([a-z0-9-]+)":\s+(?:(\d+)|\{\s*status: (\d+)|true|")/gm,
  );
  return Array.from(entries, ([, comment = "", name = "", code, status]) => [
    name,
    ...[code ?? status].filter((number) => number !== undefined),
    comment.replaceAll(/\s*\n\s*\*\s*/g, " ").trim(),
  ]);
}

/** Rows of the table that begins with this heading. */
function table(heading: string): string[][] {
  const lines = page.slice(page.indexOf(`## ${heading}\n`)).split("\n");
  const first = lines.findIndex((line) => line.startsWith("| ---"));
  const end = lines.findIndex((line, i) => i > first && !line.startsWith("|"));
  return lines.slice(first + 1, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) =>
      cell.trim().replace(/^`([a-z0-9-]+)`$/, "$1")
    )
  );
}

for (
  const [heading, file] of [
    ["After the connection is open", "codec/error.ts"],
    ["Requests that a site refuses", "codec/refusal.ts"],
    ["Why `dial` fails", "codec/handshake_error.ts"],
  ] as const
) {
  test(`docs/limits.md: ${heading}`, () => {
    const wanted = declared(readFileSync(checkoutPath(file), "utf8"));
    assert(wanted.length > 10, `${file} is written in another way`);
    assertEquals(table(heading), wanted);
  });
}

test("docs/limits.md: What ended a connection", () => {
  const source = readFileSync(checkoutPath("connection/close_info.ts"), "utf8");
  const union = source.slice(0, source.indexOf("export interface"));
  const causes = [...union.matchAll(/^ {2}\| "([a-z-]+)"/gm)]
    .map(([, cause]) => cause);
  assert(causes.length >= 10);
  assertEquals(
    table("What ended a connection").map(([cause]) => cause),
    causes,
  );
});
