/** Parts of the list of sessions, from behind a place on, with the records of their sessions. */
import type { SessionId } from "../../base/ids.ts";
import type { ListPlace } from "../query.ts";
import type { SessionFilter, SessionRecord } from "../contract.ts";
import { slice } from "./activity-scripts.ts";
import { joinedIn } from "./joined.ts";
import type { Medium } from "./medium.ts";
import { findRecords } from "./records.ts";

/** Sessions of the cursor's time that a page may pass over before it asks once more. */
const spare = 32;

export interface Slice {
  readonly places: readonly ListPlace[];
  /** Of the same sessions; undefined for one that is gone. */
  readonly records: readonly (SessionRecord | undefined)[];
  /** How many creations and deletions were under way. */
  readonly changing: number;
}

/** At most `count`; fewer only at the end of the list. */
export async function sliceBehind(
  medium: Medium,
  filter: SessionFilter,
  behind: ListPlace | undefined,
  count: number,
): Promise<Slice> {
  const joined = await joinedSlice(medium, filter, behind, count);
  if (joined !== undefined) return joined;
  const { server, keys } = medium;
  const [places, changing] = await Promise.all([
    placesBehind(medium, filter, behind, count),
    server.command("zcard", keys.intents),
  ]);
  const ids = places.map(({ id }) => id);
  return { places, records: await findRecords(medium, ids), changing: Number(changing) };
}

/** By rank; undefined when the place is not where it was, and when the two answers do not tell of the same sessions. */
async function joinedSlice(
  { server, keys, gets }: Medium,
  { updatedBeforeMs = Infinity }: SessionFilter,
  behind: ListPlace | undefined,
  count: number,
): Promise<Slice | undefined> {
  if (gets === undefined || (behind?.updatedAtMs ?? Infinity) > updatedBeforeMs) return undefined;
  const rank = behind === undefined ? 0 : await server.command("zrevrank", keys.activity, behind.id);
  if (rank === null) return undefined;
  const first = Number(rank);
  // The place itself comes along, and shows by standing there that nothing has moved.
  const own = behind === undefined ? 0 : 1;
  const [scored, found, changing] = await server.all([
    ["zrevrange", keys.activity, first, first + own + count - 1, "WITHSCORES"],
    ["sort_ro", keys.activity, "BY", "nosort", "DESC", "LIMIT", first, own + count, ...gets],
    ["zcard", keys.intents],
  ]);
  const places = placesIn(scored as string[]);
  const records = joinedIn(found as (string | null)[]);
  if (places.length !== records.length || places.some(({ id }, at) => id !== records[at]?.id))
    return undefined;
  if (behind !== undefined && !isSame(places[0], behind)) return undefined;
  return { places: places.slice(own), records: records.slice(own), changing: Number(changing) };
}

async function placesBehind(
  { server, keys }: Medium,
  { updatedBeforeMs = Infinity }: SessionFilter,
  behind: ListPlace | undefined,
  count: number,
): Promise<readonly ListPlace[]> {
  const isBehindAll = behind !== undefined && behind.updatedAtMs < updatedBeforeMs;
  const before = updatedBeforeMs < Infinity ? updatedBeforeMs : undefined;
  const max = isBehindAll ? behind.updatedAtMs : before === undefined ? "+inf" : `(${before}`;
  const asked = behind === undefined ? count : count + spare;
  const range = [keys.activity, max, "-inf", "WITHSCORES", "LIMIT", 0, asked];
  const found = placesIn((await server.command("zrevrangebyscore", ...range)) as string[]);
  const places = behind === undefined ? found : found.filter((place) => isBehind(place, behind));
  if (places.length >= count || found.length < asked) return places.slice(0, count);
  // There may be more behind its equals, which were all that came.
  const from = [behind?.updatedAtMs ?? "", behind?.id ?? "", before ?? ""];
  return placesIn((await server.run(slice, [keys.activity], [...from, count])) as string[]);
}

function isBehind({ updatedAtMs, id }: ListPlace, place: ListPlace): boolean {
  return updatedAtMs === place.updatedAtMs ? id < place.id : updatedAtMs < place.updatedAtMs;
}

function isSame(place: ListPlace | undefined, { updatedAtMs, id }: ListPlace): boolean {
  return place?.updatedAtMs === updatedAtMs && place.id === id;
}

/** Of an answer of ids and times. */
export function placesIn(reply: readonly string[]): readonly ListPlace[] {
  const places: ListPlace[] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) {
    places.push({ id: reply[at] as SessionId, updatedAtMs: Number(reply[at + 1]) });
  }
  return places;
}
