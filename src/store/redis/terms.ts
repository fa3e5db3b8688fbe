/**
 * Finding sessions by value: a set of ids for each term. A set is on a server of its own, so it is kept true
 * in one direction only: a session is in the sets of all its terms, and its record decides about the rest.
 */
import type { SessionId } from "../../base/ids.ts";
import { termsOf, termsOfFilter } from "../server/terms.ts";
import type { NewSession, SessionFilter } from "../contract.ts";
import type { Medium } from "./medium.ts";

/** Before a session gets terms, and once more after it: somebody may have been taking them away. */
export async function addTerms(
  { server, keys }: Medium,
  id: SessionId,
  terms: readonly string[],
): Promise<void> {
  if (terms.length === 0) return;
  const adding = terms.map((term) => server.command("sadd", keys.sessions(term), id));
  await Promise.all([server.command("sadd", keys.terms(id), ...terms), ...adding]);
}

async function dropTerms({ server, keys }: Medium, id: SessionId, terms: readonly string[]): Promise<void> {
  if (terms.length === 0) return;
  await Promise.all(terms.map((term) => server.command("srem", keys.sessions(term), id)));
  await server.command("srem", keys.terms(id), ...terms);
}

/** After a session is gone. */
export async function dropAllTerms(medium: Medium, id: SessionId): Promise<void> {
  const terms = (await medium.server.command("smembers", medium.keys.terms(id))) as string[];
  await dropTerms(medium, id, terms);
}

/** After a session's facts have changed; `now` reads what they are, for others change them too. */
export async function changeTerms<T extends NewSession>(
  medium: Medium,
  before: NewSession,
  after: NewSession,
  now: () => Promise<T>,
): Promise<T> {
  const wanted = new Set(termsOf(after));
  const dropped = termsOf(before).filter((term) => !wanted.has(term));
  await addTerms(medium, after.id, addedTerms(before, after));
  await dropTerms(medium, after.id, dropped);
  const current = await now();
  const still = new Set(termsOf(current));
  await addTerms(
    medium,
    after.id,
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
 * The set in which are all that match; undefined when going through the list is quicker, for the set is so
 * large that the `wanted` first ones will be met soon.
 */
export async function candidates(
  { server, keys }: Medium,
  filter: SessionFilter,
  wanted: number,
): Promise<Candidates | undefined> {
  const sets = termsOfFilter(filter).map((term) => keys.sessions(term));
  if (sets.length === 0) return undefined;
  const cards = sets.map((key): [string, string] => ["scard", key]);
  const [total = 0, ...sizes] = (await server.all([["zcard", keys.activity], ...cards])).map(Number);
  const size = Math.min(...sizes);
  const toScan = Math.min(total, (wanted * total) / Math.max(size, 1));
  if (size > mostCandidates || size > toScan) return undefined;
  return { key: sets[sizes.indexOf(size)] ?? "", size };
}
