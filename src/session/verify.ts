/** Checking a store against the promise, session by session, through its contract alone. */
import { isSidecarError, reasonOf } from "../errors.ts";
import { isJsonObjectText } from "../json.ts";
import type { SessionId } from "../session-id.ts";
import type { SessionRecord, Store } from "../store/store.ts";

/** Something that is not as it must be: in a session, at an entry where one can be named. */
export interface Damage {
  readonly sessionId: SessionId;
  readonly seq?: number;
  readonly problem: string;
}

export interface Verification {
  readonly sessions: number;
  readonly entries: number;
  readonly damages: readonly Damage[];
}

/** Reads everything once. Damage is named and the rest is read on; errors that are no damage reject. */
export async function verifySessions(store: Store): Promise<Verification> {
  const damages: Damage[] = [];
  let [sessions, entries] = [0, 0];
  let cursor: string | undefined;
  do {
    const page = await store.list({ limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const record of page.items) {
      sessions += 1;
      entries += await verifySession(store, record, damages);
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { sessions, entries, damages };
}

/** Returns how many entries could be read. */
async function verifySession(store: Store, record: SessionRecord, damages: Damage[]): Promise<number> {
  const { id: sessionId, headSeq, sealedSeq } = record;
  if (sealedSeq > headSeq)
    damages.push({ sessionId, problem: `sealed up to ${sealedSeq}, but ends at ${headSeq}` });
  let last = 0;
  try {
    for await (const page of store.read(sessionId, { through: headSeq })) {
      for (const { seq, data } of page) {
        if (seq !== last + 1) damages.push({ sessionId, seq, problem: `follows entry ${last}` });
        if (!isJsonObjectText(data)) damages.push({ sessionId, seq, problem: "is not a JSON object" });
        last = seq;
      }
    }
    if (last !== headSeq)
      damages.push({ sessionId, seq: last, problem: `is the last one, but the head is ${headSeq}` });
  } catch (error) {
    if (isSidecarError(error, "SESSION_NOT_FOUND")) return last;
    if (!isSidecarError(error, "STORE_CORRUPT")) throw error;
    damages.push({ sessionId, seq: last + 1, problem: reasonOf(error) });
  }
  return last;
}
