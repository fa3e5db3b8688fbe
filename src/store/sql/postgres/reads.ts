/** Entries read, page by page, through the journals that a fork inherits from. */
import { SidecarError } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
import { entriesIn } from "../../server/blocks.ts";
import { assertEnd, assertGapless, readAhead } from "../../reading.ts";
import { sealedWhileRead, sessionNotFound } from "../../refusals.ts";
import type { Entry, EntryRange } from "../../contract.ts";
import type { Database } from "./database.ts";
import type { Statements } from "./statements.ts";

const pageEntries = 1000;
const pageBytes = 1 << 20;

/** A journal, and the seq up to which it inherits from the next one in the chain. */
interface Link {
  readonly journal_id: number;
  readonly base_seq: number;
  readonly head_seq: number;
  readonly sealed_seq: number;
}

/** Without a block when there is none. */
type PageTuple = readonly [headSeq: number, sealedSeq: number, block: string | null];

/** Errors: as `Store.read`; `STORE_CORRUPT` when an entry is missing that the head counts. */
export async function* readEntries(
  database: Database,
  sql: Statements,
  id: SessionId,
  range: EntryRange,
): AsyncGenerator<readonly Entry[]> {
  const chain = await database.statements((session) => session.rows<Link>(sql.chain, [id]));
  const own = chain[0];
  if (own === undefined) throw sessionNotFound(id);
  const through = Math.min(range.through ?? Infinity, own.head_seq);
  let finalSeq = own.sealed_seq;
  let [next, read] = [Math.max(range.from ?? 1, 1), 0];
  yield* readAhead(async () => {
    if (next > through) return undefined;
    const [journalId, last] = sliceOf(chain, next, through);
    const values = [id, journalId, next, last, pageBytes];
    const rows = await database.statements((session) => session.tuples<PageTuple>(sql.page, values));
    const [first] = rows;
    if (first === undefined) throw sessionNotFound(id);
    const [headSeq, sealedSeq] = first;
    if (sealedSeq !== finalSeq && read > finalSeq) throw sealedWhileRead(id);
    finalSeq = sealedSeq;
    const page = entriesIn(blocksIn(rows), next, last);
    if (page.length === 0) return assertEnd(id, next, headSeq);
    assertGapless(page, id, next);
    read = next + page.length - 1;
    next = read + 1;
    return page;
  });
}

/** The journal that holds the entry `next`, and the last entry to read from it. */
function sliceOf(chain: readonly Link[], next: number, through: number): readonly [number, number] {
  let last = Math.min(through, next + pageEntries - 1);
  for (const { journal_id, base_seq } of chain) {
    if (next > base_seq) return [journal_id, last];
    last = Math.min(last, base_seq);
  }
  throw new SidecarError("INTERNAL", `No journal begins at entry ${next}`);
}

function blocksIn(rows: readonly PageTuple[]): readonly string[] {
  return rows.flatMap(([, , block]) => (block === null ? [] : [block]));
}
