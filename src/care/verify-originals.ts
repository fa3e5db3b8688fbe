/** Whether what is kept from before a session was compacted is what its notes were made of. */
import { compactedFrom, sha256Of } from "../acp/compacted.ts";
import { isSidecarError, reasonOf } from "../base/errors.ts";
import { originalsIn, originalsOf } from "../session/originals.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import type { Damage } from "./damage.ts";

/** Of what the record holds, if it holds originals. Errors: `STORE_…`, but for damage. */
export async function otherOriginals(store: Store, record: SessionRecord): Promise<readonly Damage[]> {
  const sessionId = originalsOf(record);
  const session = sessionId === undefined ? undefined : await store.get(sessionId);
  if (session === undefined) return [];
  const found: Damage[] = [];
  try {
    const originals = originalsIn(store, record);
    let original = (await originals.next()).value;
    const range = { from: original?.seq ?? Infinity, through: session.sealedSeq };
    for await (const page of store.read(session.id, range))
      for (const entry of page) {
        if (original === undefined || entry.seq < original.seq) continue;
        const note = compactedFrom(entry);
        // One without a note was restored, or is not compacted yet.
        if (note !== undefined && note.sha256 !== sha256Of(original.data))
          found.push({
            sessionId: session.id,
            entries: { from: entry.seq, through: entry.seq },
            problem: "what is kept of it from before it was compacted is not what its hash says",
          });
        original = (await originals.next()).value;
      }
  } catch (error) {
    // It went meanwhile, or is damaged itself, which is told where its own turn comes.
    if (!isSidecarError(error, "SESSION_NOT_FOUND", "STORE_CORRUPT", "STORE_CONFLICT")) throw error;
    if (isSidecarError(error, "STORE_CORRUPT") && error.data?.["sessionId"] === record.id)
      found.push({ sessionId: record.id, problem: reasonOf(error) });
  }
  return found;
}
