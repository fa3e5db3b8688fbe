/** A teller that begins in the middle of a session and knows what it needs of the turn: who is speaking there, what was asked. */
import { beginsTurn } from "../../acp/entries.ts";
import { pagesBackwards } from "../../session/pages.ts";
import type { Stretch } from "../../session/rewinds.ts";
import { Teller } from "../../session/teller.ts";
import type { Entry, SessionRecord, Store } from "../../store/contract.ts";

/** A turn that began longer ago is told without its beginning: nobody waits for all of it. */
const mostEntries = 1000;

/** What stands before `seq` and counts. Of a part that is final, only what was asked is needed: the rest stands whole where it is. */
export async function tellerAt(
  store: Pick<Store, "read">,
  { id, sealedSeq }: Pick<SessionRecord, "id" | "sealedSeq">,
  seq: number,
  superseded: readonly Stretch[],
): Promise<Teller> {
  const context: Entry[] = [];
  let looked = 0;
  for await (const page of pagesBackwards(store, id, seq - 1, superseded)) {
    const start = page.findLastIndex(beginsTurn);
    const turn = page.slice(Math.max(0, start));
    context.unshift(...turn.filter((entry) => isContext(entry, sealedSeq)));
    looked += page.length;
    if (start >= 0 || looked >= mostEntries) break;
  }
  const teller = new Teller();
  for (const entry of context) teller.told(entry);
  return teller;
}

/** Of what is final: who asked for what, and which subagents there are. To look is cheaper than to parse. */
function isContext(entry: Entry, sealedSeq: number): boolean {
  const { seq, kind, data } = entry;
  if (seq > sealedSeq || kind === "request" || kind === "response" || beginsTurn(entry)) return true;
  return kind === "update" && (data.includes('"subagent_update"') || data.includes('"session"'));
}
