/**
 * The command line: talk to a WebSocket server, serve one, measure one.
 *
 *     deno run -A cli.ts ws://localhost:8080/echo
 *
 * `--help` tells the rest, and so does `docs/cli.md`.
 *
 * @example From a program
 * ```ts
 * import { runCli } from "@sockeye/sockeye/cli";
 *
 * const exitCode = await runCli(["--version"]);
 * ```
 *
 * @module
 */

import { existsSync, realpathSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseCommand } from "./cli/arguments.ts";
import { bench } from "./cli/bench.ts";
import { HELP, VERSION } from "./cli/help.ts";
import {
  beginOutput,
  flushOutput,
  hasOutputFailed,
  writeError,
  writeText,
} from "./cli/output.ts";
import { serve } from "./cli/serve.ts";
import { talk } from "./cli/talk.ts";
import { UsageError } from "./cli/usage.ts";

/**
 * Runs the command line on this process's standard streams. It does not end the
 * process; what it printed has left it.
 *
 * @param args Arguments, without the program's own name.
 * @returns Exit code: 0; 1 where no connection could be opened, or one did not
 * close in good order, or what is printed could not be written; 2 where the
 * arguments make no sense.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  beginOutput();
  const code = await run(args);
  await flushOutput();
  return hasOutputFailed() ? 1 : code;
}

async function run(args: readonly string[]): Promise<number> {
  try {
    const command = parseCommand(args);
    switch (command.name) {
      case "help":
        writeText(HELP);
        return 0;
      case "version":
        writeText(`sockeye ${VERSION}\n`);
        return 0;
      case "talk":
        return await talk(command);
      case "serve":
        return await serve(command);
      case "bench":
        return await bench(command);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeError(`${error.message}\nTry --help.`);
    return 2;
  }
}

/** Node knows `import.meta.main` since 24.2; the package runs on 24.0. */
function isMain(): boolean {
  const [, script = ""] = process.argv;
  const main: boolean | undefined = import.meta.main;
  return main ?? (existsSync(script) &&
    import.meta.url === pathToFileURL(realpathSync(script)).href);
}

// Other than `exitCode`, this does not wait for a standard input that stays open.
if (isMain()) {
  process.exit(await runCli(process.argv.slice(2)));
}
