/** Reads how many tests passed, failed and were skipped off a runner's summary. */

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {string} output @param {RegExp} pattern */
function lastNumber(output, pattern) {
  const all = [...output.matchAll(pattern)];
  return Number(all.at(-1)?.[1] ?? 0);
}

/**
 * `ok | 3 passed (2 steps) | 0 failed | 1 ignored (12ms)`
 *
 * @param {string} output @returns {Counts | undefined}
 */
export function denoCounts(output) {
  const line = output.split("\n")
    .findLast((line) => /^(ok|FAILED) \| /.test(line));
  if (line === undefined) return undefined;
  return {
    passed: lastNumber(line, /(\d+) passed/g),
    failed: lastNumber(line, /(\d+) failed/g),
    skipped: lastNumber(line, /(\d+) ignored/g),
  };
}

/**
 * ` 3 pass`, ` 0 fail`, ` 1 skip`, `Ran 4 tests across 2 files.`; and an error
 * between tests is counted apart.
 *
 * @param {string} output @returns {Counts | undefined}
 */
export function bunCounts(output) {
  if (!/^Ran \d+ tests? across /m.test(output)) return undefined;
  return {
    passed: lastNumber(output, /^ *(\d+) pass$/gm),
    failed: lastNumber(output, /^ *(\d+) fail$/gm) +
      lastNumber(output, /^ *(\d+) errors?$/gm),
    skipped: lastNumber(output, /^ *(\d+) skip$/gm) +
      lastNumber(output, /^ *(\d+) todo$/gm),
  };
}

/** What Node says of a file that defines no test. */
const EMPTY_FILES = /^✔ \S+_test\.ts \(/gm;

/**
 * `ℹ pass 3` and so on. Node counts a file that defines no test as one that
 * passes; here it counts as failed, since it must have lost its tests.
 *
 * @param {string} output @returns {Counts | undefined}
 */
export function nodeCounts(output) {
  if (!/^ℹ tests \d+$/m.test(output)) return undefined;
  const empty = [...output.matchAll(EMPTY_FILES)].length;
  return {
    passed: lastNumber(output, /^ℹ pass (\d+)$/gm) - empty,
    failed: lastNumber(output, /^ℹ fail (\d+)$/gm) + empty +
      lastNumber(output, /^ℹ cancelled (\d+)$/gm),
    skipped: lastNumber(output, /^ℹ skipped (\d+)$/gm) +
      lastNumber(output, /^ℹ todo (\d+)$/gm),
  };
}

/**
 * Leaves out the lines that say that a test has passed.
 *
 * @param {string} output
 */
export function withoutPasses(output) {
  return output.split("\n")
    .filter((line) =>
      line.search(EMPTY_FILES) === 0 ||
      !/^(?:\s*✔ |\(pass\) |Check file|.* \.\.\. ok \()/.test(line)
    )
    .join("\n");
}

/**
 * Names of tests that were left out for want of something.
 *
 * @param {string} output
 */
export function skippedNames(output) {
  return [...output.matchAll(/([^\n]*\(skipped: no [^)]*\))/g)]
    .map((match) => match[1].replace(/^(?:\(skip\)|\W)\s*/, ""));
}
