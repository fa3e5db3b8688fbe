/** The files of Codex, and what the first lines of each say of where it comes from. */
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { isSidecarError } from "../../../base/errors.ts";
import { objectIn } from "../../../base/json.ts";
import { filesBelow, startOf, type FoundFile } from "../files.ts";
import { bytesOf } from "../lines.ts";
import type { Report } from "../native.ts";
import { recordIn, textIn } from "../records.ts";
import { timeOf, titleFrom } from "../scribe.ts";

/** One thread. */
export interface Rollout {
  readonly file: FoundFile;
  readonly id: string;
  readonly startMs: number;
  /** The thread that it repeats the beginning of. */
  readonly forkOf: string | undefined;
  /** The thread that has asked it, where it is a subagent that begins with nothing but its task. */
  readonly parentId: string | undefined;
  readonly nickname: string | undefined;
}

/** `rollout-2026-03-01T10-00-00-<id>.jsonl` */
const fileForm = /^rollout-.{1,40}?-([0-9a-f]{8}-[0-9a-f-]{27})\.jsonl(?:\.zst)?$/;

export async function rolloutsBelow(place: string, report: Report): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  for (const file of filesBelow(place, { file: (name) => fileForm.test(name) }, report)) {
    const [, id] = fileForm.exec(file.name) ?? [];
    if (id !== undefined) rollouts.push(rolloutOf(file, id, await startOfRollout(file)));
  }
  return rollouts;
}

/** The bytes of one, whether it is packed or not. */
export async function piecesOf({ path, name }: FoundFile): Promise<AsyncIterable<Uint8Array>> {
  return isPacked({ name }) ? (await import("./zst.ts")).unpacked(path) : bytesOf(path);
}

export function isPacked({ name }: Pick<FoundFile, "name">): boolean {
  return name.endsWith(".zst");
}

/** What the first line says of a session may be long: instructions stand in it. */
const startBytes = 64 << 10;

async function startOfRollout(file: FoundFile): Promise<string> {
  if (!isPacked(file)) return startOf(file, startBytes);
  try {
    for await (const piece of await piecesOf(file))
      return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("utf8", 0, startBytes);
  } catch (error) {
    if (isSidecarError(error)) throw error;
    // Whoever reads all of it says what is wrong.
  }
  return "";
}

/** It may be cut off, so that names are looked for in its text; in a text within it their quotes would be escaped. */
function rolloutOf(file: FoundFile, id: string, start: string): Rollout {
  const [first = "", second = ""] = start.split("\n", 2);
  const named = (name: string) => new RegExp(`"${name}"\\s?:\\s?"([^"\\\\]{1,100})"`).exec(first)?.[1];
  const forkOf = forkedFrom(named("forked_from_id"), second, id);
  const isSubagent = /"subagent"/.test(first);
  return {
    file,
    id,
    startMs: timeOf(named("timestamp")),
    forkOf,
    parentId: isSubagent && forkOf === undefined ? named("parent_thread_id") : undefined,
    nickname: named("agent_nickname"),
  };
}

/** A fork says so; older ones only repeat what their parent's first line was, behind their own. */
function forkedFrom(told: string | undefined, second: string, id: string): string | undefined {
  const line = told === undefined ? (objectIn(second) ?? {}) : {};
  const payload = textIn(line, "type") === "session_meta" ? recordIn(line, "payload") : undefined;
  const parent = told ?? (payload && textIn(payload, "id"));
  return parent === id ? undefined : parent;
}

/** The names that threads were given, the last one of each. A session without one is named by its first words. */
export function titlesBeside(place: string): Map<string, string> {
  const titles = new Map<string, string>();
  readTitles(join(dirname(place), "session_index.jsonl"), titles);
  readTitles(join(place, "session_index.jsonl"), titles);
  return titles;
}

function readTitles(path: string, titles: Map<string, string>): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return;
  }
  for (const line of text.split("\n")) {
    // A name that cannot be read names nothing.
    const fields = objectIn(line) ?? {};
    const [id, title] = [textIn(fields, "id"), titleFrom(textIn(fields, "thread_name") ?? "")];
    if (id !== undefined && title !== undefined) titles.set(id, title);
  }
}
