/** All cases of the groups that concern the protocol without compression. */
import type { Case } from "./case.ts";
import { closingCases } from "./closing.ts";
import { framingCases } from "./framing.ts";
import { limitCases } from "./limits.ts";
import { textCases } from "./text.ts";

/** Groups 1 to 7, quick ones that are also run over sockets. */
export const conformanceCases: readonly Case[] = [
  ...framingCases,
  ...textCases,
  ...closingCases,
];

/** Groups 1 to 7, 9 and 10. 8 is empty; 12 and 13 are in `tests/compression`. */
export const cases: readonly Case[] = [...conformanceCases, ...limitCases];

/** Number of a case without its last part: `"6.4"` for 6.4.1. */
export function subgroup({ id }: Case): string {
  return id.slice(0, id.lastIndexOf("."));
}

/** Cases by subgroup, in order. */
export function bySubgroup(all: readonly Case[]): [string, Case[]][] {
  const groups = new Map<string, Case[]>();
  for (const one of all) {
    const name = subgroup(one);
    groups.set(name, [...groups.get(name) ?? [], one]);
  }
  return [...groups];
}
