/**
 * Brings an index up to date: what was sealed since the last time, in the order of activity, until what is known. It may
 * end at any time, and goes on with the next one. What the store says is compared with what is known: fewer final
 * entries, another entry where one was read, other counts mean that the store was restored, and all is gone through.
 */
import type { SessionId } from "../../base/ids.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { findReadable } from "../find-readable.ts";
import { forget } from "./forks.ts";
import { Indexing } from "./indexing.ts";
import { paceOf, type Pace } from "./pace.ts";
import type { KnownSession, TextIndex } from "../../store/text-index.ts";

/** Clocks of machines that share a store differ by so much; what is later shows in counts, or when all is gone through. */
const clocksDifferMs = 10_000;
/** What no count shows is found when all sessions are gone through after so long. */
const lookAgainMs = 24 * 60 * 60 * 1000;

/** After so many the index is tidied. */
const manyMessages = 5000;

export interface CaughtUp {
  /** Messages that were indexed. */
  readonly messages: number;
  /** Sessions that could not be read, because they are damaged. */
  readonly unread: readonly SessionId[];
}

type Sessions = Pick<SessionRegistry, "list" | "count" | "read" | "find">;

interface CatchingUp {
  /** Go through all sessions, whatever is known. */
  readonly all?: boolean;
  readonly nowMs?: number;
  readonly pace?: Pace;
}

/** Errors: `STORE_…`, those of `pace`; then it goes on with the next one. */
export async function catchUp(
  registry: Sessions,
  index: TextIndex,
  { all = false, nowMs = Date.now(), pace = paceOf() }: CatchingUp = {},
): Promise<CaughtUp> {
  const indexing = new Indexing(registry, index, pace);
  const [before, open] = await Promise.all([index.state(), index.open()]);
  const isDue = all || before.newestMs === 0 || nowMs - before.lookedAtMs > lookAgainMs;
  const newestMs = isDue ? undefined : await whatIsNew(registry, open, indexing, before.newestMs);
  const sessions = indexing.hasWritten ? undefined : before.sessions;
  const counted = newestMs === undefined ? undefined : await difference(registry, index, sessions);
  if (newestMs !== undefined && counted === before.difference) {
    if (newestMs !== before.newestMs) await index.note({ newestMs });
  } else await everything(registry, index, indexing, nowMs);
  if (indexing.messages >= manyMessages) await index.tidy(pace.rest);
  return { messages: indexing.messages, unread: indexing.unread };
}

/** By how many the store has more sessions than the index. */
async function difference(registry: Sessions, index: TextIndex, known?: number): Promise<number> {
  const counted = await registry.count({ archived: "include" });
  return counted - (known ?? (await index.state()).sessions);
}

/** Last activity of the newest session; undefined where the store looks as if it was restored. */
async function whatIsNew(
  registry: Sessions,
  open: readonly KnownSession[],
  indexing: Indexing,
  knownMs: number,
): Promise<number | undefined> {
  let newestMs: number | undefined;
  for await (const page of pagesOf(registry, indexing, Math.max(1, knownMs - clocksDifferMs))) {
    newestMs ??= page[0]?.updatedAtMs;
    await indexing.add(page);
  }
  await indexing.finish();
  const still = await Promise.all(open.map(({ id }) => findReadable(registry, id)));
  await indexing.add(
    still.flatMap((record, at) => (record !== undefined && record.id === open[at]?.id ? [record] : [])),
  );
  await indexing.finish();
  // There is none where it was deleted, or the store was restored.
  return indexing.foundOlder || newestMs === undefined || newestMs < knownMs ? undefined : newestMs;
}

async function everything(
  registry: Sessions,
  index: TextIndex,
  indexing: Indexing,
  nowMs: number,
): Promise<void> {
  const gone = new Set(await index.all());
  let newestMs = 0;
  for await (const page of pagesOf(registry, indexing)) {
    newestMs = Math.max(newestMs, page[0]?.updatedAtMs ?? 0);
    for (const { id } of page) gone.delete(id);
    await indexing.add(page);
  }
  await indexing.finish();
  if (gone.size > 0) await forget(registry, index, indexing, [...gone]);
  await index.note({ newestMs, lookedAtMs: nowMs, difference: await difference(registry, index) });
}

async function* pagesOf(
  registry: Sessions,
  { unread }: Indexing,
  updatedSinceMs?: number,
): AsyncGenerator<readonly SessionRecord[]> {
  let cursor: string | undefined;
  do {
    const page = await registry.list({
      archived: "include",
      limit: 500,
      ...(updatedSinceMs !== undefined && { updatedSinceMs }),
      ...(cursor !== undefined && { cursor }),
    });
    for (const { id } of page.unreadable ?? []) if (!unread.includes(id)) unread.push(id);
    if (page.items.length > 0) yield page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
