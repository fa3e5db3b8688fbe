/** Which files have moved on since, for who looks at a session in passing: without git, and without reading far back. */
import type { SessionRecord } from "../store/contract.ts";
import { Bounds } from "./bounds.ts";
import { knownAt, type Journals } from "./known-at.ts";
import { withRenames } from "./renames.ts";
import { isMoved, seenNow, type FileSince } from "./since.ts";
import { rootsOf, takeSnapshot } from "./taking.ts";

/** The newest snapshot is looked for in so many entries. */
const mostEntries = 500;

export async function movedOn(
  journals: Journals,
  record: Pick<SessionRecord, "id" | "headSeq" | "cwd" | "additionalDirectories">,
): Promise<readonly FileSince[]> {
  const known = await knownAt(journals, record, record.headSeq, mostEntries);
  const { files } = await takeSnapshot(known, record, { timeMs: 500, what: "files" });
  if (files.size === 0) return [];
  const bounds = await Bounds.of(rootsOf(record));
  const seen = await withRenames(files, await seenNow(files, bounds), [], bounds);
  return [...seen.values()].flatMap(({ since }) => (isMoved(since) ? [since] : []));
}
