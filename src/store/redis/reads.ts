/** Entries read, page by page, through the journals that a fork inherits from. */
import type { SessionId } from "../../session-id.ts";
import { assertEnd, assertGapless, entryMissing } from "../network/gaps.ts";
import { readAhead } from "../network/read-ahead.ts";
import { sealedWhileRead, sessionNotFound } from "../refusals.ts";
import type { Entry, EntryRange } from "../store.ts";
import { entriesIn } from "../network/blocks.ts";
import type { Medium } from "./medium.ts";
import { findKept } from "./records.ts";
import type { Link } from "./schema.ts";
import { page } from "./scripts.ts";

const pageEntries = 1000;
const pageBytes = 1 << 20;

/** Errors: as `Store.read`; `STORE_CORRUPT` when an entry is missing that the head counts. */
export async function* readEntries(
  medium: Medium,
  id: SessionId,
  range: EntryRange,
): AsyncGenerator<readonly Entry[]> {
  const kept = await findKept(medium, id);
  if (kept === undefined) throw sessionNotFound(id);
  const { journal, baseSeq, chain, record } = kept;
  const links: readonly Link[] = [{ id, journal, base: baseSeq, through: Infinity }, ...chain];
  const through = Math.min(range.through ?? Infinity, record.headSeq);
  let finalSeq = record.sealedSeq;
  let [next, read, hint] = [Math.max(range.from ?? 1, 1), 0, 0];
  yield* readAhead(async () => {
    if (next > through) return undefined;
    const link = links.find(({ base }) => next > base);
    if (link === undefined) throw entryMissing(id, next);
    const page = await readPage(medium, link, next, through, hint);
    const { living, headSeq, sealedSeq, entries } = page;
    if (link.id === id) {
      if (!living) throw sessionNotFound(id);
      if (sealedSeq !== finalSeq && read > finalSeq) throw sealedWhileRead(id);
      finalSeq = sealedSeq;
    }
    if (entries.length === 0) return assertEnd(id, next, link.id === id ? headSeq : link.through);
    assertGapless(entries, id, next);
    read = next + entries.length - 1;
    [next, hint] = [read + 1, page.nextBlock];
    return entries;
  });
}

/** `hint` is the block that may begin with the entry `next`. */
async function readPage({ server, keys }: Medium, link: Link, next: number, through: number, hint: number) {
  const { id, journal } = link;
  const last = Math.min(through, link.through);
  const all = [keys.record(id), keys.entries(id), keys.kept(id, journal)];
  const args = [journal, next, last, pageEntries, pageBytes, hint];
  const reply = (await server.run(page, all, args)) as string[];
  const [state, head, sealed, nextBlock, ...blocks] = reply;
  return {
    living: state === "living",
    headSeq: Number(head),
    sealedSeq: Number(sealed),
    nextBlock: Number(nextBlock),
    entries: entriesIn(blocks, next, last),
  };
}
