/** Lists, counts and figures: sessions by last activity. */
import type { SessionId } from "../../base/ids.ts";
import { decodeCursor, encodeCursor, matches, pageOf, pageSize, type ListPlace } from "../query.ts";
import { termsOf } from "../server/terms.ts";
import type { Page, SessionFilter, SessionQuery, SessionRecord, StoreStats } from "../contract.ts";
import type { Command, Connection } from "./connection.ts";
import { repair } from "./lineage.ts";
import { batchSize, findRecord, findRecords } from "./records.ts";
import abandoned from "./scripts/abandoned.lua";
import correct from "./scripts/correct.lua";
import { joinedRecords, placesIn, sliceBehind, type Slice } from "./slices.ts";
import { hasIdPart, namedSo } from "./named.ts";
import { addTerms, candidates, dropAllTerms, type Candidates } from "./terms.ts";

/** No change of a session is under way for so long; one that seems to be was abandoned. */
const abandonedAfterMs = 60_000;

/** Errors: `INVALID_CURSOR`. */
export async function listSessions(redis: Connection, query: SessionQuery): Promise<Page<SessionRecord>> {
  const limit = pageSize(query.limit);
  const start = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  if (hasIdPart(query)) {
    await repairAbandoned(redis);
    return pageOf(await namedSo(redis, query, limit + 1, start), query);
  }
  const [set] = isPlain(query)
    ? []
    : await Promise.all([candidates(redis, query, limit + 1), repairAbandoned(redis)]);
  if (set !== undefined) return pageOf(await matching(redis, set, query), query);
  const found: Found[] = [];
  for await (const some of scan(redis, query, start, isPlain(query) ? limit + 1 : batchSize)) {
    found.push(...some);
    if (found.length > limit) break;
  }
  const taken = found.slice(0, limit);
  // Only once they are taken: in front of us nobody would see them.
  for (const { place, record } of taken) {
    if (place.updatedAtMs < record.updatedAtMs) await correctPlace(redis, place, record);
  }
  const items = taken.map(({ record }) => record);
  const last = taken.at(-1);
  return found.length > limit && last !== undefined
    ? { items, nextCursor: encodeCursor(last.place) }
    : { items };
}

export async function countSessions(redis: Connection, filter: SessionFilter): Promise<number> {
  await repairAbandoned(redis);
  if (redis.retention !== "") await dropExpired(redis);
  const { updatedBeforeMs, updatedSinceMs } = filter;
  if (isPlain(filter)) {
    const max = updatedBeforeMs === undefined ? "+inf" : `(${updatedBeforeMs}`;
    return Number(await redis.command("zcount", [redis.keys.activity, updatedSinceMs ?? "-inf", max]));
  }
  if (hasIdPart(filter)) return (await namedSo(redis, filter, Infinity)).length;
  const set = await candidates(redis, filter, Infinity);
  if (set !== undefined) return (await matching(redis, set, filter)).length;
  let count = 0;
  for await (const found of scan(redis, filter, undefined, batchSize)) count += found.length;
  return count;
}

/**
 * Redis keeps no totals of its own that would hold across servers. The first `most` sessions are looked at,
 * and where there are more, they stand for the rest: a large store answers as soon as a middling one.
 */
export async function readStats(redis: Connection, most: number): Promise<StoreStats> {
  const { record, entries: entriesOf, activity } = redis.keys;
  let [sessions, entries, bytes] = [0, 0, 0];
  for await (const found of scan(redis, {}, undefined, Math.min(most, batchSize))) {
    const some = found.slice(0, most - sessions);
    const asked = some.flatMap(({ record: { id } }): Command[] => [
      ["memory", "usage", record(id)],
      ["memory", "usage", entriesOf(id)],
      ["hget", record(id), "base"],
    ]);
    const answers = (await redis.all(asked)).map(Number);
    for (const [
      at,
      {
        record: { headSeq },
      },
    ] of some.entries()) {
      const [ofRecord = 0, ofEntries = 0, baseSeq = 0] = answers.slice(at * 3);
      bytes += ofRecord + ofEntries;
      entries += headSeq - baseSeq;
    }
    sessions += some.length;
    if (sessions === most) break;
  }
  const all = sessions < most ? sessions : Number(await redis.command("zcard", [activity]));
  if (all <= sessions) return { sessions, entries, bytes };
  const estimated = (sum: number) => Math.round((sum * all) / sessions);
  const details = { estimatedFromSessions: sessions };
  return { sessions: all, entries: estimated(entries), bytes: estimated(bytes), details };
}

/** Ends changes whose makers have died. Returns whether there were any. */
async function repairAbandoned(redis: Connection): Promise<boolean> {
  const intents = (await redis.run(abandoned, [redis.keys.intents], [abandonedAfterMs])) as string[];
  for (const intent of intents) await repair(redis, intent);
  return intents.length > 0;
}

interface Found {
  readonly record: SessionRecord;
  /** Where it stands in the list. */
  readonly place: ListPlace;
}

async function matching(
  redis: Connection,
  { key, size }: Candidates,
  filter: SessionFilter,
): Promise<readonly SessionRecord[]> {
  const isMatch = (record: SessionRecord | undefined): record is SessionRecord =>
    record !== undefined && matches(record, filter);
  if (redis.joins && size <= batchSize) return (await joinedRecords(redis, key)).filter(isMatch);
  const ids = (await redis.command("smembers", [key])) as SessionId[];
  const found: SessionRecord[] = [];
  for (let at = 0; at < ids.length; at += batchSize) {
    found.push(...(await findRecords(redis, ids.slice(at, at + batchSize))).filter(isMatch));
  }
  return found;
}

/** Whether the list alone decides what matches. */
function isPlain(filter: SessionFilter): boolean {
  const { cwd, metadata, withoutMetadata, agentSessionId, parentId } = filter;
  const asked = [cwd, metadata, withoutMetadata, agentSessionId, parentId];
  return !asked.some((each) => each !== undefined) && !hasIdPart(filter);
}

/**
 * Sessions that match, in list order, from behind a place on, some at a time. What was abandoned is repaired first of
 * all.
 */
async function* scan(
  redis: Connection,
  filter: SessionFilter,
  start: ListPlace | undefined,
  batch: number,
): AsyncGenerator<readonly Found[]> {
  const from = (behind: ListPlace | undefined) => sliceBehind(redis, filter, behind, batch);
  // Looked at first, because there seldom is anything under way.
  const asFound = await from(start);
  const hasChanged = asFound.changing > 0 && (await repairAbandoned(redis));
  for (let slice = hasChanged ? await from(start) : asFound; ;) {
    yield await standing(redis, filter, slice);
    const last = slice.places.at(-1);
    if (last === undefined || slice.places.length < batch) return;
    if (last.updatedAtMs < (filter.updatedSinceMs ?? -Infinity)) return;
    slice = await from(last);
  }
}

/** Those whose sessions match; the places of sessions that are gone or stand too high are corrected. */
async function standing(
  redis: Connection,
  filter: SessionFilter,
  { places, records }: Slice,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const [at, place] of places.entries()) {
    const record = records[at];
    // One that stands too high will come again, where it belongs.
    if (record === undefined || place.updatedAtMs > record.updatedAtMs) {
      await correctPlace(redis, place, record);
    } else if (matches(record, filter)) found.push({ record, place });
  }
  return found;
}

/** The list was behind the record: a crash came between the two, or the server let the session expire. */
async function correctPlace(
  redis: Connection,
  { id, updatedAtMs }: ListPlace,
  record: SessionRecord | undefined,
): Promise<void> {
  const { activity } = redis.keys;
  await redis.run(correct, [activity], [id, updatedAtMs, record?.updatedAtMs ?? ""]);
  if (record !== undefined) return;
  // It may have been made anew and listed in between.
  await dropAllTerms(redis, id);
  const again = await findRecord(redis, id);
  if (again === undefined) return;
  await addTerms(redis, id, termsOf(again));
  await redis.command("zadd", [activity, again.updatedAtMs, id]);
}

/** Sessions that the server let expire are mostly those that were idle longest: the list's other end. */
async function dropExpired(redis: Connection): Promise<void> {
  for (let from = "-inf"; ;) {
    const range = [redis.keys.activity, from, "+inf", "WITHSCORES", "LIMIT", 0, batchSize];
    const places = placesIn((await redis.command("zrangebyscore", range)) as string[]);
    const records = await findRecords(
      redis,
      places.map(({ id }) => id),
    );
    const gone = places.filter((_, at) => records[at] === undefined);
    for (const place of gone) await correctPlace(redis, place, undefined);
    if (places.length < batchSize) return;
    const staying = places.find((_, at) => records[at] !== undefined);
    // Those of one instant alone, of which there may be many, say nothing of what is behind them.
    if (gone.length === 0 && places[0]?.updatedAtMs !== places.at(-1)?.updatedAtMs) return;
    if (staying !== undefined) from = `(${staying.updatedAtMs}`;
  }
}
