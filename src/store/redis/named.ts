/** Sessions by parts of their ids. */
import type { SessionId } from "../../base/ids.ts";
import type { SessionFilter } from "../contract.ts";
import { isNamedSo, listOrder, matches, type ListPlace } from "../query.ts";
import type { Connection } from "./connection.ts";
import { batchSize, findListed, isReadable, type Listed } from "./records.ts";
import { placesIn } from "./slices.ts";

/** Ids that the server looks at before others have their turn. */
const idsAtOnce = 1000;

export function hasIdPart({ idStartsWith, idEndsWith }: SessionFilter): boolean {
  return idStartsWith !== undefined || idEndsWith !== undefined;
}

/**
 * The first ones that match, in list order, and on the way those that cannot be read: their ids are looked at where they
 * are, their records when they fit.
 */
export async function namedSo(
  redis: Connection,
  filter: SessionFilter,
  most: number,
  behind?: ListPlace,
): Promise<readonly Listed[]> {
  const places = (await placesNamedSo(redis, filter)).filter(
    (place) => behind === undefined || listOrder(place, behind) > 0,
  );
  const found: Listed[] = [];
  for (let at = 0; at < places.length && found.length < most; at += batchSize) {
    const ids = places.slice(at, at + batchSize).map(({ id }) => id);
    for (const listed of await findListed(redis, ids))
      if (listed !== undefined && (!isReadable(listed) || matches(listed, filter))) found.push(listed);
  }
  return found;
}

async function placesNamedSo(redis: Connection, filter: SessionFilter): Promise<readonly ListPlace[]> {
  const { idStartsWith = "", idEndsWith = "" } = filter;
  // No id has any other character, and these have a meaning in a pattern.
  if (!/^[0-9A-Z]*$/.test(idStartsWith + idEndsWith)) return [];
  const places = new Map<SessionId, ListPlace>();
  let cursor = "0";
  do {
    const args = [redis.keys.activity, cursor, "MATCH", `${idStartsWith}*${idEndsWith}`, "COUNT", idsAtOnce];
    const [next, reply] = (await redis.command("zscan", args)) as [string, string[]];
    for (const place of placesIn(reply)) if (isNamedSo(place.id, filter)) places.set(place.id, place);
    cursor = next;
  } while (cursor !== "0");
  return [...places.values()].sort(listOrder);
}
