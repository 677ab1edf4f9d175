/**
 * The steps of the suite, in the order in which they start: the longest first, so
 * that none is left over at the end.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { bunCounts, denoCounts, nodeCounts } from "./counts.mjs";
import { coverageGate } from "./coverage.mjs";
import { run } from "./process.mjs";

/**
 * @typedef {import("./counts.mjs").Counts} Counts
 * @typedef {{ name: string, alone?: boolean, run: () => Promise<Result> }} Step
 * @typedef {{ counts: Counts, output: string }} Result
 * @typedef {{ root: string, env: Record<string, string>, jsr: boolean,
 *   runtimes: Record<"deno" | "bun" | "node", string> }} Context
 */

/**
 * How long a suite may take, and any other step: that ends what hangs, and is far
 * more than what a slow machine needs.
 */
const SUITE_MS = 600_000;
const STEP_MS = 300_000;

/** Where what a command printed ends with why it counts as failed. */
function judged({ code, output, timedOut }, counts) {
  const result = { counts: { ...counts }, output };
  const fault = timedOut
    ? "It took too long and was stopped."
    : code !== 0 && counts.failed === 0
    ? `It ended with ${code}.`
    : undefined;
  if (fault !== undefined) {
    result.counts.failed++;
    result.output += `\n${fault}\n`;
  }
  return result;
}

/** A command that as a whole is one test. @returns {Step} */
function whole(context, name, command, args, timeoutMs = STEP_MS) {
  return {
    name,
    run: async () => {
      const { root: cwd, env } = context;
      const done = await run(command, args, { cwd, env, timeoutMs });
      const passed = done.code === 0 ? 1 : 0;
      return judged(done, { passed, failed: 0, skipped: 0 });
    },
  };
}

/** A test runner, whose own summary is counted. @returns {Step} */
function suite(context, name, command, args, read) {
  return {
    name,
    run: async () => {
      const { root: cwd, env } = context;
      const done = await run(command, args, { cwd, env, timeoutMs: SUITE_MS });
      const counts = read(done.output);
      if (counts !== undefined && counts.passed + counts.failed > 0) {
        return judged(done, counts);
      }
      const why = counts === undefined ? "printed no summary" : "ran no test";
      const failed = { passed: 0, failed: 1, skipped: counts?.skipped ?? 0 };
      return judged(
        { ...done, output: `${done.output}\nIt ${why}.\n` },
        failed,
      );
    },
  };
}

function* typeScriptFiles(root, folder = "") {
  for (
    const entry of readdirSync(join(root, folder), { withFileTypes: true })
  ) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    const path = folder + entry.name;
    if (entry.isDirectory()) yield* typeScriptFiles(root, `${path}/`);
    else if (path.endsWith(".ts")) yield path;
  }
}

/** Type-checks all files; those that need JSR only where it answers. */
function typeCheck(context) {
  const { root, jsr, runtimes } = context;
  const files = [...typeScriptFiles(root)];
  const needsJsr = (file) =>
    /^(?:import|export|\} from)\b.*["'](?:jsr:|@std\/)/m.test(
      readFileSync(join(root, file), "utf8"),
    );
  const skipped = jsr ? [] : files.filter(needsJsr);
  const checked = files.filter((file) => !skipped.includes(file));
  const step = whole(context, "deno check", runtimes.deno, [
    "check",
    ...checked,
  ]);
  return {
    ...step,
    run: async () => {
      const { counts, output } = await step.run();
      const names = skipped.map((file) =>
        `${file} (skipped: JSR does not answer)\n`
      );
      return {
        counts: { ...counts, skipped: skipped.length },
        output: output + names.join(""),
      };
    },
  };
}

/** @param {Context} context @returns {Step[]} */
function staticSteps(context) {
  const { root, runtimes: { deno } } = context;
  const manifest = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  const doors = Object.values(manifest.exports);
  return [
    whole(context, "deno fmt", deno, ["fmt", "--check"]),
    whole(context, "deno lint", deno, ["lint"]),
    typeCheck(context),
    whole(context, "deno check of the docs", deno, [
      "check",
      "--doc-only",
      "README.md",
      ...readdirSync(join(root, "docs"))
        .filter((name) => name.endsWith(".md"))
        .map((name) => `docs/${name}`),
    ]),
    whole(context, "deno doc --lint", deno, ["doc", "--lint", ...doors]),
    whole(context, "deno publish --dry-run", deno, [
      "publish",
      "--dry-run",
      "--allow-dirty",
    ]),
    {
      name: "coverage of codec",
      run: () => coverageGate(deno, root, context.env),
    },
    // Not by `deno task`: it takes the `deno` of `node_modules` for a script.
    suite(
      context,
      "doc examples",
      deno,
      manifest.tasks["test:doc"].split(" ").slice(1),
      denoCounts,
    ),
  ];
}

/** @param {Context} context @returns {Step[]} */
function suites(context) {
  const { deno, bun, node } = context.runtimes;
  return [
    suite(
      context,
      "bun test",
      bun,
      ["test", "--parallel=2", "--timeout", "120000", "./tests"],
      bunCounts,
    ),
    suite(
      context,
      "node --test",
      node,
      [
        "--test",
        "--test-reporter=spec",
        "--test-concurrency=2",
        "--test-timeout=120000",
        "tests/**/*_test.ts",
      ],
      nodeCounts,
    ),
    suite(
      context,
      "deno test",
      deno,
      ["test", "-A", "--no-check", "--parallel", "tests"],
      denoCounts,
    ),
  ];
}

/** Benches that know `--smoke`: every row for a moment, to see that it works. */
const BENCHES = [
  "run.ts",
  "client.ts",
  "connects.ts",
  "broadcast.ts",
  "frozen.ts",
  "compression.ts",
  "http.ts",
  ...(process.platform === "linux" ? ["memory.ts"] : []),
];

/** @param {Context} context @returns {Step[]} */
function benchSmokes(context) {
  const { deno, node } = context.runtimes;
  return [
    ...BENCHES.map((name) =>
      whole(context, `bench smoke: ${name}`, node, [
        `bench/${name}`,
        "--smoke",
      ])
    ),
    // Loads all, and with that compares what each pair returns; runs one pair.
    whole(context, "bench smoke: codec", deno, [
      "bench",
      "--no-check",
      "--filter=digest",
      "bench/codec",
    ]),
  ];
}

/** @param {Context} context @returns {Step[]} */
export function steps(context) {
  return [
    ...suites(context),
    ...staticSteps(context),
    ...benchSmokes(context),
  ];
}
