/** Reading a journal page by page, each page from one consistent look at the database. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { SidecarError } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
import { sealedWhileRead, sessionNotFound } from "../../refusals.ts";
import type { Entry, EntryRange } from "../../contract.ts";
import { wayOut } from "./errors.ts";
import type { Entries, Stretch } from "./entries.ts";
import type { SessionRow } from "./schema.ts";
import type { Sessions } from "./sessions.ts";

export interface JournalSource {
  readonly sessions: Sessions;
  readonly entries: Entries;
  /** Runs `work` in one read transaction, when the database can be read. */
  readonly look: <T>(work: () => T) => Promise<T>;
}

export async function* readJournal(
  { sessions, entries, look }: JournalSource,
  id: SessionId,
  range: EntryRange,
): AsyncGenerator<readonly Entry[]> {
  const [row, stretches] = await look(() => {
    const found = sessions.existing(id);
    const through = Math.min(range.through ?? Infinity, found.head_seq);
    return [found, entries.stretches(found.no, Math.max(range.from ?? 1, 1), through)] as const;
  });
  let finalSeq = row.sealed_seq;
  let read = 0;
  for (const stretch of stretches) {
    for (let from = stretch.from; from <= stretch.through; from = read + 1) {
      // Entries come as fast as the disk allows: let others have their turn between pages.
      if (read > 0) await nextTurn();
      const rest = { ...stretch, from };
      const [page, now] = await look(() => [entries.page(rest, id), sessions.find(id)] as const);
      if (now?.no !== row.no) throw sessionNotFound(id);
      if (now.sealed_seq !== finalSeq && read > finalSeq) throw sealedWhileRead(id);
      finalSeq = now.sealed_seq;
      assertWhole(page, rest, now);
      if (page.length === 0) return;
      yield page;
      read = from + page.length - 1;
    }
  }
}

/** A page begins where it should and has no gap; what a seal took away meanwhile may be missing at its end. */
function assertWhole(page: readonly Entry[], { from, through }: Stretch, row: SessionRow): void {
  const last = page.at(-1)?.seq ?? from - 1;
  if (last === from + page.length - 1 && (page.length > 0 || from > Math.min(through, row.head_seq))) return;
  const missing = page.findIndex(({ seq }, i) => seq !== from + i);
  const seq = from + Math.max(missing, 0);
  throw new SidecarError("STORE_CORRUPT", `Session ${row.id} lacks entry ${seq}; ${wayOut}`, {
    data: { sessionId: row.id, seq },
  });
}
