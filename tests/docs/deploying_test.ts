/** Holds docs/deploying.md to the files beside it. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { assert, assertEquals, test, testWhere } from "../harness.ts";
import { checkoutPath, Child, firstThere } from "../harness/child.ts";

const folder = checkoutPath("docs/deploying");
const page = readFileSync(checkoutPath("docs/deploying.md"), "utf8");

test("docs/deploying.md quotes each file whole", () => {
  const quoted = [...page.matchAll(/^```\w+\n([^]*?)^```$/gm)]
    .map(([, text = ""]) => text);
  const files = readdirSync(folder);
  assert(files.length > 0);
  for (const file of files) {
    const text = readFileSync(`${folder}/${file}`, "utf8");
    assert(quoted.includes(text), `${file} is not what the page says`);
  }
});

const analyze = firstThere(["/usr/bin/systemd-analyze"]);
const missing = analyze === undefined ? "systemd-analyze" : undefined;

testWhere(
  missing,
  "systemd-analyze finds nothing wrong with the unit",
  async () => {
    const copies = mkdtempSync(`${tmpdir()}/sockeye-unit-`);
    try {
      const unit = readFileSync(`${folder}/sockeye.service`, "utf8");
      // Programs and users have to be there.
      const here = unit.replace("/usr/local/bin/deno", process.execPath)
        .replace("User=sockeye", "User=root");
      assert(here !== unit);
      writeFileSync(`${copies}/sockeye.service`, here);
      const file = `${copies}/sockeye.service`;
      await using child = new Child(analyze ?? "", [
        "verify",
        "--man=no",
        file,
      ]);
      const { code } = await child.exited;
      // It looks at what the machine has as well, which is not ours.
      const ours = child.stderr.split("\n")
        .filter((line) => line.includes("sockeye.service"));
      assertEquals([code, ours], [0, []], child.stderr);
    } finally {
      rmSync(copies, { recursive: true });
    }
  },
);
