/** Which sessions a search shows. */
import { isArchived } from "../../session/archived.ts";
import type { SessionRecord } from "../../store/contract.ts";

/** An archived session is out of the way until it is asked for. */
export function isShown(record: SessionRecord, wanted: { readonly archived: boolean }): boolean {
  return wanted.archived || !isArchived(record);
}
