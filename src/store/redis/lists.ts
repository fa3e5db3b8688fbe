/** Lists, counts and figures: sessions by last activity. */
import type { SessionId } from "../../base/ids.ts";
import { decodeCursor, encodeCursor, matches, pageOf, pageSize, type ListPlace } from "../query.ts";
import { termsOf } from "../server/terms.ts";
import type {
  Page,
  SessionFilter,
  SessionQuery,
  SessionRecord,
  StoreStats,
  Unreadable,
} from "../contract.ts";
import type { Command, Connection } from "./connection.ts";
import { repair } from "./lineage.ts";
import { batchSize, findListed, findRecord, isReadable, type Listed } from "./records.ts";
import abandoned from "./scripts/abandoned.lua";
import correct from "./scripts/correct.lua";
import { joinedUnder, placesIn, sliceBehind, type Slice } from "./slices.ts";
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
    return pageOfListed(await namedSo(redis, query, limit + 1, start), query);
  }
  const [set] = isPlain(query)
    ? []
    : await Promise.all([candidates(redis, query, limit + 1), repairAbandoned(redis)]);
  if (set !== undefined) return pageOfListed(await matching(redis, set, query), query);
  const found: Found[] = [];
  for await (const some of scan(redis, query, start, isPlain(query) ? limit + 1 : batchSize)) {
    found.push(...some);
    if (found.length > limit) break;
  }
  const taken = found.slice(0, limit);
  // Only once they are taken: in front of us nobody would see them.
  for (const { place, listed } of taken) {
    if (place.updatedAtMs < listed.updatedAtMs) await correctPlace(redis, place, listed);
  }
  const last = found.length > limit ? taken.at(-1) : undefined;
  return {
    ...told(taken.map(({ listed }) => listed)),
    ...(last && { nextCursor: encodeCursor(last.place) }),
  };
}

/** Those that cannot be read stand with the first page. */
function pageOfListed(all: readonly Listed[], query: SessionQuery): Page<SessionRecord> {
  const { items, ...unreadable } = told(all);
  return { ...pageOf(items, query), ...(query.cursor === undefined && unreadable) };
}

function told(all: readonly Listed[]): Pick<Page<SessionRecord>, "items" | "unreadable"> {
  const items = all.filter(isReadable);
  if (items.length === all.length) return { items };
  return { items, unreadable: all.filter((listed): listed is Unreadable => !isReadable(listed)) };
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
    const asked = some.flatMap(({ place: { id } }): Command[] => [
      ["memory", "usage", record(id)],
      ["memory", "usage", entriesOf(id)],
      ["hget", record(id), "base"],
    ]);
    const answers = (await redis.all(asked)).map(Number);
    for (const [at, { listed }] of some.entries()) {
      const [ofRecord = 0, ofEntries = 0, baseSeq = 0] = answers.slice(at * 3);
      bytes += ofRecord + ofEntries;
      if (isReadable(listed)) entries += listed.headSeq - baseSeq;
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
  readonly listed: Listed;
  /** Where it stands in the list. */
  readonly place: ListPlace;
}

async function matching(
  redis: Connection,
  { key, size }: Candidates,
  filter: SessionFilter,
): Promise<readonly Listed[]> {
  const isMatch = (listed: Listed | undefined): listed is Listed =>
    listed !== undefined && (!isReadable(listed) || matches(listed, filter));
  if (redis.joins && size <= batchSize) return (await joinedUnder(redis, key)).filter(isMatch);
  const ids = (await redis.command("smembers", [key])) as SessionId[];
  const found: Listed[] = [];
  for (let at = 0; at < ids.length; at += batchSize) {
    found.push(...(await findListed(redis, ids.slice(at, at + batchSize))).filter(isMatch));
  }
  return found;
}

/** Whether the list alone decides what matches. */
function isPlain(filter: SessionFilter): boolean {
  return mayBeAnything(filter) && filter.withoutMetadata === undefined && !hasIdPart(filter);
}

/** Nothing is asked for that only a record could say of its session. */
function mayBeAnything({ cwd, metadata, agentSessionId, parentId }: SessionFilter): boolean {
  return [cwd, metadata, agentSessionId, parentId].every((each) => each === undefined);
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
  { places, listed: all }: Slice,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const [at, place] of places.entries()) {
    const listed = all[at];
    // One that stands too high will come again, where it belongs.
    if (listed === undefined || (isReadable(listed) && place.updatedAtMs > listed.updatedAtMs)) {
      await correctPlace(redis, place, listed);
    } else if (isReadable(listed) ? matches(listed, filter) : mayBeAnything(filter))
      found.push({ listed, place });
  }
  return found;
}

/** The list was behind the record: a crash came between the two, or the server let the session expire. */
async function correctPlace(
  redis: Connection,
  { id, updatedAtMs }: ListPlace,
  listed: Listed | undefined,
): Promise<void> {
  const { activity } = redis.keys;
  await redis.run(correct, [activity], [id, updatedAtMs, listed?.updatedAtMs ?? ""]);
  if (listed !== undefined) return;
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
    const listed = await findListed(
      redis,
      places.map(({ id }) => id),
    );
    const gone = places.filter((_, at) => listed[at] === undefined);
    for (const place of gone) await correctPlace(redis, place, undefined);
    if (places.length < batchSize) return;
    const staying = places.find((_, at) => listed[at] !== undefined);
    // Those of one instant alone, of which there may be many, say nothing of what is behind them.
    if (gone.length === 0 && places[0]?.updatedAtMs !== places.at(-1)?.updatedAtMs) return;
    if (staying !== undefined) from = `(${staying.updatedAtMs}`;
  }
}
