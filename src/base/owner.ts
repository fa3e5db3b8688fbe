/** Whose a file is that waits on disk: the process that is to do something about it, as it stands in names. */
import { createHash } from "node:crypto";
import { isSameProcessAlive, processSpace, startOf } from "./process.ts";

/** Processes of other machines and containers cannot be asked whether they live: so long their files are theirs. */
export const elsewhereMs = 3_600_000;
/** What nobody took in a day is of no use any more. */
export const uselessMs = 86_400_000;

export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  /** Where the number means a process. */
  readonly space: string;
}

export function thisOwner(): Owner {
  return {
    pid: process.pid,
    startedAt: tokenOf(process.pid) ?? "",
    space: createHash("sha256").update(processSpace()).digest("hex").slice(0, 12),
  };
}

/** Undefined for one of another machine or container, who cannot be asked. */
export function isGone({ pid, startedAt, space }: Owner, self: Owner): boolean | undefined {
  if (space !== self.space) return undefined;
  return tokenOf(pid) !== startedAt && !(startedAt === "" && isSameProcessAlive({ pid, startedAt }));
}

/** When the process started, fit for a name; undefined if it is not there. */
function tokenOf(pid: number): string | undefined {
  return startOf(pid)?.replace(/\W/g, "").slice(0, 40);
}
