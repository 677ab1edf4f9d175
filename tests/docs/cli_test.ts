/** docs/cli.md: what it shows is what one sees. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { commandLine, startCli } from "../cli/talking.ts";
import { missingTerminal, Terminal } from "../cli/terminal.ts";
import { assert, assertEquals, test, testWhere } from "../harness.ts";
import { checkoutPath, Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { serve } from "../site/served.ts";

/** The URL of the page, which stands for the server of the test. */
const URL_SHOWN = "ws://localhost:8080/echo";

/** A transcript: what was piped in, arguments, what was printed. */
interface Transcript {
  readonly input: string | undefined;
  readonly args: readonly string[];
  readonly output: string;
}

const page = readFileSync(checkoutPath("docs/cli.md"), "utf8");

const transcripts: readonly Transcript[] = Array.from(
  page.matchAll(
    /^```console\n\$ (?:(?:echo|printf) (.*) \| )?sockeye (.*)\n([^]*?)^```$/gm,
  ),
  ([, input, args = "", output = ""]) => ({
    input: input?.replaceAll("'", "").replaceAll("\\n", "\n").trimEnd(),
    args: args.replace(" 2>/dev/null", "").split(" "),
    output,
  }),
).filter(({ args }) => args.includes(URL_SHOWN));

function find(isWanted: (transcript: Transcript) => boolean): Transcript {
  const found = transcripts.find(isWanted);
  assert(found !== undefined, "the page has no such transcript");
  return found;
}

test("docs/cli.md: what is printed to a pipe", async () => {
  const shown = [
    find(({ output }) => output.startsWith("< ")),
    find(({ args }) => args.includes("--json")),
    find(({ args }) => args.includes("--raw")),
  ];
  await serve({}, async ({ port }) => {
    const url = `ws://127.0.0.1:${port}/echo`;
    for (const { input, args, output } of shown) {
      await using child = startCli(
        ...args.map((argument) => argument.replace(URL_SHOWN, url)),
      );
      child.say(input!);
      child.endInput();
      await within(child.exited, "the end of the command line");
      assertEquals(`${child.output}\n`.replaceAll(url, URL_SHOWN), output);
    }
  });
});

testWhere(
  missingTerminal,
  "docs/cli.md: what is seen on a terminal",
  async () => {
    const typed = transcripts.filter(({ input }) => input === undefined);
    assertEquals(typed.length, 2);
    const piped = find(({ args }) => args.includes("--frames"));
    await serve({}, async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/echo`;
      const ends = (screen: string) => screen.includes("ended with 0");
      const seen = (screen: string) =>
        screen.replaceAll(url, URL_SHOWN).replaceAll(/ +$/gm, "");
      for (const { output } of typed) {
        await using terminal = await Terminal.start(commandLine(url));
        await terminal.until((screen) => screen.endsWith(">"));
        let answers = 0;
        for (const [, line] of output.matchAll(/^> (.*)$/gm)) {
          await terminal.type(line!);
          await terminal.press("Enter");
          if (line!.startsWith("/close")) continue;
          answers++;
          await terminal.until((screen) =>
            screen.split("\n< ").length > answers && screen.endsWith("\n>")
          );
        }
        if (!output.includes("/close")) await terminal.press("C-d");
        const screen = seen(await terminal.until(ends));
        // Where Ctrl-D was pressed a prompt stays.
        assertEquals(screen.replace("\n>\n", "\n"), `${output}ended with 0`);
      }
      const words = commandLine("--frames", "--once", url).join(" ");
      await using terminal = await Terminal.start([
        ...["sh", "-c", `echo ${piped.input} | ${words}`],
      ]);
      const screen = seen(await terminal.until(ends));
      assertEquals(screen, `${piped.output}ended with 0`);
    });
  },
);

test("docs/cli.md: the script for Bun and Node, to the last line of its output", async () => {
  const [, script = ""] = /^```js\n([^]*?)^```$/m.exec(page) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "sockeye-cli-"));
  try {
    const path = join(folder, "sockeye.mjs");
    const cli = pathToFileURL(checkoutPath("cli.ts")).href;
    writeFileSync(path, script.replace("@sockeye/sockeye/cli", cli));
    await serve({}, async ({ port }) => {
      const [command = "", ...args] = commandLine();
      args[args.length - 1] = path;
      await using child = new Child(command, [
        ...[...args, "--raw", "--send", "x".repeat(100_000), "--once"],
        `ws://127.0.0.1:${port}/echo`,
      ]);
      assertEquals((await child.line()).length, 100_000);
      assertEquals(await within(child.exited, "the end"), {
        code: 0,
        signal: null,
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
