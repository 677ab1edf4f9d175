/** Links from page to page lead somewhere, and every page is led to. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { assert, assertEquals, test } from "../harness.ts";
import { checkoutPath } from "../harness/child.ts";

const PAGES = [
  "README.md",
  "SECURITY.md",
  "bench/README.md",
  "examples/README.md",
  ...readdirSync(checkoutPath("docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

function read(page: string): string {
  return readFileSync(checkoutPath(page), "utf8").replaceAll(
    /^```[^]*?^```$/gm,
    "",
  );
}

/** What GitHub makes of a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function anchors(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)]
    .map(([, heading = ""]) => anchor(heading));
}

/** Where the links of a page lead that leave no host name: path and anchor. */
function links(page: string): { path: string; hash: string }[] {
  const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
  return targets.map((target) => {
    const [path = "", hash = ""] = target.split("#");
    const full = path === "" ? page : normalize(join(dirname(page), path));
    return { path: full, hash };
  });
}

test("every link leads to a file, and to a heading of it", () => {
  const broken = PAGES.flatMap((page) =>
    links(page).filter(({ path, hash }) =>
      !existsSync(checkoutPath(path)) ||
      hash !== "" && !anchors(path).includes(hash)
    ).map(({ path, hash }) => `${page}: ${path}#${hash}`)
  );
  assertEquals(broken, []);
});

test("every page is reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    if (!page.endsWith(".md")) continue;
    for (const { path } of links(page)) reached.add(path);
  }
  assert(reached.size > PAGES.length);
  assertEquals(PAGES.filter((page) => !reached.has(page)), []);
});

test("anchor() names headings as GitHub does", () => {
  assertEquals(
    ["Why `dial` fails", "A, b & c!", "Who may connect"].map(anchor),
    ["why-dial-fails", "a-b--c", "who-may-connect"],
  );
});
