/** A title that a person gives: kept in the record, and journaled, so that whoever loads the session is told it. */
import { SidecarError, isSidecarError } from "../base/errors.ts";
import type { NewEntry, SessionRecord } from "../store/contract.ts";
import { unlessTaken } from "./brief-hold.ts";
import { changeSession, type Parts } from "./creation.ts";
import { isDead, thisHolder } from "./holder.ts";
import type { OpenedJournal, Taking } from "./journal.ts";

/** What is journaled of it. */
export function titleEntry(title: string, atMs: number): NewEntry {
  return { kind: "setting", atMs, data: JSON.stringify({ method: "session/set_title", params: { title } }) };
}

/** What is longer is in the way in every list. */
const maxTitleChars = 1000;

/** Errors: `INVALID_PARAMS`. */
export function titleFrom(text: string): string {
  const title = text.trim();
  if (title.length > maxTitleChars)
    throw new SidecarError(
      "INVALID_PARAMS",
      `The title has ${title.length} characters; give one of at most ${maxTitleChars}`,
    );
  if (title !== "") return title;
  throw new SidecarError("INVALID_PARAMS", "A title must not be empty; give one of at least one character");
}

/** No activity: it stays where it is in lists. Whoever has it open keeps it, and goes on under the new title. */
export async function renameSession(
  parts: Parts,
  before: SessionRecord,
  title: string,
  take: (taking: Taking) => Promise<OpenedJournal>,
): Promise<SessionRecord> {
  const { updatedAtMs } = before;
  const holder = thisHolder();
  try {
    return await unlessTaken(async () => {
      const { journal, record } = await take({ holder, mayTake: (lease) => isDead(lease.holder, holder) });
      try {
        await journal.seal([titleEntry(title, Math.min(record.updatedAtMs, Date.now()))]);
        const renamed = await journal.update({ title });
        await journal.settle();
        return renamed;
      } finally {
        await journal.release();
      }
    });
  } catch (error) {
    if (!isSidecarError(error, "SESSION_BUSY", "LEASE_LOST")) throw error;
    return changeSession(parts, before, { title, updatedAtMs });
  }
}
