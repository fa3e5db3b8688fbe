/** How what is known of a session's project gets into its journal: as an entry that is no part of the conversation. */
import type { NewEntry, SessionRecord } from "../store/contract.ts";
import { holdUnused } from "./brief-hold.ts";
import type { OpenedJournal, Taking } from "./journal.ts";

/** Gives the data of the entry; undefined where nothing is to be said. The record is as it is while nobody else writes. */
export type MakeContext = (record: SessionRecord) => Promise<string | undefined>;

export function contextEntry(data: string): NewEntry {
  return { kind: "context", atMs: Date.now(), data };
}

/** Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `STORE_…`, and those of `make`. */
export function sealContext(
  make: MakeContext,
  open: (taking: Taking) => Promise<OpenedJournal>,
): Promise<void> {
  return holdUnused(async ({ journal, record }) => {
    const data = await make({ ...record, headSeq: journal.headSeq, sealedSeq: journal.sealedSeq });
    if (data === undefined) return;
    await journal.seal([contextEntry(data)]);
    await journal.settle();
  }, open);
}
