/** What is done to a session that nobody here holds: it is taken for a moment. */
import { isSidecarError } from "../base/errors.ts";
import type { OnBusy } from "../config/config.ts";
import type { SessionId } from "../base/ids.ts";
import type { LeaseState, NewEntry, SessionPatch, SessionRecord, Store } from "../store/contract.ts";
import { isSameHolder, mayTake, thisHolder } from "./holder.ts";
import type { OpenedJournal, Taking } from "./journal.ts";

type Open = (taking: Taking) => Promise<OpenedJournal>;

/** How often others may be quicker before it is their turn to be told. */
const maxTries = 5;

/**
 * Writes an entry and gives the session back. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `LEASE_LOST` when others
 * take it again and again, `STORE_…`.
 */
export function sealBriefly(entry: NewEntry, open: Open): Promise<void> {
  return holdBriefly(async ({ journal }) => {
    await journal.seal([], [entry]);
    await journal.settle();
  }, open);
}

/** Does something to a session that is in no turn, and that nobody in this process holds. Errors: as `sealBriefly`. */
export function holdBriefly<T>(act: (opened: OpenedJournal) => Promise<T>, open: Open): Promise<T> {
  return unlessTaken(() => holdOnce(act, open, "idle"));
}

/** The same to one that nobody holds at all: who has it open believes to know what stands in it. */
export function holdUnused<T>(act: (opened: OpenedJournal) => Promise<T>, open: Open): Promise<T> {
  return unlessTaken(() => holdOnce(act, open, "error"));
}

async function holdOnce<T>(
  act: (opened: OpenedJournal) => Promise<T>,
  open: Open,
  onBusy: OnBusy,
): Promise<T> {
  const holder = thisHolder();
  const opened = await open({
    holder,
    // What this process holds already has its own writer.
    mayTake: (current) => !isSameHolder(current.holder, holder) && mayTake(onBusy, holder)(current),
  });
  try {
    return await act(opened);
  } finally {
    await opened.journal.release();
  }
}

/** Changes a session that is in no turn. Errors: as `sealBriefly`. */
export function changeBriefly(
  change: (record: SessionRecord) => SessionPatch,
  open: Open,
): Promise<SessionRecord> {
  return unlessTaken(async () => {
    const { journal, record } = await open({ holder: thisHolder(), mayTake: mayTake("idle", thisHolder()) });
    try {
      const changed = await journal.update(change(record));
      await journal.settle();
      return changed;
    } finally {
      await journal.release();
    }
  });
}

interface Decision {
  readonly leaseTtlMs: number;
  /** From whom it may be taken: see `LeaseRequest`. */
  readonly mayTake: (current: LeaseState) => boolean;
  /** Asked when nobody else can begin a turn any more; it is, unless told. */
  readonly isToGo?: (record: SessionRecord) => boolean;
  /** What its record becomes instead of being deleted; nothing, unless told. */
  readonly becomes?: (record: SessionRecord) => SessionPatch | undefined;
}

/**
 * Deletes or changes a session that nobody is using: it is taken first, and looked at then. Returns what it has become,
 * or was; undefined if it is to stay, or is not there. Errors: `SESSION_BUSY`, `LEASE_LOST` when others take it again
 * and again, `STORE_…`.
 */
export async function decideUnused(
  store: Store,
  id: SessionId,
  decision: Decision,
): Promise<SessionRecord | undefined> {
  try {
    return await unlessTaken(() => decideOnce(store, id, decision));
  } catch (error) {
    if (isSidecarError(error, "SESSION_NOT_FOUND")) return undefined;
    throw error;
  }
}

async function decideOnce(
  store: Store,
  id: SessionId,
  { leaseTtlMs: ttlMs, mayTake, isToGo = () => true, becomes }: Decision,
): Promise<SessionRecord | undefined> {
  const { lease, previous } = await store.acquire(id, { holder: thisHolder(), ttlMs, mayTake });
  const giveBack = async () => {
    if (previous === undefined) return store.release(lease);
    // As it was found: whoever opens it next seals what a dead holder left, and stops its agent.
    const { holder, turnRunning } = previous;
    await store.renew({ ...lease, holder, turnRunning, ttlMs: 0 });
  };
  let decided: SessionRecord | undefined;
  try {
    // A holder in a turn is not taken over. Whoever takes it all the same, or finds the lease run out, keeps it.
    const held = { ...lease, turnRunning: true };
    const record = await store.update(id, {}, held);
    if (isToGo(record)) {
      const patch = becomes?.(record);
      if (patch === undefined) return (await store.delete(id, held)) ? record : undefined;
      decided = await store.update(id, patch, held);
    }
  } catch (error) {
    await giveBack().catch(() => undefined);
    throw error;
  }
  await giveBack();
  return decided;
}

/** Again where others were quicker. Errors: `LEASE_LOST` when they are again and again. */
export async function unlessTaken<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      // Nothing was written under a lease that was lost.
      if (!isSidecarError(error, "LEASE_LOST") || tries === maxTries) throw error;
    }
  }
}
