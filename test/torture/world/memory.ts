/** How much memory a process holds now. */
import { readFileSync } from "node:fs";

/** Resident memory, in bytes. */
export function residentBytes(pid: number): number {
  const kib = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib ?? 0) * 1024;
}
