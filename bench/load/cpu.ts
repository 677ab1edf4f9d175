/** The processor time of another process, from Linux's `/proc`. */
import { readFileSync } from "node:fs";

/** `/proc` counts in hundredths of a second on every Linux in use. */
const TICKS_PER_SECOND = 100;

/** Seconds that all threads of `pid` have run; `undefined` where not told. */
export function readCpuSeconds(pid: number): number | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name, in parentheses, may hold spaces; state is the first field after.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
