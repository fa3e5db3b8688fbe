/**
 * Finding sessions by value: a set of ids for each term. A set is on a server of its own, so it is kept true
 * in one direction only: a session is in the sets of all its terms, and its record decides about the rest.
 */
import type { SessionId } from "../../base/ids.ts";
import { termsOf, termsOfFilter } from "../server/terms.ts";
import type { NewSession, SessionFilter } from "../contract.ts";
import type { Command, Connection } from "./connection.ts";

/** Before a session gets terms, and once more after it: somebody may have been taking them away. */
export async function addTerms(redis: Connection, id: SessionId, terms: readonly string[]): Promise<void> {
  if (terms.length === 0) return;
  const { keys } = redis;
  await redis.all([
    ["sadd", keys.terms(id), ...terms],
    ...terms.map((term): Command => ["sadd", keys.sessions(term), id]),
  ]);
}

/** The session's own note goes last: it says what there still is to take away. */
async function dropTerms(redis: Connection, id: SessionId, terms: readonly string[]): Promise<void> {
  if (terms.length === 0) return;
  const { keys } = redis;
  await redis.all(terms.map((term): Command => ["srem", keys.sessions(term), id]));
  await redis.command("srem", [keys.terms(id), ...terms]);
}

/** After a session is gone. */
export async function dropAllTerms(redis: Connection, id: SessionId): Promise<void> {
  await dropTerms(redis, id, (await redis.command("smembers", [redis.keys.terms(id)])) as string[]);
}

/** After a session's facts have changed; `now` reads what they are, because others change them too. */
export async function changeTerms<T extends NewSession>(
  redis: Connection,
  before: NewSession,
  after: NewSession,
  now: () => Promise<T>,
): Promise<T> {
  const { id } = after;
  const dropped = addedTerms(after, before);
  await addTerms(redis, id, addedTerms(before, after));
  await dropTerms(redis, id, dropped);
  const current = await now();
  const still = new Set(termsOf(current));
  await addTerms(
    redis,
    id,
    dropped.filter((term) => still.has(term)),
  );
  return current;
}

export function addedTerms(before: NewSession, after: NewSession): readonly string[] {
  const had = new Set(termsOf(before));
  return termsOf(after).filter((term) => !had.has(term));
}

/** As many candidates as are looked at rather than the whole list. */
const mostCandidates = 10_000;

/** A set of ids, and about how many they are. */
export interface Candidates {
  readonly key: string;
  readonly size: number;
}

/**
 * The set in which are all that match. Undefined when going through the list is quicker because the set is so large
 * that the `wanted` first ones will be met soon.
 */
export async function candidates(
  redis: Connection,
  filter: SessionFilter,
  wanted: number,
): Promise<Candidates | undefined> {
  const sets = termsOfFilter(filter).map((term) => redis.keys.sessions(term));
  if (sets.length === 0) return undefined;
  const cards = sets.map((key): Command => ["scard", key]);
  const [total = 0, ...sizes] = (await redis.all([["zcard", redis.keys.activity], ...cards])).map(Number);
  const size = sizes.reduce((least, each) => Math.min(least, each), Infinity);
  const toScan = Math.min(total, (wanted * total) / Math.max(size, 1));
  if (size > mostCandidates || size > toScan) return undefined;
  return { key: sets[sizes.indexOf(size)] ?? "", size };
}
