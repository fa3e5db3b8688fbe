/** What is told of entries and records that were written. */
import type { SessionId } from "../base/ids.ts";
import type { Entry, NewEntry, SessionPatch, SessionRecord } from "../store/contract.ts";
import type { Tell } from "./events.ts";

/** @param head `seq` of the last of them */
export function tellAppend(tell: Tell, id: SessionId, entries: readonly NewEntry[], head: number): void {
  tell("append", () => ({ id, entries: numbered(entries, head) }));
  tellEnds(tell, id, entries, head);
}

/** @param sealed the entries that are new, or in the place of others, up to the head; and what was added as `last` */
export function tellSeal(
  tell: Tell,
  id: SessionId,
  { entries, last }: { readonly entries: readonly NewEntry[]; readonly last: readonly NewEntry[] },
  head: number,
): void {
  const from = head - entries.length + 1;
  tell("seal", () => ({ id, from, entries: numbered(entries, head), sealedSeq: head }));
  tellEnds(tell, id, last, head);
}

export function tellUpdate(tell: Tell, record: SessionRecord, { settings }: SessionPatch): void {
  tell("update", () => ({ record }));
  if (settings !== undefined) tell("settings", () => ({ id: record.id, settings: record.settings }));
}

function tellEnds(tell: Tell, id: SessionId, entries: readonly NewEntry[], head: number): void {
  for (const [at, { kind }] of entries.entries()) {
    if (kind !== "end") continue;
    tell("turnEnd", () => ({ id, entry: numbered(entries, head)[at] as Entry }));
  }
}

/** Entries as they stand in the journal: shared by all subscribers, so nobody may change them. */
function numbered(entries: readonly NewEntry[], head: number): readonly Entry[] {
  const before = head - entries.length;
  return Object.freeze(entries.map((entry, at) => Object.freeze({ seq: before + 1 + at, ...entry })));
}
