/** Parts of the list of sessions, from behind a place on, with the records of their sessions. */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { ListPlace } from "../query.ts";
import type { SessionFilter } from "../contract.ts";
import type { Connection } from "./connection.ts";
import { listedFields } from "./keys.ts";
import { findListed, listedIn, type Listed } from "./records.ts";
import slice from "./scripts/slice.lua";

export interface Slice {
  readonly places: readonly ListPlace[];
  /** Of the same sessions; undefined for one that is gone. */
  readonly listed: readonly (Listed | undefined)[];
  /** How many creations and deletions were under way. */
  readonly changing: number;
}

/** At most `count`; fewer only at the end of the list. */
export async function sliceBehind(
  redis: Connection,
  filter: SessionFilter,
  behind: ListPlace | undefined,
  count: number,
): Promise<Slice> {
  const joined = await joinedSlice(redis, filter, behind, count);
  if (joined !== undefined) return joined;
  const { activity, intents } = redis.keys;
  const args = [behind?.updatedAtMs ?? "", behind?.id ?? "", filter.updatedBeforeMs ?? "", count];
  const [found, changing] = await Promise.all([
    redis.run(slice, [activity], args),
    redis.command("zcard", [intents]),
  ]);
  const places = placesIn(found as string[]);
  const listed = await findListed(
    redis,
    places.map(({ id }) => id),
  );
  return { places, listed, changing: Number(changing) };
}

/**
 * By rank, with the records in the same command. Undefined when the place is not where it was, and when the two
 * answers do not tell of the same sessions.
 */
async function joinedSlice(
  redis: Connection,
  { updatedBeforeMs = Infinity }: SessionFilter,
  behind: ListPlace | undefined,
  count: number,
): Promise<Slice | undefined> {
  if (!redis.joins || (behind?.updatedAtMs ?? Infinity) > updatedBeforeMs) return undefined;
  const { activity, intents } = redis.keys;
  const rank = behind === undefined ? 0 : await redis.command("zrevrank", [activity, behind.id]);
  if (rank === null) return undefined;
  const first = Number(rank);
  // The place itself comes along, and shows by standing there that nothing has moved.
  const own = behind === undefined ? 0 : 1;
  const [scored, found, changing] = await redis.all([
    ["zrevrange", activity, first, first + own + count - 1, "WITHSCORES"],
    ["sort_ro", activity, "BY", "nosort", "DESC", "LIMIT", first, own + count, ...recordsOf(redis)],
    ["zcard", intents],
  ]);
  const places = placesIn(scored as string[]);
  const listed = joinedIn(found as (string | null)[]);
  const areSame = places.length === listed.length && places.every(({ id }, at) => id === listed[at]?.id);
  if (!areSame || (behind !== undefined && !isSame(places[0], behind))) return undefined;
  return { places: places.slice(own), listed: listed.slice(own), changing: Number(changing) };
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

/**
 * Whether the server lets us read sessions and their records in one command, because a command for each costs its
 * client more than all that it carries: not on a cluster, not before Redis 7, and not if the user may read only some
 * keys.
 */
export async function canJoin(redis: Connection): Promise<boolean> {
  if (redis.clustered) return false;
  try {
    await redis.command("sort_ro", [redis.keys.activity, "BY", "nosort", "LIMIT", 0, 0, ...recordsOf(redis)]);
    return true;
  } catch (error) {
    if (isSidecarError(error, "STORE_FAILED")) return false;
    throw error;
  }
}

/** Of the sessions whose ids are under `key`; only where records may be joined. */
export async function joinedUnder(redis: Connection, key: string): Promise<readonly (Listed | undefined)[]> {
  const reply = await redis.command("sort_ro", [key, "BY", "nosort", ...recordsOf(redis)]);
  return joinedIn(reply as (string | null)[]);
}

/** What makes a command that sorts ids answer with each id and its record. */
function recordsOf({ keys }: Connection): readonly string[] {
  const fields = listedFields.flatMap((field) => ["GET", `${keys.record("*" as SessionId)}->${field}`]);
  return ["GET", "#", ...fields];
}

function joinedIn(reply: readonly (string | null)[]): readonly (Listed | undefined)[] {
  const listed: (Listed | undefined)[] = [];
  for (let at = 0; at < reply.length; at += listedFields.length + 1)
    listed.push(listedIn(reply, reply[at] as SessionId, at + 1));
  return listed;
}
