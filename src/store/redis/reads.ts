/** Entries read, page by page, through the journals that a fork inherits from. */
import type { SessionId } from "../../base/ids.ts";
import { entriesIn, lastOf } from "../server/blocks.ts";
import { assertEnd, assertGapless, entryMissing, readAhead } from "../reading.ts";
import { sessionNotFound } from "../refusals.ts";
import { checkReadOn } from "../rules.ts";
import type { Entry, EntryRange } from "../contract.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./keys.ts";
import { cutBlocks, inPages, pickBlocks, sizeIfShort, type Size } from "./pages.ts";
import { findKept } from "./records.ts";

/** Blocks that hold the entries `from` … `through`, and perhaps some around them. */
interface Fetched {
  readonly blocks: readonly string[];
  readonly from: number;
  readonly through: number;
}

/** Errors: as `Store.read`; `STORE_CORRUPT` when an entry is missing that the head counts. */
export async function* readEntries(
  redis: Connection,
  id: SessionId,
  { from, through }: Required<EntryRange>,
): AsyncGenerator<readonly Entry[]> {
  const sizing = from === 1 ? sizeIfShort(redis, id) : undefined;
  const [kept] = await Promise.all([findKept(redis, id), sizing]);
  if (kept === undefined) throw sessionNotFound(id);
  const { journal, baseSeq: base, chain } = kept;
  const { headSeq, sealedSeq } = kept.record;
  const own: Part = {
    id,
    journal,
    base,
    through: headSeq,
    sealedSeq,
    sizing: base === 0 ? sizing : undefined,
  };
  const range = { from, through: Math.min(through, headSeq) };
  const fetching = fetchParts(redis, id, [...chain.toReversed(), own], range);
  // Decoded when the next blocks are on their way.
  for await (const fetched of readAhead(async () => (await fetching.next()).value)) {
    yield* decoded(id, fetched);
  }
}

function* decoded(id: SessionId, { blocks, from, through }: Fetched): Generator<readonly Entry[]> {
  let next = from;
  for (const some of inPages(blocks)) {
    const entries = entriesIn(some, next, through);
    if (entries.length === 0) break;
    assertGapless(entries, id, next);
    next += entries.length;
    yield entries;
  }
  if (next <= through) throw entryMissing(id, next);
}

/** A journal that entries are read from. */
interface Part extends Link {
  /** Of the session's own journal only: what is inherited is final, whatever becomes of its session. */
  readonly sealedSeq?: number;
  /** Of the same, where it was asked already. */
  readonly sizing?: Promise<Size | undefined> | undefined;
}

async function* fetchParts(
  redis: Connection,
  id: SessionId,
  parts: readonly Part[],
  { from, through }: Required<EntryRange>,
): AsyncGenerator<Fetched, undefined> {
  for (const part of parts) {
    const range = { from: Math.max(from, part.base + 1), through: Math.min(through, part.through) };
    yield* fetchPart(redis, id, part, range);
  }
}

async function* fetchPart(
  redis: Connection,
  id: SessionId,
  part: Part,
  { from, through: last }: Required<EntryRange>,
): AsyncGenerator<Fetched, undefined> {
  let { sealedSeq, sizing } = part;
  for (let [next, block] = [from, 0]; next <= last;) {
    const place = { link: part, next, last, block };
    // Where the next block stands is known at the beginning of a journal, and once a page of it was picked.
    if (next === part.base + 1 || block > 0) sizing ??= sizeIfShort(redis, part.id);
    const size = await sizing;
    let blocks = size && (await cutBlocks(redis, place, size, sealedSeq));
    block += blocks?.length ?? 0;
    if (blocks === undefined) {
      if (size !== undefined) sizing = Promise.resolve(undefined);
      const picked = await pickBlocks(redis, place);
      if (sealedSeq !== undefined) {
        if (!picked.living) throw sessionNotFound(id);
        checkReadOn(id, { sealedSeq, given: next > from ? next - 1 : 0 }, picked.sealedSeq);
        sealedSeq = picked.sealedSeq;
      }
      [blocks, block] = [picked.blocks, picked.nextBlock];
      const reached = lastOf(blocks.at(-1) ?? "");
      if (reached < next) return assertEnd(id, next, sealedSeq === undefined ? last : picked.headSeq);
    }
    const through = Math.min(lastOf(blocks.at(-1) ?? ""), last);
    yield { blocks, from: next, through };
    next = through + 1;
  }
}
