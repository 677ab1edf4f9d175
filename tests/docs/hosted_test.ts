/** Holds docs/hosted.md: its table is the one in the source. */
import { readFileSync } from "node:fs";
import { type HostCapability, HOSTED_CAPABILITIES } from "../../server.ts";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const page = readFileSync(checkoutPath("docs/hosted.md"), "utf8");

/** Cells of the table between the two marks. */
function table(): string[][] {
  const marks = /<!-- begin: capabilities -->([^]*)<!-- end: capabilities -->/;
  const lines = (marks.exec(page)?.[1] ?? "").trim().split("\n");
  return lines.map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

function cell(support: HostCapability["deno"]): string {
  if (support === "yes") return "yes";
  return "throws" in support ? `throws: ${support.throws}` : support.does;
}

test("docs/hosted.md: what a host cannot do", () => {
  const [head, rule, ...rows] = table();
  assertEquals(head, ["name", "what", "`Deno.serve`", "`Bun.serve`"]);
  assert(rule?.every((cell) => /^-+$/.test(cell)));
  const wanted = Object.entries(HOSTED_CAPABILITIES).map(([name, row]) => [
    `\`${name}\``,
    row.title,
    cell(row.deno),
    cell(row.bun),
  ]);
  assert(wanted.length > 10);
  assertEquals(rows, wanted);
});
