/**
 * Two ways to do the same thing, side by side in one group of `deno bench`. A
 * group is called by the part of the codec and the bytes of a payload, which is
 * what reports go by: `mask in place, 16 bytes`.
 */
import { deepStrictEqual } from "node:assert";

/** Sizes of payloads, in bytes: tiny, small, longest short, middle, a read, many. */
export const SIZES: readonly number[] = [16, 64, 125, 1024, 16_384, 262_144];

/** Two ways to the same result. */
export interface Pair<Result> {
  /** The codec's way. */
  readonly sockeye: () => Result;
  /** The plain way: the baseline. */
  readonly plain: () => Result;
  /** What of the results must be equal; the results themselves where absent. */
  readonly compared?: (result: Result) => unknown;
}

/**
 * Registers both ways. Their first results are compared before anything is
 * measured, so that neither is fast by being wrong.
 *
 * @param group What is done, and with how much.
 * @param pair The two ways.
 */
export function benchPair<Result>(group: string, pair: Pair<Result>): void {
  const { sockeye, plain, compared = (result) => result } = pair;
  deepStrictEqual(compared(sockeye()), compared(plain()), group);
  Deno.bench({ name: `sockeye ${group}`, group, fn: () => void sockeye() });
  Deno.bench({
    name: `plain ${group}`,
    group,
    baseline: true,
    fn: () => void plain(),
  });
}
