/**
 * Runs the whole suite: `npm test`, or `npm test -- bun lint` for the steps
 * whose names contain one of these words.
 *
 * It needs Node 20 and npm. The runtimes, and whatever else the tests need, it
 * gets itself, in the versions that `package.json` pins. The last line reads
 * `N passed, N failed`, followed by `, N skipped` where tests were left out for
 * want of a peer.
 */
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { skippedNames, withoutPasses } from "./run/counts.mjs";
import { endOnSignals } from "./run/process.mjs";
import {
  ensurePackages,
  findPeers,
  findRuntimes,
  jsrAnswers,
} from "./run/setup.mjs";
import { steps } from "./run/steps.mjs";

/** Steps under way at once: what two cores bear. */
const CONCURRENCY = 2;

const root = fileURLToPath(new URL("../", import.meta.url));
endOnSignals();

/** Prepares the machine, and what every step's environment says of it. */
async function prepare() {
  await ensurePackages(root);
  const runtimes = findRuntimes(root);
  const jsr = await jsrAnswers(runtimes.deno, root);
  console.log(`Assertions: ${jsr ? "@std/assert" : "node:assert"}`);
  const folders = Object.values(runtimes).map((path) => dirname(path));
  const env = {
    PATH: [...folders, process.env.PATH].join(delimiter),
    NO_COLOR: "1",
    DENO_NO_PROMPT: "1",
    DENO_NO_UPDATE_CHECK: "1",
    DENO_JOBS: String(CONCURRENCY),
    ...(jsr ? {} : { SOCKEYE_ASSERT: "node" }),
    // Each test file is a process of Node's, which strips the types of all modules
    // unless another has done so.
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node-compile"),
    SOCKEYE_DENO: runtimes.deno,
    SOCKEYE_BUN: runtimes.bun,
    SOCKEYE_NODE: runtimes.node,
    ...await findPeers(root),
  };
  return { root, runtimes, jsr, env };
}

/** Prints what came of a step: what it said where it failed, a line where not. */
function report(step, { counts, output }, ms) {
  const { passed, failed, skipped } = counts;
  const tally = [
    `${passed} passed`,
    `${failed} failed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  const mark = failed > 0 ? "FAILED" : "ok";
  const seconds = (ms / 1000).toFixed(1);
  console.log(`== ${step.name}: ${mark}, ${tally.join(", ")}, ${seconds} s`);
  if (failed > 0) console.log(withoutPasses(output).trimEnd());
  else for (const name of skippedNames(output)) console.log(`   ${name}`);
}

/** Runs one step; an exception out of it is a failed test. */
async function perform(step) {
  const started = Date.now();
  let result;
  try {
    result = await step.run();
  } catch (error) {
    const output = String(error?.stack ?? error);
    result = { counts: { passed: 0, failed: 1, skipped: 0 }, output };
  }
  report(step, result, Date.now() - started);
  return result.counts;
}

/** Runs all steps, a few at a time; returns the sum of their counts. */
async function performAll(queue) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const work = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const counts = await perform(step);
      for (const key of Object.keys(total)) total[key] += counts[key];
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return total;
}

async function main() {
  const words = process.argv.slice(2);
  let total = { passed: 0, failed: 1, skipped: 0 };
  try {
    const queue = steps(await prepare()).filter(({ name }) =>
      words.length === 0 || words.some((word) => name.includes(word))
    );
    total = await performAll(queue);
  } catch (error) {
    console.log(String(error?.stack ?? error));
  }
  const { passed, failed, skipped } = total;
  const tail = skipped > 0 ? `, ${skipped} skipped` : "";
  console.log(`${passed} passed, ${failed} failed${tail}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main();
