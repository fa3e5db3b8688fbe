/**
 * A session as a conversation for people: what was said, thought and done, in order (`happenings.ts`). Read page by
 * page; of a long message no more than one entry is held.
 */
import { beginsTurn } from "../acp/entries.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, EntryRange, SessionRecord, Store } from "../store/contract.ts";
import { foldEntries } from "./fold.ts";
import type { Happening } from "./happenings.ts";
import { collect, pagesBackwards } from "./pages.ts";
import { Teller } from "./teller.ts";

/** What of a session there is to tell. */
export type Told = Pick<SessionRecord, "id" | "sealedSeq" | "headSeq">;

/** What pages of entries tell, in order. @param turn where the first of them belongs, by the `seq` of its prompt */
export async function* happeningsIn(
  pages: AsyncIterable<readonly Entry[]>,
  turn = 0,
): AsyncGenerator<Happening> {
  const teller = new Teller(turn);
  for await (const page of pages) {
    for (const entry of page) {
      const happening = teller.told(entry);
      if (happening !== undefined) yield happening;
    }
  }
}

/** Entries as they are when they are final; what a turn that runs has said so far is folded. */
export async function* foldedPages(
  store: Pick<Store, "read">,
  { id, sealedSeq, headSeq }: Told,
  { from = 1, through = headSeq }: EntryRange = {},
): AsyncGenerator<readonly Entry[]> {
  const final = Math.min(sealedSeq, through);
  if (final >= from) yield* store.read(id, { from, through: final });
  const first = Math.max(from, sealedSeq + 1);
  if (first > Math.min(headSeq, through)) return;
  // Of a turn that runs: as much as the journal lets stand unfolded.
  const running = await collect(store.read(id, { from: first, through: Math.min(headSeq, through) }));
  // Of a compaction that was begun before these it is not known here how far its summary is, as for who seals them.
  const begunBefore = first === 1 ? "none" : "any";
  yield foldEntries(running, new Set(), begunBefore).map((entry, at) => ({ ...entry, seq: first + at }));
}

/** Where the last `turns` turns of a session begin. */
export function startOfLast(
  store: Pick<Store, "read">,
  { id, headSeq }: Pick<Told, "id" | "headSeq">,
  turns: number,
): Promise<number> {
  return startOfTurn(store, id, headSeq, turns).then((start) => Math.max(1, start));
}

/** The turn that an entry belongs to, by the `seq` of its prompt; 0 before the first one. */
export function turnAt(store: Pick<Store, "read">, { id }: Pick<Told, "id">, seq: number): Promise<number> {
  return startOfTurn(store, id, seq, 1);
}

async function startOfTurn(
  store: Pick<Store, "read">,
  id: SessionId,
  through: number,
  turns: number,
): Promise<number> {
  let found = 0;
  for await (const page of pagesBackwards(store, id, through)) {
    for (const entry of page.toReversed()) {
      if (!beginsTurn(entry)) continue;
      found += 1;
      if (found === turns) return entry.seq;
    }
  }
  return 0;
}
