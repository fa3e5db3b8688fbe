/**
 * Sessions that were held elsewhere and are brought in whole, with their own times. Until one is complete its record is
 * hidden and nobody is told of it: what was killed in the middle passes for nothing, and the next one begins anew.
 */
import { isSidecarError } from "../base/errors.ts";
import { sessionIdAt, type SessionId } from "../base/ids.ts";
import type { LeaseRequest, NewSession, SessionPatch, SessionRecord } from "../store/contract.ts";
import { sessionBusy } from "../store/refusals.ts";
import { isArchived } from "./archived.ts";
import type { Parts } from "./creation.ts";
import { placed } from "./folders.ts";
import { hiddenAs, shown, whyHidden, type Hidden } from "./hidden.ts";
import { isHeld, isSameHolder, mayTake, thisHolder } from "./holder.ts";
import { Journal, type OpenedJournal } from "./journal.ts";
import { takeSession } from "./opening.ts";
import { everySession } from "./pages.ts";
import { asRestored, overtakenBy } from "./restored.ts";
import { emptySession, type RegistryDefaults } from "./registry-options.ts";

/** What a session is brought in with. */
type BroughtInit = Partial<NewSession> & Pick<NewSession, "cwd" | "createdAtMs" | "updatedAtMs">;

type Options = Pick<RegistryDefaults, "durability" | "leaseTtlMs" | "onBusy">;

export class BroughtSessions {
  readonly #parts: Parts;
  readonly #options: Options;

  constructor(parts: Parts, options: Options) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Every record, hidden ones too, of a session that an agent knows by this id. */
  async knownAs(agentSessionId: string): Promise<readonly SessionRecord[]> {
    const records: SessionRecord[] = [];
    for await (const record of everySession(this.#parts.store, { agentSessionId })) records.push(record);
    return records;
  }

  /** Why a record is no session to anybody; undefined for one that is. */
  whyHidden(record: SessionRecord): Hidden | undefined {
    return whyHidden(record);
  }

  /** The record that stands under this id, hidden or not. */
  stored(id: SessionId): Promise<SessionRecord | undefined> {
    return this.#parts.store.get(id);
  }

  /** A hidden session that becomes the one that it was elsewhere. Errors: as `begin`. */
  async restore(session: NewSession): Promise<OpenedJournal> {
    return this.begin(await asRestored(this.#parts.store, session));
  }

  /** It has gone on elsewhere, as this says; its entries come next. */
  async overtake(journal: Journal, now: NewSession): Promise<void> {
    const before = await this.#parts.store.get(journal.id);
    if (before !== undefined) await journal.update(overtakenBy(before, now));
  }

  /** A hidden session, ours to write; unless told, its id sorts by its beginning. What is sealed in it is told to nobody. Errors: `SESSION_EXISTS`, `STORE_…`. */
  async begin({ id, ...init }: BroughtInit): Promise<OpenedJournal> {
    const { store } = this.#parts;
    const { durability, leaseTtlMs } = this.#options;
    const { metadata, ...session } = placed({ ...emptySession, ...init });
    const record = await store.create({
      ...session,
      id: id ?? sessionIdAt(init.createdAtMs),
      metadata: { ...metadata, ...hiddenAs("importing") },
    });
    const holder = thisHolder();
    const tell = () => undefined;
    return Journal.open(record.id, {
      store,
      durability,
      leaseTtlMs,
      holder,
      mayTake: mayTake("error", holder),
      tell,
    });
  }

  /** It is complete, and a session from now on; given back. A hook of `create` may refuse it: then it is gone. */
  async reveal(journal: Journal, patch: SessionPatch): Promise<SessionRecord> {
    const { store, events } = this.#parts;
    await journal.settle();
    const before = await store.get(journal.id);
    const metadata = shown({ ...before?.metadata, ...patch.metadata });
    if (before !== undefined) await events.ask("create", { record: { ...before, metadata } });
    // What was archived takes as little room as it did, before anybody can be at work in it.
    if (isArchived({ metadata })) await store.compress(journal.id, journal.lease);
    const show = async () => {
      const record = await journal.update({ ...patch, metadata });
      await journal.settle();
      await journal.release();
      return record;
    };
    return events.noted("create", journal.id, show, (record) => ({ record }));
  }

  /** What will not become complete goes, for good. */
  async discard(journal: Journal): Promise<void> {
    await this.#parts.store.delete(journal.id, journal.lease);
  }

  /** What a process has left half done that died. Errors: `SESSION_BUSY` when it is at work. */
  async clear({ id, lease }: SessionRecord): Promise<void> {
    if (isHeld(lease)) throw sessionBusy(id, lease);
    const { store } = this.#parts;
    // It may have been begun since the record was read, or be gone: the lease says whose it is.
    const mine = await store.acquire(id, this.#asOther()).catch((error: unknown) => {
      if (!isSidecarError(error, "SESSION_NOT_FOUND")) throw error;
    });
    if (mine !== undefined) await store.delete(id, mine.lease);
  }

  /** One that is there already, to write what has come since. Errors: `SESSION_BUSY` when somebody is at work in it. */
  goOn(id: SessionId): Promise<OpenedJournal> {
    const { holder, mayTake } = this.#asOther();
    return takeSession(this.#parts, this.#options, id, { holder, mayTake });
  }

  /** As somebody who is at work in nothing yet: this process may be in something already. */
  #asOther(): LeaseRequest {
    const holder = thisHolder();
    const isOther = mayTake("error", holder);
    return {
      holder,
      ttlMs: this.#options.leaseTtlMs,
      mayTake: (current) => !isSameHolder(current.holder, holder) && isOther(current),
    };
  }
}
