/** Child processes whose whole output is kept, and that never outlive their time. */
import { spawn } from "node:child_process";
import process from "node:process";

/** Process groups that are still alive, so that Ctrl-C ends them too. */
const groups = new Set();

/**
 * Ends this process, and all commands under way, on Ctrl-C. Not by itself: tests of
 * this module share their process with others, some of which are about signals.
 */
export function endOnSignals() {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      for (const pid of groups) killGroup(pid);
      process.exit(130);
    });
  }
}

/** @param {number} pid */
function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group has ended already.
  }
}

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, timeoutMs?: number }} [options]
 * @returns {Promise<{ code: number, output: string, timedOut: boolean, ms: number }>}
 * `code` is -1 where the command could not be started or was killed.
 */
export function run(command, args, options = {}) {
  const { env = {}, cwd, timeoutMs = 300_000 } = options;
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, timeoutMs);
    const finish = (code) => {
      clearTimeout(timer);
      // Whatever it has started must not outlive it.
      if (child.pid !== undefined) {
        killGroup(child.pid);
        groups.delete(child.pid);
      }
      const output = Buffer.concat(chunks).toString();
      resolve({ code: code ?? -1, output, timedOut, ms: Date.now() - started });
    };
    if (child.pid !== undefined) groups.add(child.pid);
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => {
      chunks.push(Buffer.from(`${error}\n`));
      finish(-1);
    });
    // Not "close": a stray grandchild may hold the pipes open for ever.
    child.on("exit", (code) => setTimeout(() => finish(code), 50));
  });
}
