/**
 * The coverage gate: each module of `codec/` is covered by its own test file,
 * all lines and all branches. What another module's tests happen to run does
 * not count.
 */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./process.mjs";

/**
 * Reads one file's record out of an LCOV report.
 *
 * @param {string} lcov
 * @param {string} file Path from the root.
 * @returns {string[] | undefined} What is not covered, or `undefined` where no
 * record is there.
 */
export function uncovered(lcov, file) {
  const record = lcov.split("end_of_record")
    .find((record) => new RegExp(`^SF:.*/${file}$`, "m").test(record));
  if (record === undefined) return undefined;
  const lines = [...record.matchAll(/^DA:(\d+),0$/gm)]
    .map((match) => `line ${match[1]}`);
  const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(?:0|-)$/gm)]
    .map((match) => `a branch at line ${match[1]}`);
  return [...lines, ...branches];
}

/** The test files of one module: `x_test.ts`, and what is in the folder `x/`. */
function testsOf(root, module) {
  const own = `tests/codec/${module}_test.ts`;
  const folder = join(root, "tests/codec", module);
  const more = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith("_test.ts"))
    : [];
  return [own, ...more.map((name) => `tests/codec/${module}/${name}`)];
}

/** Whether a module declares types only: nothing of it runs. */
function declaresTypesOnly(source) {
  return !/^(?:export )?(?:abstract |async )?(?:const|let|function|class) /m
    .test(source);
}

/** @returns {Promise<{ ok: boolean, output: string }>} */
async function gate(deno, root, env, module) {
  const file = `codec/${module}.ts`;
  if (declaresTypesOnly(readFileSync(join(root, file), "utf8"))) {
    return { ok: true, output: "" };
  }
  const tests = testsOf(root, module).filter((test) =>
    existsSync(join(root, test))
  );
  if (tests.length === 0) {
    return { ok: false, output: `${file} has no test file\n` };
  }
  const folder = mkdtempSync(join(tmpdir(), "sockeye-coverage-"));
  try {
    const options = { cwd: root, env, timeoutMs: 300_000 };
    const args = ["test", "-A", "--no-check", `--coverage=${folder}`];
    const test = await run(deno, [...args, ...tests], options);
    if (test.code !== 0) return { ok: false, output: test.output };
    const report = ["coverage", "--lcov", folder];
    const { output } = await run(deno, report, options);
    const missing = uncovered(output, file) ?? ["never loaded by its tests"];
    if (missing.length === 0) return { ok: true, output: "" };
    return { ok: false, output: `${file}: ${missing.join(", ")}\n` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs the gate for all modules of `codec/`.
 *
 * @param {string} deno @param {string} root @param {Record<string, string>} env
 */
export async function coverageGate(deno, root, env) {
  const modules = readdirSync(join(root, "codec"))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.slice(0, -3));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let output = "";
  for (const module of modules) {
    const result = await gate(deno, root, env, module);
    counts[result.ok ? "passed" : "failed"]++;
    output += result.output;
  }
  return { counts, output };
}
