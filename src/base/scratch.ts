/**
 * Folders among the temporary ones that are for one process. Whoever makes one removes it; what a process that was killed
 * has left there, which may be what somebody said, is removed by the next one.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { elsewhereMs, isGone, thisOwner, type Owner } from "./owner.ts";

type Kind = "import" | "open";

const form = /^acp-sidecar-(?:import|open)-(\d{1,10})-(\w{0,40})-([0-9a-f]{12})-/;

/** For its owner alone. Errors: the system's own. */
export function scratchFolder(kind: Kind): string {
  const { pid, startedAt, space } = thisOwner();
  return fs.mkdtempSync(path.join(os.tmpdir(), `acp-sidecar-${kind}-${pid}-${startedAt}-${space}-`));
}

/** What is not ours to remove stays. */
export function sweepScratch(): void {
  const [self, folder] = [thisOwner(), os.tmpdir()];
  for (const name of namesIn(folder)) {
    const [whole, pid, startedAt = "", space = ""] = form.exec(name) ?? [];
    if (whole === undefined) continue;
    try {
      const place = path.join(folder, name);
      if (isLeft({ pid: Number(pid), startedAt, space }, self, place))
        fs.rmSync(place, { recursive: true, force: true });
    } catch {
      // Somebody else's, or gone by now.
    }
  }
}

function isLeft(owner: Owner, self: Owner, place: string): boolean {
  const stat = fs.lstatSync(place);
  if (process.getuid !== undefined && stat.uid !== process.getuid()) return false;
  return isGone(owner, self) ?? Date.now() - stat.mtimeMs > elsewhereMs * 24;
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
