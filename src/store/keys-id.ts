/** Records that are no sessions, and that no session can have the id of. */
import type { SessionId } from "../base/ids.ts";
import type { SessionRecord } from "./contract.ts";

/** Where the keys of an encrypted store are. */
export const keysId = "00000000000000000000000000" as SessionId;
/** Where they are once more: without them all would be lost. */
export const keysCopyId = "00000000000000000000000001" as SessionId;
/** Whose lease whoever looks after the store has, and what it knows of earlier rounds. */
export const upkeepId = "00000000000000000000000002" as SessionId;

/** How an encrypted value of a record begins. */
export const sign = "$enc:";

/** Whether a record is one of an encrypted store, whatever its key. */
export function isSealed({ cwd }: Pick<SessionRecord, "cwd">): boolean {
  return cwd.startsWith(sign);
}

/** Whoever had it for a session would take the store's own record away. */
export function isReserved(id: string): boolean {
  return id === keysId || id === keysCopyId || id === upkeepId;
}

/** How many of these are sessions. */
export function sessionsAmong(ids: readonly string[]): number {
  return ids.filter((id) => !isReserved(id)).length;
}
