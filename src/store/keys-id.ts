/** Where the keys of an encrypted store are: a record that is no session, and that no session can have the id of. */
import type { SessionId } from "../base/ids.ts";

export const keysId = "00000000000000000000000000" as SessionId;
/** Where they are once more: without them all would be lost. */
export const keysCopyId = "00000000000000000000000001" as SessionId;

/** How many of these are sessions. */
export function sessionsAmong(ids: readonly string[]): number {
  return ids.filter((id) => id !== keysId && id !== keysCopyId).length;
}
