/** Waiting no longer than a signal lets one. */
import { anySignal, unlessAborted } from "../../client/abort.ts";
import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  test,
} from "../harness.ts";

const NEVER = new Promise<never>(() => {});

test("what is waited for comes as it is, a rejection too", async () => {
  const { signal } = new AbortController();
  for (const until of [signal, undefined]) {
    assertStrictEquals(await unlessAborted("value", until), "value");
    assertStrictEquals(await unlessAborted(Promise.resolve(1), until), 1);
    const failed = Promise.reject(new RangeError("no"));
    await assertRejects(() => unlessAborted(failed, until), RangeError, "no");
  }
});

test("a signal that aborts ends the wait, with its reason", async () => {
  const controller = new AbortController();
  const waiting = unlessAborted(NEVER, controller.signal);
  controller.abort(new RangeError("enough"));
  await assertRejects(() => waiting, RangeError, "enough");
});

test("a signal that has aborted counts, whatever is there already", async () => {
  const signal = AbortSignal.abort(new RangeError("before"));
  for (const awaited of ["value", Promise.resolve("value"), NEVER]) {
    await assertRejects(
      () => unlessAborted(awaited, signal),
      RangeError,
      "before",
    );
  }
  // A rejection that comes too late is nobody's.
  const late = Promise.reject(new TypeError("late"));
  await assertRejects(() => unlessAborted(late, signal), RangeError, "before");
});

test("either of two signals aborts, and one alone is itself", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const both = anySignal(one.signal, other.signal)!;
  other.abort("other");
  assertEquals([both.aborted, both.reason], [true, "other"]);
  assertStrictEquals(anySignal(one.signal, undefined), one.signal);
  assertStrictEquals(anySignal(undefined, one.signal), one.signal);
  assertStrictEquals(anySignal(undefined, undefined), undefined);
});
