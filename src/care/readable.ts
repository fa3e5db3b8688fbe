/** Every session of a store whose record can be read, and what is wrong with the others. */
import { isSidecarError, reasonOf } from "../base/errors.ts";
import { isSessionId } from "../base/ids.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import { encodeCursor, type ListPlace } from "../store/query.ts";
import type { Damage } from "./damage.ts";

const longestPage = 1000;

/**
 * Newest activity first. A page with a record that cannot be decrypted is read one by one up to there, so that it costs
 * the others nothing but time. Errors: `STORE_…`, `DECRYPT_FAILED` where nobody says which record it is.
 */
export async function* everyReadable(store: Store, damages: Damage[]): AsyncGenerator<SessionRecord> {
  let cursor: string | undefined;
  let limit = longestPage;
  do {
    try {
      const page = await store.list({ limit, ...(cursor !== undefined && { cursor }) });
      yield* page.items;
      cursor = page.nextCursor;
      limit = Math.min(longestPage, limit * 2);
    } catch (error) {
      const place = placeOf(error);
      if (place === undefined) throw error;
      if (limit === 1) {
        damages.push({ sessionId: place.id, problem: `its record: ${reasonOf(error)}` });
        cursor = encodeCursor(place);
      }
      limit = 1;
    }
  } while (cursor !== undefined || limit === 1);
}

/** Where in the list the record is that could not be decrypted. */
function placeOf(error: unknown): ListPlace | undefined {
  if (!isSidecarError(error, "DECRYPT_FAILED")) return undefined;
  const { sessionId, updatedAtMs } = error.data;
  return isSessionId(sessionId) && typeof updatedAtMs === "number"
    ? { id: sessionId, updatedAtMs }
    : undefined;
}
