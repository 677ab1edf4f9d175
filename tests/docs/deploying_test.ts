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
import { assertEchoes } from "../harness/canary.ts";
import {
  checkoutPath,
  Child,
  currentRuntime,
  firstThere,
} from "../harness/child.ts";
import { closeCode } from "../harness/frame.ts";
import { rawUpgrade } from "../harness/raw_client.ts";

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

/** How the unit, or what the page says of it, starts a program on this runtime. */
function startProgram(): Child {
  const unit = readFileSync(`${folder}/sockeye.service`, "utf8");
  const byUnit = /^ExecStart=\S+\/deno (.*) main\.ts$/m.exec(unit)?.[1] ?? "";
  const words = { deno: byUnit.split(" "), bun: ["run"], node: [] };
  const args = [...words[currentRuntime], `${folder}/main.ts`];
  return new Child(process.execPath, args, { PORT: "0" });
}

test("the program runs by the unit's command, and ends on SIGTERM", async () => {
  await using child = startProgram();
  let port = 0;
  while (port === 0) {
    port = Number(/port: (\d+)/.exec(await child.line())?.[1] ?? 0);
  }
  await using client = await rawUpgrade(port, "/echo");
  await assertEchoes(client);
  const answer = await fetch(`http://127.0.0.1:${port}/health`);
  assertEquals([answer.status, await answer.text()], [200, "well\n"]);
  child.signal("SIGTERM");
  const close = await client.readFrame();
  assertEquals([close.opcode, closeCode(close.payload)], [8, 1001]);
  client.sendFrame({ opcode: "close", payload: close.payload });
  client.end();
  await child.assertEnds();
});
