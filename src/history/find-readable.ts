/** Sessions as far as they can be read. */
import type { SessionId } from "../base/ids.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { SessionRecord } from "../store/contract.ts";
import { isUnreadable } from "../base/unreadable.ts";

/** Undefined for one that is not there, and for one whose record cannot be read. Errors: `STORE_…`. */
export async function findReadable(
  registry: Pick<SessionRegistry, "find">,
  id: SessionId,
): Promise<SessionRecord | undefined> {
  try {
    return await registry.find(id);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}
