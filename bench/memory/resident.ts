/** Resident memory of another process, from Linux's `/proc`. */
import { readFileSync, writeFileSync } from "node:fs";

/** Bytes that `pid` holds in memory now. */
export function readResidentBytes(pid: number): number {
  return readStatus(pid, "VmRSS");
}

/** Bytes that `pid` held at most since {@linkcode resetPeak}. */
export function readPeakBytes(pid: number): number {
  return readStatus(pid, "VmHWM");
}

/** Begins a new peak (`proc(5)`, `clear_refs`). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function readStatus(pid: number, name: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
  if (match === null) throw new Error(`Cannot read ${name} of ${pid}`);
  return Number(match[1]) * 1024;
}
