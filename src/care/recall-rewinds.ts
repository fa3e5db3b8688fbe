/** What a rewind took back would count again in a session whose settings are lost: its entries tell of it, too. */
import type { SessionId } from "../base/ids.ts";
import { mended } from "../session/rewinds-kept.ts";
import type { Store } from "../store/contract.ts";

/** Puts what the entries of these sessions tell of rewinds into their records. Errors: `STORE_…`. */
export async function recallRewinds(store: Store, ids: readonly SessionId[]): Promise<void> {
  for (const id of ids) {
    const record = await store.get(id);
    if (record !== undefined) await mended(store, record, 0, (patch) => store.update(id, patch));
  }
}
