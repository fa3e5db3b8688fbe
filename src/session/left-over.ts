/** What a holder leaves that went without a word. */
import type { Acquired, Lease, LeaseState, NewEntry, Store } from "../store/contract.ts";
import { isDead, thisHolder } from "./holder.ts";

/** The end of the turns in the middle of which it went. */
export function endOfLeftOver(): NewEntry {
  return { kind: "end", atMs: Date.now(), data: JSON.stringify({ interrupted: true }) };
}

type Leases = Pick<Store, "get" | "release" | "renew">;

/**
 * A session that could not be opened goes back as it was found: whoever opens it next clears up behind that holder.
 * @param sealedSeq as it was found, where that is known
 */
export function giveBack(
  store: Leases,
  { lease, previous }: Acquired,
  sealedSeq: number | undefined,
): Promise<unknown> {
  return previous === undefined ? store.release(lease) : leave(store, lease, previous, sealedSeq);
}

async function leave(
  store: Leases,
  lease: Lease,
  { holder, turnRunning }: LeaseState,
  sealedSeq: number | undefined,
): Promise<void> {
  // What failed may be written all the same: a turn has one end.
  const isSealed = sealedSeq !== undefined && (await store.get(lease.sessionId))?.sealedSeq !== sealedSeq;
  const isCut = turnRunning && !isSealed;
  if (!isCut && !isDead(holder, thisHolder())) return store.release(lease);
  await store.renew({ ...lease, holder, turnRunning: isCut, ttlMs: 0 });
}
