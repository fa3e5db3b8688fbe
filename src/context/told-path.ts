/** Which file a tool call means: ACP says that paths are absolute, and agents send others, too. */
import path from "node:path";
import { isRecord } from "../base/json.ts";
import { pathsOf, type CallFields } from "../session/call-parts.ts";

/** Other names for the folder of a user, a disk or an address are no names below the session's folder. */
const otherForm = /^(?:~|[a-z]:[\\/]|\\\\|[a-z][a-z0-9+.-]{1,20}:\/\/)/i;

/**
 * A relative one is below the session's folder. What leads out of that on its way, though it may come back, is as it was said:
 * outside. Where a folder is a link nobody knows where `..` leads.
 */
export function toldPath(said: string, cwd: string): string {
  if (path.isAbsolute(said) || otherForm.test(said) || !path.isAbsolute(cwd)) return said;
  return leadsOut(said) ? said : path.join(cwd, said);
}

function leadsOut(said: string): boolean {
  let depth = 0;
  for (const step of said.split(/[/\\]/)) {
    if (step === "" || step === ".") continue;
    depth += step === ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  // The folder itself is no file.
  return depth === 0;
}

/** What a tool is given to work on, by the names that agents have for it. */
const inputNames = ["path", "file_path", "filePath", "absolute_path", "notebook_path"];
const kindsOfFiles: ReadonlySet<unknown> = new Set(["read", "edit", "delete", "move"]);

/** The files that a call says it is about; of one that says none, the one that its tool was given. */
export function filesOfCall(call: CallFields): readonly string[] {
  const said = pathsOf(call);
  const { kind, rawInput } = call;
  if (said.length > 0 || !kindsOfFiles.has(kind) || !isRecord(rawInput)) return said;
  const name = inputNames.find((each) => typeof rawInput[each] === "string");
  return name === undefined ? [] : [String(rawInput[name])];
}
