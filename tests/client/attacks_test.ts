/** Holds what hostile servers do: each has a test by its number, with sockets. */
import { readdirSync, readFileSync } from "node:fs";
import { assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const FOLDERS = ["tests/client", "tests/compression", "tests/interop"];

/** Numbers from CI-1 to CI-20. */
const ATTACKS = Array.from({ length: 20 }, (_, at) => `CI-${at + 1}`);

/** Files of tests that work on sockets, not in memory. */
function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(checkoutPath(folder))
      .filter((name) => name.endsWith("_test.ts"))
      .map((name) => readFileSync(checkoutPath(`${folder}/${name}`), "utf8"))
      .filter((source) => !source.includes("inWorld"))
  );
}

test("each attack of a server, CI-1 to CI-20, has a test of its name", () => {
  const names = sources().flatMap((source) =>
    Array.from(
      source.matchAll(/\btest\w*\(\s*(?:[^"`(]*,\s*)?["`]([^"`]*)/g),
      ([, name = ""]) => name,
    )
  );
  const has = (id: string) =>
    names.some((name) => new RegExp(`\\b${id}\\b`).test(name));
  assertEquals(ATTACKS.filter((id) => !has(id)), []);
});
