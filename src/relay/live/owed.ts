/** The end of a turn that the store did not take: it goes before whatever comes next, unless it turns out to be there. */
import type { Journal } from "../../session/journal.ts";
import type { Doubt } from "../../session/journal-writes.ts";
import type { NewEntry } from "../../store/contract.ts";

export interface OwedEnd {
  readonly entry: NewEntry;
  /** Of the write that was to bring it; undefined where none has begun. */
  readonly doubt: Doubt | undefined;
}

interface Owing {
  readonly journal: Pick<Journal, "append" | "writes">;
  owedEnd: OwedEnd | undefined;
}

/** What goes before `entries`, in the same write. Errors: `STORE_…`. */
export async function appendWithOwed(live: Owing, entries: readonly NewEntry[]): Promise<void> {
  const { journal } = live;
  if (live.owedEnd?.doubt !== undefined) await journal.writes.endDoubt();
  if (live.owedEnd?.doubt?.wasDone === true) live.owedEnd = undefined;
  const { owedEnd } = live;
  const before = journal.writes.doubt;
  try {
    await journal.append(owedEnd === undefined ? entries : [owedEnd.entry, ...entries]);
    live.owedEnd = undefined;
  } catch (error) {
    // Where only a flush has failed, it is there.
    const isThere = !journal.writes.isDoubtful;
    live.owedEnd = owedEnd === undefined || isThere ? undefined : owed(journal, owedEnd.entry, before);
    throw error;
  }
}

/** @param before what was in doubt before it was written: the write had not begun where that still is */
export function owed(
  { writes: { doubt } }: Pick<Journal, "writes">,
  entry: NewEntry,
  before: Doubt | undefined,
): OwedEnd {
  return { entry, doubt: doubt === before ? undefined : doubt };
}
