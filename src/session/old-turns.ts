/** Which part of a session is old: what stands before its newest turns. */
import { SidecarError } from "../base/errors.ts";
import { beginsTurn } from "../acp/entries.ts";
import { means, updateKindOf } from "../acp/kinds.ts";
import type { Entry, SessionRecord, Store } from "../store/contract.ts";
import { pagesBackwards } from "./pages.ts";
import { supersededOf } from "./rewinds.ts";

/** So many turns are new. */
export const newestTurns = 5;

type Known = Pick<SessionRecord, "id" | "headSeq" | "settings">;

/**
 * The first entry that is not old. @param wanted the same, where somebody says so: the newest turn is never old. Errors:
 * `INVALID_PARAMS`.
 */
export async function endOfOld(
  store: Pick<Store, "read">,
  record: Known,
  wanted: number | undefined,
): Promise<number> {
  const { id: sessionId, headSeq } = record;
  const refused = (what: string) =>
    new SidecarError("INVALID_PARAMS", `Session ${sessionId} ${what}`, { data: { sessionId } });
  if (wanted === undefined) return startOfNewest(store, record, newestTurns);
  if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > headSeq)
    throw refused(`has entries 1 to ${headSeq}: there is no entry ${wanted}`);
  const newest = await startOfNewest(store, record, 1);
  if (wanted <= newest) return wanted;
  throw refused(`keeps its newest turn whole, which begins at entry ${newest}: name that or one before`);
}

/** Where the newest turns begin that count; 1 where there are no more. */
async function startOfNewest(store: Pick<Store, "read">, record: Known, turns: number): Promise<number> {
  const starts = new TurnStarts();
  const superseded = await supersededOf(store, record);
  for await (const page of pagesBackwards(store, record.id, record.headSeq, superseded))
    for (const entry of page.toReversed()) {
      starts.take(entry);
      if (starts.count === turns) return starts.first;
    }
  return 1;
}

/** Finds where turns begin, entries coming backwards. An agent's own history may have the user's words as updates only. */
class TurnStarts {
  count = 0;
  first = 0;
  /** Words of the user's as an agent told them: a turn begins there, unless they echo a prompt. */
  #told: number | undefined;

  take(entry: Entry): void {
    const kind = entry.kind === "update" ? updateKindOf(entry.data) : "";
    if (kind === "user_message_chunk") this.#told = entry.seq;
    else if (beginsTurn(entry)) this.#found(entry.seq);
    else if (this.#told !== undefined && !means(kind, "state")) this.#found(this.#told);
  }

  #found(seq: number): void {
    this.count += 1;
    this.first = seq;
    this.#told = undefined;
  }
}
