/**
 * The one place that test files take `test` and the assertions from.
 *
 * `test` is `Deno.test` on Deno, so that its leak checks apply, and `node:test`
 * elsewhere. The assertions are `@std/assert` where JSR answers, and a page of
 * the same names on `node:assert` where it does not. `tests/run.mjs` asks once,
 * and says through `SOCKEYE_ASSERT=node` that asking again is pointless.
 */
import { AssertionError, deepStrictEqual } from "node:assert";
import process from "node:process";

/** Defines a test. */
export type Test = (name: string, body: () => void | Promise<void>) => void;

interface TestRunner {
  run: Test;
  skip: (name: string) => void;
}

async function loadTest(): Promise<TestRunner> {
  const deno = (globalThis as {
    Deno?: { test: Test & { ignore: Test } };
  }).Deno;
  if (deno !== undefined) {
    return {
      run: (name, body) => deno.test(name, body),
      skip: (name) => deno.test.ignore(name, () => {}),
    };
  }
  const { test } = await import("node:test");
  return {
    run: (name, body) => void test(name, body),
    skip: (name) => void test.skip(name, () => {}),
  };
}

const runner = await loadTest();

/** Defines a test under the runtime at hand. */
export const test: Test = runner.run;

/**
 * Defines a test that needs something which not every machine has. Without it
 * the test is reported as skipped, by name and with what was missing.
 *
 * @param missing What is not there, such as `"python3-websockets"`; `undefined`
 * runs the test.
 */
export function testWhere(
  missing: string | undefined,
  name: string,
  body: () => void | Promise<void>,
): void {
  if (missing === undefined) runner.run(name, body);
  else runner.skip(`${name} (skipped: no ${missing})`);
}

/** The assertions that the tests use, by the names of `@std/assert`. */
export interface Assertions {
  assert(value: unknown, message?: string): asserts value;
  assertEquals<T>(actual: T, expected: T, message?: string): void;
  assertStrictEquals<T>(actual: unknown, expected: T, message?: string): void;
  assertStringIncludes(
    actual: string,
    expected: string,
    message?: string,
  ): void;
  assertMatch(actual: string, expected: RegExp, message?: string): void;
  assertThrows<E extends Error>(
    body: () => unknown,
    // deno-lint-ignore no-explicit-any
    type?: abstract new (...args: any[]) => E,
    includes?: string,
  ): E;
  assertRejects<E extends Error>(
    body: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any
    type?: abstract new (...args: any[]) => E,
    includes?: string,
  ): Promise<E>;
}

function fail(message: string): never {
  throw new AssertionError({ message });
}

function checkError<E extends Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any
  type: (abstract new (...args: any[]) => E) | undefined,
  includes: string | undefined,
): E {
  if (!(error instanceof Error)) fail(`Expected an Error, got ${error}`);
  if (type !== undefined && !(error instanceof type)) {
    fail(`Expected ${type.name}, got ${error.name}: ${error.message}`);
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    fail(`Expected an error with "${includes}", got "${error.message}"`);
  }
  return error as E;
}

const fallback: Assertions = {
  assert(value: unknown, message = "Expected a truthy value"): asserts value {
    if (!value) fail(message);
  },
  assertEquals(actual, expected, message) {
    deepStrictEqual(actual, expected, message);
  },
  assertStrictEquals(actual, expected, message) {
    if (!Object.is(actual, expected)) {
      fail(message ?? `Expected ${expected}, got ${actual}`);
    }
  },
  assertStringIncludes(actual, expected, message) {
    if (!actual.includes(expected)) {
      fail(message ?? `Expected "${actual}" to include "${expected}"`);
    }
  },
  assertMatch(actual, expected, message) {
    if (!expected.test(actual)) {
      fail(message ?? `Expected "${actual}" to match ${expected}`);
    }
  },
  assertThrows(body, type, includes) {
    try {
      body();
    } catch (error) {
      return checkError(error, type, includes);
    }
    return fail("Expected an exception");
  },
  async assertRejects(body, type, includes) {
    try {
      await body();
    } catch (error) {
      return checkError(error, type, includes);
    }
    return fail("Expected a rejection");
  },
};

async function loadAssertions(): Promise<[string, Assertions]> {
  if ("Deno" in globalThis && process.env.SOCKEYE_ASSERT !== "node") {
    // A literal specifier would be part of the module graph, which has to load
    // where the registry cannot be reached.
    const specifier = "@std/assert";
    try {
      return ["@std/assert", await import(specifier) as Assertions];
    } catch {
      // The registry does not answer: fall through.
    }
  }
  return ["node:assert", fallback];
}

const [source, assertions] = await loadAssertions();

/** Which library the assertions come from. */
export const assertionSource: string = source;

/** Fails unless `value` is truthy. */
export const assert: Assertions["assert"] = assertions.assert;
/** Fails unless both are equal in depth. */
export const assertEquals: Assertions["assertEquals"] = assertions.assertEquals;
/** Fails unless both are the same value. */
export const assertStrictEquals: Assertions["assertStrictEquals"] =
  assertions.assertStrictEquals;
/** Fails unless `actual` contains `expected`. */
export const assertStringIncludes: Assertions["assertStringIncludes"] =
  assertions.assertStringIncludes;
/** Fails unless `actual` matches. */
export const assertMatch: Assertions["assertMatch"] = assertions.assertMatch;
/** Fails unless `body` throws; returns the error. */
export const assertThrows: Assertions["assertThrows"] = assertions.assertThrows;
/** Fails unless `body` rejects; returns the error. */
export const assertRejects: Assertions["assertRejects"] =
  assertions.assertRejects;
