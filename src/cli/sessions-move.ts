/** `sessions move`: a project has moved, and its sessions with it. */
import { statSync } from "node:fs";
import { SidecarError } from "../base/errors.ts";
import { plainFolder } from "../base/folder.ts";
import type { Invocation, Io } from "./command.ts";
import { oneLine, print, printJson } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

export function moveSession(invocation: Invocation, io: Io): Promise<number> {
  const [id = "", folder = ""] = invocation.operands;
  return withSessions(invocation, io, async (registry) => {
    const before = await sessionAt(registry, id, io);
    const { cwd } = await registry.move(before.id, thereIs(folder));
    if (invocation.flags["json"]) await printJson(io, { id: before.id, from: before.cwd, to: cwd });
    else await print(io, `Moved ${before.id} from ${oneLine(before.cwd)} to ${oneLine(cwd)}\n`);
    return 0;
  });
}

/** Errors: `USAGE`. */
function thereIs(folder: string): string {
  const place = plainFolder(folder);
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() === true) return place;
  throw new SidecarError(
    "USAGE",
    `${place} is no folder; allowed: the folder to which the project has moved`,
  );
}
