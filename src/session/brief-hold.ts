/** Writing to a session that nobody here holds: taken, written and given back in one go. */
import { isSidecarError } from "../base/errors.ts";
import type { NewEntry } from "../store/contract.ts";
import { isSameHolder, mayTake, thisHolder } from "./holder.ts";
import type { OpenedJournal, Taking } from "./journal.ts";

type Open = (taking: Taking) => Promise<OpenedJournal>;

/** How often others may be quicker before it is their turn to be told. */
const maxTries = 5;

/** Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `LEASE_LOST` when others take it again and again, `STORE_…`. */
export async function sealBriefly(entry: NewEntry, open: Open): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await sealOnce(entry, open);
    } catch (error) {
      // Nothing was written under a lease that was lost.
      if (!isSidecarError(error, "LEASE_LOST") || tries === maxTries) throw error;
    }
  }
}

async function sealOnce(entry: NewEntry, open: Open): Promise<void> {
  const holder = thisHolder();
  const { journal } = await open({
    holder,
    // What this process holds already has its own writer.
    mayTake: (current) => !isSameHolder(current.holder, holder) && mayTake("idle", holder)(current),
  });
  try {
    await journal.seal([entry]);
    await journal.settle();
  } finally {
    await journal.release();
  }
}
