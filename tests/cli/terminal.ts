/** A terminal: tmux, which draws what a program writes, and types. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkoutPath, Child } from "../harness/child.ts";
import { within } from "../harness/deadline.ts";
import { program, programPath } from "../harness/program.ts";
import { pause, until } from "../site/served.ts";

/** What is not there; `undefined` where there is a terminal. */
export const missingTerminal: string | undefined = programPath("tmux")
  ? undefined
  : "tmux";

/** Runs one command in a terminal of 50 columns and 16 rows. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Starts the command. Its exit code is shown when it has ended.
   *
   * @param command Program and arguments.
   * @param env What is to be set in its environment; `NO_COLOR` is not otherwise.
   */
  static async start(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Terminal> {
    const folder = mkdtempSync(join(tmpdir(), "sockeye-terminal-"));
    const terminal = new Terminal(folder);
    const words = [
      ...["/usr/bin/env", "-u", "NO_COLOR", "-u", "LD_LIBRARY_PATH"],
      // No test reads or writes the lines of whoever runs it.
      `XDG_STATE_HOME=${folder}`,
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...command,
    ].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    await terminal.#tmux(
      ...["new-session", "-d", "-x", "50", "-y", "16"],
      ...["-c", checkoutPath("")],
      `${words.join(" ")}; echo "ended with $?"; exec cat`,
    );
    return terminal;
  }

  /** Types text, as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** Presses keys, by their names in tmux. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Pastes text, as a terminal's menu does. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", text);
    await this.#tmux("paste-buffer", "-p");
  }

  /** Gives the window another size, and waits until the program is told. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux(
      ...["resize-window", "-x", String(columns), "-y", String(rows)],
    );
    // It draws at once what it tells the program up to a quarter of a second later.
    const tty = await this.#tmux("display-message", "-p", "#{pane_tty}");
    const size = `${rows} ${columns}`;
    const stty = () => spawnSync("stty", ["-F", tty.trim(), "size"]);
    await until(
      () => String(stty().stdout).trim() === size,
      `a size of ${size}`,
    );
  }

  /**
   * Waits until something is on the screen.
   *
   * @param flags Flags of `capture-pane`: `-e` keeps colours.
   * @returns The screen, without the empty rows at its end.
   */
  async until(
    isThere: (screen: string) => boolean,
    ...flags: readonly string[]
  ): Promise<string> {
    const deadline = Date.now() + 20_000;
    while (true) {
      const screen = await this.#tmux("capture-pane", "-p", ...flags);
      if (isThere(screen.trimEnd())) return screen.trimEnd();
      if (Date.now() > deadline) throw new Error(`The screen is:\n${screen}`);
      await pause(50);
    }
  }

  /** Waits until the screen shows exactly these rows. */
  async shows(...rows: readonly string[]): Promise<void> {
    const wanted = rows.join("\n");
    try {
      // Blanks at the end of a row cannot be seen.
      await this.until((screen) => screen.replaceAll(/ +$/gm, "") === wanted);
    } catch (error) {
      throw new Error(`Not shown:\n${wanted}`, { cause: error });
    }
  }

  /** Ends the terminal, and what runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs tmux with a socket of its own; returns what it printed. */
  async #tmux(...args: readonly string[]): Promise<string> {
    const socket = join(this.#folder, "tmux");
    const [command = "", ...rest] = [
      ...program("tmux", ["TERM=xterm", "LC_ALL=C.UTF-8"]),
      ...["-S", socket, "-f", "/dev/null"],
      ...args,
    ];
    await using child = new Child(command, rest);
    const { code } = await within(child.exited, `tmux ${args[0]}`);
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${child.stderr}`);
    return child.output;
  }
}
