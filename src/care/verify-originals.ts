/** Whether what is kept from before a session was compacted is what its notes were made of. */
import { compactedFrom } from "../acp/compacted.ts";
import { sha256Of } from "../base/sha256.ts";
import { isSidecarError, reasonOf } from "../base/errors.ts";
import { besideOriginals, originalsOf } from "../session/originals.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import type { Damage } from "./damage.ts";

/** Of what the record holds, if it holds originals. Errors: `STORE_…`, but for damage. */
export async function otherOriginals(store: Store, record: SessionRecord): Promise<readonly Damage[]> {
  const sessionId = originalsOf(record);
  const session = sessionId === undefined ? undefined : await store.get(sessionId);
  if (session === undefined) return [];
  const found: Damage[] = [];
  try {
    for await (const { entry, original } of besideOriginals(store, session, record)) {
      // One without a note was restored, or is not compacted yet.
      const note = original && compactedFrom(entry);
      if (note === undefined || note.sha256 === sha256Of(original?.data ?? "")) continue;
      found.push({
        sessionId: session.id,
        entries: { from: entry.seq, through: entry.seq },
        problem: "what is kept of it from before it was compacted is not what its hash says",
      });
    }
  } catch (error) {
    // It went meanwhile, or is damaged itself, which is told where its own turn comes.
    if (!isSidecarError(error, "SESSION_NOT_FOUND", "STORE_CORRUPT", "STORE_CONFLICT")) throw error;
    if (isSidecarError(error, "STORE_CORRUPT") && error.data?.["sessionId"] === record.id)
      found.push({ sessionId: record.id, problem: reasonOf(error) });
  }
  return found;
}
