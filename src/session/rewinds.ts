/**
 * What of a session counts. A rewind says that from there on the conversation is what it was when an earlier entry was
 * its last one: what stands between is superseded, and kept. A rewind to a place that is superseded itself brings
 * back what counted there, and so undoes the one that superseded it.
 */
import { meaningOf } from "../acp/entries.ts";
import type { Entry, EntryRange, Rewind, SessionRecord, Store } from "../store/contract.ts";
import { collect } from "./pages.ts";
import { countingIn, type Stretch } from "./stretches.ts";

export { countingIn, isSuperseded, type Stretch } from "./stretches.ts";

type Reads = Pick<Store, "read">;
type Told = Pick<SessionRecord, "id" | "headSeq" | "settings">;

/**
 * The stretches of a session that do not count, in order, as seen when `headSeq` was its last entry. None in a session
 * that was never rewound. Errors: `SESSION_NOT_FOUND`, `STORE_…`.
 */
export async function supersededOf(
  store: Reads,
  record: Told,
  headSeq = record.headSeq,
): Promise<readonly Stretch[]> {
  const superseded: Stretch[] = [];
  for (const { at, toSeq } of await countingRewinds(store, record, headSeq)) {
    superseded.push({ from: toSeq + 1, through: at });
  }
  return superseded.reverse();
}

/** The rewinds by which the conversation at `headSeq` came to be, the last one first. */
export async function countingRewinds(
  store: Reads,
  { id, settings }: Told,
  headSeq: number,
): Promise<readonly Rewind[]> {
  const counting: Rewind[] = [];
  let before = headSeq;
  for (const rewind of [...(settings.rewinds ?? [])].sort((a, b) => b.at - a.at)) {
    if (rewind.at > before || !(await isThere(store, id, rewind))) continue;
    counting.push(rewind);
    before = rewind.toSeq;
  }
  return counting;
}

/** The record is written first: a crash before the entry leaves a rewind that was never made. */
async function isThere(store: Reads, id: Told["id"], { at, toSeq }: Rewind): Promise<boolean> {
  if (!(toSeq >= 0 && toSeq < at)) return false;
  const [entry] = await collect(store.read(id, { from: at, through: at }));
  return entry !== undefined && rewindIn(entry) === toSeq;
}

/** Where a rewind goes back to; undefined for every other entry. */
export function rewindIn(entry: Pick<Entry, "kind" | "data">): number | undefined {
  if (entry.kind !== "rewind") return undefined;
  const meaning = meaningOf(entry);
  return meaning.type === "rewind" ? meaning.toSeq : undefined;
}

/** Entries of a range as `Store.read` gives them, without those that do not count. */
export async function* readCounting(
  store: Reads,
  record: Told,
  { from = 1, through = record.headSeq }: EntryRange = {},
): AsyncGenerator<readonly Entry[]> {
  for (const stretch of countingIn(await supersededOf(store, record), { from, through }))
    yield* store.read(record.id, stretch);
}

/** What a fork has of its parent's rewinds. */
export function inheritedRewinds({ settings }: Pick<SessionRecord, "settings">, atSeq: number): Rewind[] {
  return (settings.rewinds ?? []).filter(({ at }) => at <= atSeq);
}
