/** The command line as a process of the runtime at hand. */
import { assertEquals } from "../harness.ts";
import {
  Child,
  currentRuntime,
  runtimePath,
  scriptArguments,
} from "../harness/child.ts";
import { within } from "../harness/deadline.ts";

/** What a shell would be given to run the command line. */
export function commandLine(...args: readonly string[]): string[] {
  return [
    runtimePath(currentRuntime)!,
    ...scriptArguments(currentRuntime, "cli.ts"),
    ...args,
  ];
}

/** Starts the command line on pipes. */
export function startCli(...args: readonly string[]): Child {
  const [command = "", ...rest] = commandLine(...args);
  return new Child(command, rest);
}

/** Waits until it has ended, and checks its exit code. */
export async function assertExits(child: Child, code: number): Promise<void> {
  const exit = await within(child.exited, "the end of the command line");
  assertEquals(exit, { code, signal: null }, child.stderr);
}
