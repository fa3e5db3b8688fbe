/** Telling a process from a later one that got the same number. */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { systemCodeOf } from "./errors.ts";

/** A process by its number and an opaque token of its start. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** When the process started, as a token to be compared for equality; undefined if it is not there. */
export function startOf(pid: number): string | undefined {
  if (!isThere(pid)) return undefined;
  return process.platform === "linux" ? startFromProc(pid) : startFromPs(pid);
}

export function identityOf(pid: number): ProcessIdentity | undefined {
  const startedAt = startOf(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isSameProcessAlive(identity: ProcessIdentity): boolean {
  const startedAt = startOf(identity.pid);
  if (startedAt === undefined) return false;
  // A platform that cannot tell starts apart gives "": then the number alone decides.
  return startedAt === identity.startedAt || startedAt === "" || identity.startedAt === "";
}

/** Whether its process group is its own, as every agent's is. */
export function leadsGroup(pid: number): boolean {
  if (process.platform === "linux") return statOf(pid)[2] === String(pid);
  return process.platform !== "win32" && askPs(pid, "pgid=") === String(pid);
}

/** Where a process number means the same process: host name, boot and process namespace. */
export function processSpace(): string {
  if (process.platform !== "linux") return hostname();
  // While a process lives only the name can change.
  bootAndNamespace ??= `${readOr("/proc/sys/kernel/random/boot_id")}/${linkOr("/proc/self/ns/pid")}`;
  return `${hostname()}/${bootAndNamespace}`;
}

let bootAndNamespace: string | undefined;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return systemCodeOf(error) === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat: start in clock ticks since boot; a zombie counts as gone (proc(5)). */
function startFromProc(pid: number): string | undefined {
  const [state = "", ...others] = statOf(pid);
  return state === "" || state === "Z" || state === "X" ? undefined : (others[18] ?? "");
}

/** The fields from the third on: those after the name, which may hold anything. */
function statOf(pid: number): string[] {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function startFromPs(pid: number): string | undefined {
  return process.platform === "win32" ? "" : askPs(pid, "lstart=");
}

function askPs(pid: number, what: string): string | undefined {
  try {
    return execFileSync("ps", ["-o", what, "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
