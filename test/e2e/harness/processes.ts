/** Finds the processes of a test by a mark in their environment, which children and orphans inherit. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export const markName = "ACP_TEST_MARK";

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return ""; // It has ended meanwhile, or is somebody else's.
  }
}

function markedOnLinux(assignment: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).split("\0").includes(assignment))
    .map(Number);
}

function markedElsewhere(assignment: string): number[] {
  const lines = execFileSync("ps", ["-Eww", "-Ao", "pid,command"], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes(assignment)).map((line) => Number.parseInt(line, 10));
}

/** Processes that live with the mark; zombies, which have no environment left, are not counted. */
export function markedProcesses(mark: string): number[] {
  const assignment = `${markName}=${mark}`;
  return process.platform === "linux" ? markedOnLinux(assignment) : markedElsewhere(assignment);
}

/** Waits until no process with the mark lives; returns those that outlived the wait. */
export async function processesOutliving(mark: string, withinMs: number): Promise<number[]> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const left = markedProcesses(mark);
    if (left.length === 0 || Date.now() >= deadline) return left;
    await delay(20);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  return environmentOf(String(pid)) !== "";
}
