/** Holds the README beside it: every test that it names exists, in that file. */
import { readFileSync } from "node:fs";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

function read(name: string): string {
  return readFileSync(checkoutPath(`tests/websocket/${name}`), "utf8");
}

/** Whether a file defines a test; names made up of parts are looked for by these. */
function defines(source: string, name: string): boolean {
  if (source.includes(JSON.stringify(name))) return true;
  const suffix = ": error, then close with 1006";
  return name.endsWith(suffix) && source.includes(`\`\${name}${suffix}\``) &&
    source.includes(JSON.stringify(name.slice(0, -suffix.length)));
}

test("tests/websocket/README.md names tests that exist, and each file once", () => {
  const page = read("README.md").replaceAll(/\s+/g, " ");
  const named = [...page.matchAll(/`(\w+_test\.ts)`: "(.*?)"(?=[;.]| and )/g)];
  assert(named.length > 80, `${named.length} tests are named`);
  for (const [, file = "", name = ""] of named) {
    assert(defines(read(file), name), `${file} has no test "${name}"`);
  }
  // What is listed: the names before the first colon of an item.
  const items = page.split(/ - (?=`)/).slice(1);
  const files = items.flatMap((item) => {
    const [names = ""] = item.split(/`: /);
    return names.split("`, `").map((name) => name.replaceAll("`", ""));
  });
  assertEquals(files.filter((file, i) => files.indexOf(file) !== i), []);
  const [, count] = /has (\d+) files/.exec(page) ?? [];
  assertEquals(files.length, Number(count));
});
