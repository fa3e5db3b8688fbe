/**
 * The journal of one session while this process holds it: the lease, the head, the turns that are not yet
 * sealed. One writer: calls must not overlap (a `Queue` sees to that).
 */
import { isSidecarError, type SidecarError } from "../base/errors.ts";
import { tidyUp } from "../base/heap.ts";
import type { SessionId } from "../base/ids.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { Holder, Lease, LeaseState, NewEntry, SessionPatch, SessionRecord } from "../store/contract.ts";
import { Chain } from "./chain.ts";
import { tellAppend, tellSeal, tellUpdate } from "./telling.ts";
import { foldEntries, type BegunBefore } from "./fold.ts";
import { Held } from "./held.ts";
import { isGone } from "./hidden.ts";
import type { JournalOptions } from "./journal-options.ts";
import { JournalWrites, storedAlready } from "./journal-writes.ts";
import { endOfLeftOver, giveBack } from "./left-over.ts";
import { charsIn, collect } from "./pages.ts";

/** How a session is taken: by whom, and from whom. What is not said is as the registry was set up. */
export type Taking = Partial<Pick<JournalOptions, "holder" | "mayTake" | "use">>;

/** Unsealed entries are folded when they reach this size, turn or no turn: memory stays flat. */
const maxUnsealedChars = 4 << 20;

export interface OpenedJournal {
  readonly journal: Journal;
  readonly record: SessionRecord;
  /** Who held it before without giving it back: killed, frozen or taken over. */
  readonly previous?: LeaseState;
  /** What a crash had left half done, in words. */
  readonly setAside?: string;
}

export class Journal {
  readonly id: SessionId;
  readonly #options: JournalOptions;
  #lease: Lease;
  #head: number;
  #sealed: number;
  readonly #unsealed: Held;
  readonly #chain: Chain;
  readonly writes = new JournalWrites(
    () => this.endUse(),
    () => this.#ask(),
  );
  /** Compactions that were folded already: their summaries may go on. Of others a killed holder may have begun any. */
  readonly #compactions = new Set<string>();
  #begunBefore: BegunBefore;

  private constructor(options: JournalOptions, lease: Lease, record: SessionRecord) {
    this.id = record.id;
    this.#options = options;
    this.#lease = lease;
    [this.#head, this.#sealed] = [record.headSeq, record.sealedSeq];
    this.#unsealed = new Held(options.room);
    this.#chain = new Chain(options.store, record.id);
    this.#begunBefore = this.#sealed === 0 ? "none" : this.#head === this.#sealed ? "pieces" : "any";
    if (this.#head === this.#sealed) this.#unsealed.begin();
  }

  /**
   * Takes the session and seals what a killed holder left unsealed. Errors: `SESSION_NOT_FOUND`,
   * `SESSION_BUSY`, `STORE_…`.
   */
  static async open(id: SessionId, options: JournalOptions): Promise<OpenedJournal> {
    const { store, holder, leaseTtlMs: ttlMs, mayTake } = options;
    const { lease, ...found } = await store.acquire(id, { holder, ttlMs, mayTake });
    let record: SessionRecord | undefined;
    try {
      record = await store.get(id);
      if (record === undefined || isGone(record)) throw sessionNotFound(id);
      const journal = new Journal(options, { ...lease, turnRunning: false }, record);
      const interrupted = found.previous?.turnRunning === true;
      if (interrupted || record.headSeq > record.sealedSeq)
        await journal.seal(interrupted ? [endOfLeftOver()] : []);
      return { journal, record, ...found };
    } catch (error) {
      await giveBack(store, { lease, ...found }, record?.sealedSeq).catch(() => undefined);
      throw error;
    }
  }

  get lease(): Lease {
    return this.#lease;
  }

  get headSeq(): number {
    return this.#head;
  }

  get sealedSeq(): number {
    return this.#sealed;
  }

  /** Why nothing can be written any more: somebody else has the session, or it is gone. Known by a write that failed. */
  get lost(): SidecarError | undefined {
    return this.writes.lost;
  }

  touch(): void {
    this.#options.use?.touch();
  }

  /** Nothing more will be written here: the session is not live any longer. The lease stays until it is released. */
  endUse(): void {
    this.#unsealed.drop();
    this.#options.use?.end();
  }

  /** Journals entries. On return they are as safe as `durability` asks. Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`, `STORE_…`. */
  async append(entries: readonly NewEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const chars = charsIn(entries);
    // Folded before it is written: what is large is written once, and not read back for that.
    if (this.#unsealed.chars + chars > maxUnsealedChars) return this.#seal(entries, []);
    await this.#write(async () => {
      this.#head = await this.#options.store.append(this.id, this.#head, entries, this.#lease);
    });
    this.#unsealed.add(entries, chars);
    if (this.#options.durability === "full") await this.#options.store.flush();
    tellAppend(this.#options.tell, this.id, entries, this.#head);
  }

  /** Says in the lease whether a turn runs; takes effect with the next write. */
  setTurnRunning(turnRunning: boolean): void {
    this.#lease = { ...this.#lease, turnRunning };
    this.#options.use?.setTurnRunning(turnRunning);
  }

  /** Folds what is not sealed and `added`, adds `last`, and makes all of it final. */
  async seal(last: readonly NewEntry[], added: readonly NewEntry[] = []): Promise<void> {
    await this.#seal(added, last);
  }

  /** The same for the end of all turns that run, which on return survives as `durability` promises. */
  async sealTurn(last: readonly NewEntry[]): Promise<void> {
    let settled: Promise<void> | undefined;
    // It is on its way to the disk while what is known of it here is brought up to date.
    await this.#seal([], last, () => {
      this.setTurnRunning(false);
      settled = this.settle();
      settled.catch(() => undefined);
    });
    await settled;
  }

  /** Entries that were sealed elsewhere become final as they are, links of their chain and all. Nothing here is unsealed. */
  async restore(entries: readonly NewEntry[]): Promise<void> {
    await this.#write(async () => {
      const range = { from: this.#head + 1, head: this.#head };
      this.#chain.forget();
      this.#sealed = this.#head = await this.#options.store.seal(this.id, range, entries, this.#lease);
      tellSeal(this.#options.tell, this.id, { entries, last: entries }, this.#head);
    });
  }

  /** @param ended called when the store has it and knows that no turn runs, before anything else is done */
  async #seal(added: readonly NewEntry[], last: readonly NewEntry[], ended?: () => void): Promise<void> {
    const { store, tell, durability } = this.#options;
    await this.#write(async () => {
      const before = this.#head;
      const { from, final } = await this.#final(added, last);
      tidyUp(charsIn(added), final);
      // In this write and in none before it: whoever takes the session over meanwhile ends the turn.
      const lease = ended === undefined ? this.#lease : { ...this.#lease, turnRunning: false };
      this.#sealed = this.#head = await store.seal(this.id, { from, head: before }, final, lease);
      ended?.();
      if (this.#begunBefore === "any") this.#begunBefore = "pieces";
      const head = this.#chain.written();
      if (head !== undefined) this.#options.headed?.({ sessionId: this.id, ...head });
      this.#unsealed.begin();
      if (added.length > 0 && durability === "full") await store.flush();
      if (added.length > 0) tellAppend(tell, this.id, added, before + added.length);
      const lastOfFinal = final.slice(final.length - last.length);
      tellSeal(tell, this.id, { entries: final, last: lastOfFinal }, this.#head);
    });
  }

  /** What was journaled before survives as `durability` promises for the end of a turn. */
  async settle(): Promise<void> {
    if (this.#options.durability !== "none") await this.#options.store.flush();
  }

  async update(patch: SessionPatch): Promise<SessionRecord> {
    this.touch();
    const record = await this.writes.runSurely(() => this.#options.store.update(this.id, patch, this.#lease));
    if (this.#options.durability === "full") await this.#options.store.flush();
    tellUpdate(this.#options.tell, record, patch);
    return record;
  }

  /** Extends the lease and stores who holds it. Errors: `LEASE_LOST`. */
  async renew(holder: Holder = this.#lease.holder): Promise<void> {
    const { expiresAtMs } = await this.writes.runSurely(() =>
      this.#options.store.renew({ ...this.#lease, holder }),
    );
    // Whether a turn runs may have changed meanwhile.
    this.#lease = { ...this.#lease, holder, expiresAtMs };
  }

  /**
   * Reads of the session's entries. One that a seal has cut across is done once more, if the seal was ours; else
   * the lease is lost. Errors: `LEASE_LOST`, `STORE_…`.
   */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!isSidecarError(error, "STORE_CONFLICT")) throw error;
      await this.renew();
      return await read();
    }
  }

  /** Gives the session back; a lease that is lost already is no failure. */
  async release(): Promise<void> {
    this.endUse();
    await this.#options.store.release(this.#lease);
  }

  async #write(write: () => Promise<void>): Promise<void> {
    this.touch();
    await this.writes.run(write);
  }

  async #ask(): Promise<boolean> {
    const record = await this.#options.store.get(this.id);
    if (record === undefined) throw sessionNotFound(this.id);
    const isNews = record.headSeq !== this.#head || record.sealedSeq !== this.#sealed;
    [this.#head, this.#sealed] = [record.headSeq, record.sealedSeq];
    this.#unsealed.drop();
    this.#chain.forget();
    return isNews;
  }

  /** What was unsealed and goes on with `added`, folded, and `last`: from the first one that is not in the store like that. */
  async #final(
    added: readonly NewEntry[],
    last: readonly NewEntry[],
  ): Promise<{ from: number; final: NewEntry[] }> {
    const stored =
      this.#head === this.#sealed ? [] : (this.#unsealed.entries ?? (await this.#readUnsealed()));
    const folded = foldEntries([...stored, ...added], this.#compactions, this.#begunBefore);
    const final = [...folded, ...last];
    const linked = await this.#chain.linked(final, this.#sealed);
    if (linked !== undefined) final[final.length - 1] = linked;
    const most = Math.min(stored.length, final.length - last.length);
    const same = storedAlready(final, stored, most);
    return { from: this.#sealed + 1 + same, final: final.slice(same) };
  }

  #readUnsealed(): Promise<NewEntry[]> {
    const range = { from: this.#sealed + 1, through: this.#head };
    return this.reading(() => collect(this.#options.store.read(this.id, range)));
  }
}
