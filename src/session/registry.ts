/**
 * The one door to sessions: create, find, read, change, write, end, list, count, expire, and be told of it all. The
 * library, the relay and the commands stand on it.
 */
import { silentLogger } from "../base/log.ts";
import { newSessionId, type SessionId } from "../base/ids.ts";
import { KeyedQueue } from "../base/queue.ts";
import { given } from "../store/arguments.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { SessionFilter, SessionPatch, SessionRecord, Store } from "../store/contract.ts";
import { noAudit, type Audit } from "../audit/audit.ts";
import { auditDoor } from "./audited.ts";
import { archiveSession, broughtBack, unarchiveSession } from "./archived.ts";
import { changeBriefly, holdBriefly, sealBriefly } from "./brief-hold.ts";
import { BroughtSessions } from "./brought.ts";
import { sealContext, type MakeContext } from "./context-entry.ts";
import { Compaction, type CompactionEffect, type CompactOptions } from "./compaction.ts";
import { changeSession, createSession, type Parts } from "./creation.ts";
import { Events, type Follower, type SessionEvent, type SessionHook, type Subscription } from "./events.ts";
import { Expiry } from "./expiry.ts";
import { figuresOf, type RegistryStats } from "./figures.ts";
import { keptInPlace, movedTo, placed } from "./folders.ts";
import { SessionFinder } from "./finder.ts";
import { GoingBack } from "./going-back.ts";
import { HeldRoom } from "./held.ts";
import { shown } from "./hidden.ts";
import type { OpenedJournal, Taking } from "./journal.ts";
import { LiveSet } from "./live.ts";
import { openSession, takeBriefly } from "./opening.ts";
import { notCompacted, Originals } from "./originals.ts";
import { Removal } from "./removal.ts";
import { Trash, type OnGone } from "./trash.ts";
import { messageEntry, type NewMessage } from "./messages.ts";
import { renameSession, titleFrom } from "./rename.ts";
import { Sharing } from "./sharing.ts";
import { sealSummary, summaryEntry, type NewSummary } from "./summaries.ts";
import { forkOf, withDefaults } from "./registry-options.ts";
import type { RegistryDefaults, RegistryOptions, SessionInit } from "./registry-options.ts";

/** Owns its rounds of expiry, not the store: who opened the store closes it, after `close()`. */
export class SessionRegistry extends SessionFinder {
  readonly live: LiveSet;
  readonly trash: Trash;
  readonly back: GoingBack;
  readonly compaction: Compaction;
  readonly originals: Originals;
  readonly brought: BroughtSessions;
  readonly audit: Audit;
  readonly sharing: Sharing;
  readonly #store: Store;
  readonly #options: RegistryDefaults;
  readonly #events: Events;
  readonly #parts: Parts;
  readonly #removal: Removal;
  readonly #expiry: Expiry;
  /** Read-change-write per session, one after the other. */
  readonly #writes = new KeyedQueue<SessionId>();

  constructor(wanted: RegistryOptions) {
    const { store, log = silentLogger, now = Date.now } = given.options(wanted);
    const options = withDefaults(wanted);
    super(store, options.passOver);
    [this.#options, this.#store, this.audit] = [options, store, wanted.audit ?? noAudit];
    this.#events = new Events(log);
    this.live = new LiveSet(options.maxSessions, wanted.now);
    this.originals = new Originals({ ...options, store });
    const { live, originals, audit } = this;
    this.#parts = { ...options, store, live, events: this.#events, room: new HeldRoom(), originals, audit };
    this.#removal = new Removal({ ...options, ...this.#parts });
    this.trash = new Trash(this.#parts, options);
    this.brought = new BroughtSessions(this.#parts, options);
    const door = { store, now, get: (id: SessionId) => this.get(id), take: this.#take };
    this.sharing = new Sharing({ ...door, audit, tell: this.#events.tell });
    this.back = new GoingBack({ ...options, ...door });
    this.compaction = new Compaction({ ...door, originals: this.originals });
    auditDoor(this, this.#removal, audit, options.trashMs > 0);
    this.#expiry = new Expiry({ ...options, ...this.#parts, removal: this.#removal, trash: this.trash, log });
  }

  /**
   * Calls `hook` at every such event. `create` and `idle` ask: they are awaited, and a hook that fails refuses. All
   * others tell what has been written: nothing waits for the hook, it is called in order, one event at a time, and
   * what it is too far behind for is dropped and counted. Returns the function that ends the subscription.
   */
  on<E extends SessionEvent>(event: E, hook: SessionHook<E>, subscription?: Subscription): () => void {
    return this.#events.on(event, given.callback(hook), subscription);
  }

  /** Calls `take` with all that is told, in the order in which it happened: for what follows whole sessions. */
  follow(take: Follower, subscription?: Subscription): () => void {
    return this.#events.follow(given.callback(take), subscription);
  }

  /** Errors: `SESSION_LIMIT`, `SESSION_NOT_FOUND` for an unknown parent, `STORE_…`. */
  async create(init: SessionInit, id: SessionId = newSessionId()): Promise<SessionRecord> {
    return createSession(this.#parts, this.#options.durability, placed(given.init(init)), id);
  }

  /** A new session that shares the parent's entries up to `atSeq` (its head, unless told). */
  async fork(parentId: SessionId, atSeq?: number): Promise<SessionRecord> {
    const parent = await this.get(parentId);
    const metadata = notCompacted(broughtBack(shown(parent.metadata)));
    return this.create({ ...forkOf(parent, atSeq ?? parent.sealedSeq), metadata });
  }

  /**
   * Takes a session to write to it; what a killed holder left is sealed. It is live until it is released or lost, and
   * all that is written is told. Errors: `SESSION_LIMIT`, `SESSION_NOT_FOUND`, `SESSION_BUSY`, `STORE_…`.
   */
  open(id: SessionId, taking: Taking = {}): Promise<OpenedJournal> {
    return openSession(this.#parts, this.#options, id, taking);
  }

  /** Changes a session by a function of what it is; counts as activity. Errors: `SESSION_NOT_FOUND`. */
  async update(id: SessionId, change: (record: SessionRecord) => SessionPatch): Promise<SessionRecord> {
    return this.#writes.run(id, async () => {
      const before = await this.get(id);
      const patch = given.patch(given.callback(change)(before));
      return changeSession(this.#parts, before, keptInPlace(before, patch));
    });
  }

  /** Puts a session whose project has moved into its new folder. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` in a turn. */
  move(id: SessionId, folder: string): Promise<SessionRecord> {
    return changeBriefly((record) => movedTo(record, given.folder(folder)), this.#taking(id));
  }

  /**
   * Out of lists, and into less room, until it is opened. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` in a turn;
   * `STORE_…` also when it is archived and still takes its usual room: do it again.
   */
  archive(id: SessionId): Promise<SessionRecord> {
    return archiveSession(this.#parts, id, this.#taking(given.id(id)));
  }

  /** Gives it a title; no activity. Errors: `SESSION_NOT_FOUND`, `INVALID_PARAMS` for an empty one. */
  async rename(id: SessionId, title: string): Promise<SessionRecord> {
    return renameSession(this.#parts, await this.get(id), titleFrom(title), this.#taking(id));
  }

  /** Back into lists, where it was. Errors: `SESSION_NOT_FOUND`. */
  async unarchive(id: SessionId): Promise<SessionRecord> {
    return this.#writes.run(id, async () => unarchiveSession(this.#parts, await this.get(id)));
  }

  /** What tools gave and agents thought in old turns makes room for notes; `undo` is in `compaction`. Errors: as there. */
  async compact(id: SessionId, options?: CompactOptions): Promise<CompactionEffect> {
    return this.#writes.run(id, () => this.compaction.compact(given.id(id), options));
  }

  /** Notes activity. Errors: `SESSION_NOT_FOUND`. */
  touch(id: SessionId): Promise<SessionRecord> {
    return this.update(id, () => ({}));
  }

  /**
   * Adds a message. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` while a turn runs or this process holds it,
   * `ENTRY_LIMIT`, `INVALID_PARAMS`.
   */
  async addMessage(id: SessionId, message: NewMessage): Promise<void> {
    const { now, maxEntryBytes } = this.#options;
    const entry = messageEntry(given.message(message), now(), maxEntryBytes);
    await this.#writes.run(id, async () => {
      await sealBriefly(entry, this.#taking(id));
      this.live.touch(id);
    });
  }

  /** Adds a summary, for agents that do not remember the session. Errors: as `addMessage`; `INVALID_PARAMS` for an entry that is not final. */
  async addSummary(id: SessionId, summary: NewSummary): Promise<void> {
    const { now, maxEntryBytes } = this.#options;
    const entry = summaryEntry(summary, now(), maxEntryBytes);
    const seal = (opened: OpenedJournal) => sealSummary(opened, summary.throughSeq, entry);
    await this.#writes.run(id, () => holdBriefly(seal, this.#taking(id)));
  }

  /** Adds what is known of its project: for `SessionContext`. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` where anybody has it open. */
  addContext(id: SessionId, make: MakeContext): Promise<void> {
    return this.#writes.run(id, () => sealContext(make, this.#taking(given.id(id))));
  }

  /** From now on the conversation is what it was when `toSeq` was its last entry; more is in `back`. Errors: as there. */
  async rewind(id: SessionId, toSeq: number): Promise<SessionRecord> {
    return this.#writes.run(id, () => this.back.rewind(id, toSeq));
  }

  /** The same to just before the prompt at `seq`, and then says this. Errors: as `rewind`, `addMessage`. */
  async edit(id: SessionId, seq: number, message: NewMessage): Promise<SessionRecord> {
    return this.#writes.run(id, () => this.back.edit(id, seq, message));
  }

  readonly #take = (id: SessionId, taking: Taking) => takeBriefly(this.#parts, this.#options, id, taking);
  readonly #taking = (id: SessionId) => (taking: Taking) => this.#take(id, taking);

  /** Deletes a session for good and returns what it was. Errors: `SESSION_NOT_FOUND`. */
  async end(id: SessionId): Promise<SessionRecord> {
    const record = await this.get(id);
    if (!(await this.delete(id))) throw sessionNotFound(id);
    return record;
  }

  /** For good. True if it was there. On return it will not come back after a power cut either, unless durability is `none`. */
  delete(id: SessionId): Promise<boolean> {
    return this.#removal.delete(id);
  }

  /** Puts a session into the trash. False if it is not there. Errors: `SESSION_BUSY` in a turn, unless forced. */
  remove(id: SessionId, { force = false } = {}): Promise<boolean> {
    return this.#removal.remove(id, force);
  }

  /** What was written before is as safe as durability promises at the end of a turn. */
  settle(): Promise<void> {
    return this.#removal.settle();
  }

  async stats(): Promise<RegistryStats> {
    return figuresOf(this.#store, this.trash, this.live);
  }

  /** What `expire` would take. */
  aged(age: { readonly idleForMs: number }): AsyncIterable<SessionRecord> {
    return this.#removal.aged(given.age(age).idleForMs);
  }

  /** Puts every session without activity for `idleForMs` that nobody holds into the trash. Returns how many. */
  async expire(age: { readonly idleForMs: number }, onGone?: OnGone): Promise<number> {
    return this.#removal.expire(given.age(age).idleForMs, onGone);
  }

  /** Deletes for good every session that `filter` matches. Returns how many. */
  async clear(filter: SessionFilter = {}): Promise<number> {
    return this.#removal.clear(given.query(filter));
  }

  /** Starts rounds of `sweep` at the configured interval. */
  startSweeper(): void {
    this.#expiry.start(this.#options.sweepIntervalMs);
  }

  /** One round: idle sessions are no longer live, old ones go into the trash and leave it. Failures are logged. */
  sweep(): Promise<void> {
    return this.#expiry.sweep();
  }

  /** Settles when subscribers have had all that was told before. */
  delivered(): Promise<void> {
    return this.#events.delivered();
  }

  /** Ends the rounds of expiry. Nothing waits for subscribers: see `delivered`. */
  close(): Promise<void> {
    return this.#expiry.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
