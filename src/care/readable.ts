/** Every session of a store whose record can be read, and what is wrong with the others. */
import type { SessionRecord, Store } from "../store/contract.ts";
import { cannotBeRead } from "../base/unreadable.ts";
import { everySession } from "../session/pages.ts";
import type { Damage } from "./damage.ts";

/** Newest activity first. Errors: `STORE_…`. */
export function everyReadable(store: Store, damages: Damage[]): AsyncGenerator<SessionRecord> {
  return everySession(store, {}, (found) => {
    const { message } = cannotBeRead(found);
    damages.push({ sessionId: found.id, problem: `its record: ${message}` });
  });
}
