/** Lists and counts: sessions by last activity. */
import type { SessionId } from "../../base/ids.ts";
import { decodeCursor, encodeCursor, matches, pageOf, pageSize, type ListPlace } from "../query.ts";
import { termsOf } from "../server/terms.ts";
import type { Page, SessionFilter, SessionQuery, SessionRecord } from "../contract.ts";
import { abandoned, correct } from "./activity-scripts.ts";
import { joinedIn } from "./joined.ts";
import { repair } from "./lineage.ts";
import type { Medium } from "./medium.ts";
import { findKept, findRecords } from "./records.ts";
import { placesIn, sliceBehind, type Slice } from "./slices.ts";
import { addTerms, candidates, dropAllTerms, type Candidates } from "./terms.ts";

/** Records fetched at once when a filter may pass over most of them. */
const batchSize = 250;
/** No change of a session is under way for so long; one that seems to be was abandoned. */
const abandonedAfterMs = 60_000;

/** Errors: `INVALID_CURSOR`. */
export async function listSessions(medium: Medium, query: SessionQuery): Promise<Page<SessionRecord>> {
  const limit = pageSize(query.limit);
  const start = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const [set] = isPlain(query)
    ? []
    : await Promise.all([candidates(medium, query, limit + 1), repairAbandoned(medium)]);
  if (set !== undefined) return pageOf(await matching(medium, set, query), query);
  const found: Found[] = [];
  for await (const some of scan(medium, query, start, isPlain(query) ? limit + 1 : batchSize)) {
    found.push(...some);
    if (found.length > limit) break;
  }
  const taken = found.slice(0, limit);
  await raise(medium, taken);
  const items = taken.map(({ record }) => record);
  const last = taken.at(-1);
  return found.length > limit && last !== undefined
    ? { items, nextCursor: encodeCursor(last.place) }
    : { items };
}

export async function countSessions(medium: Medium, filter: SessionFilter): Promise<number> {
  const { server, keys } = medium;
  await repairAbandoned(medium);
  if (medium.retention !== "") await dropExpired(medium);
  const { updatedBeforeMs, updatedSinceMs } = filter;
  if (isPlain(filter)) {
    const max = updatedBeforeMs === undefined ? "+inf" : `(${updatedBeforeMs}`;
    return Number(await server.command("zcount", keys.activity, updatedSinceMs ?? "-inf", max));
  }
  const set = await candidates(medium, filter, Infinity);
  if (set !== undefined) return (await matching(medium, set, filter)).length;
  let count = 0;
  for await (const found of scan(medium, filter, undefined, batchSize)) count += found.length;
  return count;
}

/** What is left of changes whose makers have died. Returns whether there was anything. */
async function repairAbandoned(medium: Medium): Promise<boolean> {
  const { server, keys } = medium;
  const intents = (await server.run(abandoned, [keys.intents], [abandonedAfterMs])) as string[];
  for (const intent of intents) await repair(medium, intent);
  return intents.length > 0;
}

interface Found {
  readonly record: SessionRecord;
  /** Where it stands in the list. */
  readonly place: ListPlace;
}

async function matching(
  medium: Medium,
  { key, size }: Candidates,
  filter: SessionFilter,
): Promise<readonly SessionRecord[]> {
  const { server, gets } = medium;
  const isMatch = (record: SessionRecord | undefined): record is SessionRecord =>
    record !== undefined && matches(record, filter);
  if (gets !== undefined && size <= batchSize) {
    const reply = (await server.command("sort_ro", key, "BY", "nosort", ...gets)) as (string | null)[];
    return joinedIn(reply).filter(isMatch);
  }
  const ids = (await server.command("smembers", key)) as SessionId[];
  const found: SessionRecord[] = [];
  for (let at = 0; at < ids.length; at += batchSize) {
    const records = await findRecords(medium, ids.slice(at, at + batchSize));
    for (const record of records) if (isMatch(record)) found.push(record);
  }
  return found;
}

/** Whether the list alone decides what matches. */
function isPlain({ cwd, metadata, agentSessionId, parentId }: SessionFilter): boolean {
  return [cwd, metadata, agentSessionId, parentId].every((each) => each === undefined);
}

/**
 * Sessions that match, in list order, from behind a place on, some at a time; first of all, what was abandoned
 * is repaired.
 */
export async function* scan(
  medium: Medium,
  filter: SessionFilter,
  start: ListPlace | undefined,
  batch: number,
): AsyncGenerator<readonly Found[]> {
  const from = (behind: ListPlace | undefined) => sliceBehind(medium, filter, behind, batch);
  // Looked at first, for seldom is anything under way.
  const asFound = await from(start);
  const hasChanged = asFound.changing > 0 && (await repairAbandoned(medium));
  for (let slice = hasChanged ? await from(start) : asFound; ;) {
    yield await standing(medium, filter, slice);
    const last = slice.places.at(-1);
    if (last === undefined || slice.places.length < batch) return;
    if (last.updatedAtMs < (filter.updatedSinceMs ?? -Infinity)) return;
    slice = await from(last);
  }
}

/** Those whose sessions match; the places of sessions that are gone or stand too high are corrected. */
async function standing(
  medium: Medium,
  filter: SessionFilter,
  { places, records }: Slice,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const [at, place] of places.entries()) {
    const record = records[at];
    // One that stands too high will come again, where it belongs.
    if (record === undefined || place.updatedAtMs > record.updatedAtMs)
      await correctPlace(medium, place, record);
    else if (matches(record, filter)) found.push({ record, place });
  }
  return found;
}

/** Corrects the places of those that stood too low. Only once they are taken: in front of us nobody would see them. */
async function raise(medium: Medium, taken: readonly Found[]): Promise<void> {
  for (const { record, place } of taken) {
    if (place.updatedAtMs < record.updatedAtMs) await correctPlace(medium, place, record);
  }
}

/** The list was behind the record: a crash came between the two, or the server let the session expire. */
async function correctPlace(
  medium: Medium,
  place: ListPlace,
  record: SessionRecord | undefined,
): Promise<void> {
  const { server, keys } = medium;
  const { id, updatedAtMs } = place;
  await server.run(correct, [keys.activity], [id, updatedAtMs, record?.updatedAtMs ?? ""]);
  if (record !== undefined) return;
  // It may have been made anew and listed in between.
  await dropAllTerms(medium, id);
  const again = await findKept(medium, id);
  if (again === undefined) return;
  await addTerms(medium, id, termsOf(again.record));
  await server.command("zadd", keys.activity, again.record.updatedAtMs, id);
}

/** Sessions that the server let expire are mostly those that were idle longest: the list's other end. */
async function dropExpired(medium: Medium): Promise<void> {
  const { server, keys } = medium;
  let from = "-inf";
  for (;;) {
    const range = [keys.activity, from, "+inf", "WITHSCORES", "LIMIT", 0, batchSize];
    const places = placesIn((await server.command("zrangebyscore", ...range)) as string[]);
    const ids = places.map(({ id }) => id);
    const records = await findRecords(medium, ids);
    const gone = places.filter((_, at) => records[at] === undefined);
    for (const place of gone) await correctPlace(medium, place, undefined);
    if (places.length < batchSize) return;
    const staying = places.find((_, at) => records[at] !== undefined);
    // Those of one instant alone, of which there may be many, say nothing of what is behind them.
    if (gone.length === 0 && places[0]?.updatedAtMs !== places.at(-1)?.updatedAtMs) return;
    if (staying !== undefined) from = `(${staying.updatedAtMs}`;
  }
}
