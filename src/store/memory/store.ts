/** The Store contract kept in this process's memory, whatever decides how long sessions stay there. */
import type { SessionId } from "../../base/ids.ts";
import { frozenCopy } from "../copy.ts";
import { matches, pageOf } from "../query.ts";
import { extend, newSession, pageFrom, put, recordOf, type Session } from "./session.ts";
import { patched } from "../patch.ts";
import { sealedWhileRead, sessionExists, sessionNotFound } from "../refusals.ts";
import { checkAppend, checkFork, checkLease, checkSeal, takeLease } from "../rules.ts";
import type {
  Acquired,
  Entry,
  EntryRange,
  Lease,
  LeaseRequest,
  Lineage,
  NewEntry,
  NewSession,
  Page,
  SealRange,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  StoreStats,
} from "../contract.ts";
import type { StoreDriver } from "../driver.ts";

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
export class MemoryDriver implements StoreDriver {
  readonly name: string;
  readonly capabilities = { persistent: false, shared: false, survivesPowerLoss: false };
  readonly #sessions: SessionTable;

  constructor(name: string, sessions: SessionTable) {
    this.name = name;
    this.#sessions = sessions;
  }

  create(given: NewSession): SessionRecord {
    if (this.#sessions.has(given.id)) throw sessionExists(given.id);
    const parent = given.lineage === undefined ? undefined : this.#forkable(given.lineage);
    const session = newSession(given, parent?.journal);
    this.#sessions.add(session);
    return recordOf(session);
  }

  get(id: SessionId): SessionRecord | undefined {
    const session = this.#sessions.get(id);
    return session && recordOf(session);
  }

  update(id: SessionId, patch: SessionPatch, lease?: Lease): SessionRecord {
    const session = lease === undefined ? this.#existing(id) : this.#leased(id, lease);
    const facts = Object.freeze(patched(session.facts, frozenCopy(patch)));
    this.#sessions.admit?.(session, facts, []);
    session.facts = facts;
    session.updatedAtMs = patch.updatedAtMs ?? session.updatedAtMs;
    session.record = undefined;
    if (lease !== undefined) extend(session, lease);
    this.#sessions.wrote?.(session);
    return recordOf(session);
  }

  delete(id: SessionId): boolean {
    return this.#sessions.delete(id);
  }

  list(query: SessionQuery): Page<SessionRecord> {
    return pageOf(this.#records(), query);
  }

  count(filter: SessionFilter): number {
    let found = 0;
    for (const record of this.#records()) if (matches(record, filter)) found += 1;
    return found;
  }

  append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): number {
    const session = this.#leased(id, lease);
    checkAppend(id, session.headSeq, after);
    this.#sessions.admit?.(session, session.facts, entries);
    put(session, entries);
    const last = entries.at(-1);
    if (last !== undefined) session.updatedAtMs = last.atMs;
    extend(session, lease);
    this.#sessions.wrote?.(session);
    return session.headSeq;
  }

  seal(id: SessionId, range: SealRange, entries: readonly NewEntry[], lease: Lease): number {
    const session = this.#leased(id, lease);
    checkSeal(id, session, range);
    const { journal } = session;
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

  *read(id: SessionId, range: Required<EntryRange>): Generator<readonly Entry[]> {
    const { journal, headSeq, sealedSeq } = this.#existing(id);
    const through = Math.min(range.through, headSeq);
    let finalSeq = sealedSeq;
    let next = range.from;
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

  acquire(id: SessionId, request: LeaseRequest): Acquired {
    const session = this.#existing(id);
    const acquired = takeLease(id, session, request, Date.now());
    const { holder, fence, sinceMs, expiresAtMs, turnRunning } = acquired.lease;
    session.fence = fence;
    session.lease = { holder, fence, sinceMs, expiresAtMs, turnRunning };
    session.record = undefined;
    this.#sessions.wrote?.(session);
    return acquired;
  }

  renew(lease: Lease): Lease {
    const session = this.#leased(lease.sessionId, lease);
    const holder = frozenCopy(lease.holder);
    const state = extend(session, lease);
    state.holder = holder;
    this.#sessions.wrote?.(session);
    return Object.freeze({ ...state, sessionId: lease.sessionId, ttlMs: lease.ttlMs });
  }

  release(lease: Lease): void {
    const session = this.#sessions.get(lease.sessionId);
    if (session?.lease?.fence !== lease.fence) return;
    session.lease = undefined;
    session.record = undefined;
    this.#sessions.wrote?.(session);
  }

  flush(): void {}

  stats(): StoreStats {
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

  close(): void {
    this.#sessions.close();
  }

  *#records(): Generator<SessionRecord> {
    for (const session of this.#sessions.values()) yield recordOf(session);
  }

  #existing(id: SessionId): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw sessionNotFound(id);
    return session;
  }

  #leased(id: SessionId, lease: Lease): Session {
    const session = this.#existing(id);
    checkLease(id, session.lease, lease);
    return session;
  }

  #forkable(lineage: Lineage): Session {
    const parent = this.#existing(lineage.parentId);
    checkFork(lineage, parent.sealedSeq);
    return parent;
  }
}
