/** The Store contract kept in this process's memory, whatever decides how long sessions stay there. */
import type { SessionId } from "../../base/ids.ts";
import { frozen, frozenCopy } from "../copy.ts";
import { matches, pageOf } from "../query.ts";
import { extend, newSession, pageFrom, put, recordOf, type Session } from "./session.ts";
import { patched } from "../patch.ts";
import {
  alreadySealed,
  forkBeyondSealed,
  journalConflict,
  leaseLost,
  sealedWhileRead,
  sessionBusy,
  sessionExists,
  sessionNotFound,
  storeClosed,
} from "../refusals.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  Page,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreStats,
} from "../contract.ts";

/** Where a store in memory has its sessions: what it forgets by itself is simply gone. */
export interface SessionTable {
  has(id: SessionId): boolean;
  get(id: SessionId): Session | undefined;
  /** Errors: `STORE_FULL`. */
  add(session: Session): void;
  /** Asked before a session gets these facts and entries. Errors: `STORE_FULL`. */
  admit?(session: Session, facts: NewSession, entries: readonly NewEntry[]): void;
  /** Told after each write to a session. */
  wrote?(session: Session): void;
  delete(id: SessionId): boolean;
  values(): Iterable<Session>;
  /** Figures of its own, for `stats()`. */
  details?(): Readonly<Record<string, number>>;
  close(): void;
}

/** The Store contract over a table of sessions. What it hands out is frozen, so nothing needs to be copied. */
export class MemoryStore implements Store {
  readonly name: string;
  readonly capabilities = { persistent: false, shared: false, survivesPowerLoss: false };
  readonly #sessions: SessionTable;
  #closed = false;

  constructor(name: string, sessions: SessionTable) {
    this.name = name;
    this.#sessions = sessions;
  }

  async create(given: NewSession): Promise<SessionRecord> {
    this.#assertOpen();
    if (this.#sessions.has(given.id)) throw sessionExists(given.id);
    const parent = given.lineage === undefined ? undefined : this.#forkable(given.lineage);
    const session = newSession(given, parent?.journal);
    this.#sessions.add(session);
    return recordOf(session);
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    this.#assertOpen();
    const session = this.#sessions.get(id);
    return session && recordOf(session);
  }

  async update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord> {
    const session = lease === undefined ? this.#existing(id) : this.#leased(id, lease);
    const facts = frozen(patched(session.facts, patch));
    this.#sessions.admit?.(session, facts, []);
    session.facts = facts;
    session.updatedAtMs = patch.updatedAtMs ?? session.updatedAtMs;
    session.record = undefined;
    if (lease !== undefined) extend(session, lease);
    this.#sessions.wrote?.(session);
    return recordOf(session);
  }

  async delete(id: SessionId): Promise<boolean> {
    this.#assertOpen();
    return this.#sessions.delete(id);
  }

  async list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    this.#assertOpen();
    return pageOf(this.#records(), query);
  }

  async count(filter: SessionFilter = {}): Promise<number> {
    this.#assertOpen();
    let found = 0;
    for (const record of this.#records()) if (matches(record, filter)) found += 1;
    return found;
  }

  async append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number> {
    const session = this.#leased(id, lease);
    if (after !== session.headSeq) throw journalConflict(id, after, session.headSeq);
    this.#sessions.admit?.(session, session.facts, entries);
    put(session, entries);
    const last = entries.at(-1);
    if (last !== undefined) session.updatedAtMs = last.atMs;
    extend(session, lease);
    this.#sessions.wrote?.(session);
    return session.headSeq;
  }

  async seal(
    id: SessionId,
    range: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): Promise<number> {
    const session = this.#leased(id, lease);
    const { journal, headSeq, sealedSeq } = session;
    if (range.head !== headSeq || range.from > headSeq + 1) throw journalConflict(id, range.head, headSeq);
    if (range.from <= sealedSeq) throw alreadySealed(id, range.from, sealedSeq);
    this.#sessions.admit?.(session, session.facts, entries);
    const replaced = journal.entries.splice(range.from - 1 - journal.baseSeq);
    for (const entry of replaced) journal.bytes -= entry.data.length;
    session.headSeq = range.from - 1;
    put(session, entries);
    session.updatedAtMs = Math.max(session.updatedAtMs, entries.at(-1)?.atMs ?? 0);
    session.sealedSeq = session.headSeq;
    extend(session, lease);
    this.#sessions.wrote?.(session);
    return session.headSeq;
  }

  async *read(id: SessionId, range: EntryRange = {}): AsyncGenerator<readonly Entry[]> {
    const { journal, headSeq, sealedSeq } = this.#existing(id);
    const through = Math.min(range.through ?? Infinity, headSeq);
    let finalSeq = sealedSeq;
    let next = Math.max(range.from ?? 1, 1);
    for (let read = 0; next <= through; next = read + 1) {
      const now = this.#existing(id);
      if (now.sealedSeq !== finalSeq && read > finalSeq) throw sealedWhileRead(id);
      finalSeq = now.sealedSeq;
      const page = pageFrom(journal, next, through);
      if (page.length === 0) return;
      yield page;
      read = next + page.length - 1;
    }
  }

  async acquire(id: SessionId, request: LeaseRequest): Promise<Acquired> {
    const session = this.#existing(id);
    const { holder, ttlMs } = request;
    const previous = session.lease && frozen({ ...session.lease });
    const sinceMs = Date.now();
    if (previous !== undefined && previous.expiresAtMs > sinceMs && !request.mayTake(previous)) {
      throw sessionBusy(id, previous);
    }
    session.fence += 1;
    session.record = undefined;
    const expiresAtMs = sinceMs + ttlMs;
    const { fence } = session;
    session.lease = { holder: frozenCopy(holder), fence, sinceMs, expiresAtMs, turnRunning: false };
    this.#sessions.wrote?.(session);
    const lease = frozen({ ...session.lease, sessionId: id, ttlMs });
    return previous === undefined ? { lease } : { lease, previous };
  }

  async renew(lease: Lease): Promise<Lease> {
    const session = this.#leased(lease.sessionId, lease);
    const holder = frozenCopy(lease.holder);
    const state = extend(session, lease);
    state.holder = holder;
    this.#sessions.wrote?.(session);
    return frozen({ ...state, sessionId: lease.sessionId, ttlMs: lease.ttlMs });
  }

  async release(lease: Lease): Promise<void> {
    this.#assertOpen();
    const session = this.#sessions.get(lease.sessionId);
    if (session?.lease?.fence !== lease.fence) return;
    session.lease = undefined;
    session.record = undefined;
    this.#sessions.wrote?.(session);
  }

  async flush(): Promise<void> {
    this.#assertOpen();
  }

  async stats(): Promise<StoreStats> {
    this.#assertOpen();
    let sessions = 0;
    let entries = 0;
    let bytes = 0;
    for (const { journal } of this.#sessions.values()) {
      sessions += 1;
      entries += journal.entries.length;
      bytes += journal.bytes;
    }
    const details = this.#sessions.details?.();
    return { sessions, entries, bytes, ...(details && { details }) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sessions.close();
  }

  *#records(): Generator<SessionRecord> {
    for (const session of this.#sessions.values()) yield recordOf(session);
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed(this.name);
  }

  #existing(id: SessionId): Session {
    this.#assertOpen();
    const session = this.#sessions.get(id);
    if (session === undefined) throw sessionNotFound(id);
    return session;
  }

  #leased(id: SessionId, lease: Lease): Session {
    const session = this.#existing(id);
    if (session.lease?.fence !== lease.fence || lease.sessionId !== id) {
      throw leaseLost(id, session.lease && frozenCopy(session.lease));
    }
    return session;
  }

  #forkable({ parentId, atSeq }: { parentId: SessionId; atSeq: number }): Session {
    const parent = this.#existing(parentId);
    if (atSeq > parent.sealedSeq) throw forkBeyondSealed(parentId, atSeq, parent.sealedSeq);
    return parent;
  }
}
