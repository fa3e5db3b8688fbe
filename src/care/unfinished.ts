/** Copies in the making: named after who makes them, so that the next run clears away what a kill has left of others. */
import { randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { startOf } from "../base/process.ts";

type Kind = "copy.tmp" | "rebuilt.tmp" | "partial";

/** A name beside `path` that nobody else uses. What killed processes of this machine have left there is removed. */
export function unfinishedName(path: string, kind: Kind): string {
  sweepUnfinished(path);
  return `${path}.${process.pid}-${tokenOf(process.pid)}-${randomUUID()}.${kind}`;
}

/** What killed processes of this machine have left beside `path`. Ours and those of processes that are there stay: they are at work on them. */
export function sweepUnfinished(path: string): void {
  const start = `${basename(path)}.`;
  for (const name of namesIn(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const [, pid, token] = unfinished.exec(name.slice(start.length)) ?? [];
    if (pid === undefined || tokenOf(Number(pid)) === token) continue;
    rmSync(join(dirname(path), name), { recursive: true, force: true });
  }
}

/** Behind the name of the store, also for what SQLite puts beside a database. */
const unfinished =
  /^(\d{1,10})-(\w{0,40})-[0-9a-f-]{36}\.(?:copy\.tmp|rebuilt\.tmp|partial)(?:-journal|-wal|-shm)?$/;

/** When the process started, fit for a name; undefined if it is not there. */
function tokenOf(pid: number): string | undefined {
  return startOf(pid)?.replace(/\W/g, "").slice(0, 40);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // It is not there, or not ours to read: whoever writes there says so.
    return [];
  }
}
