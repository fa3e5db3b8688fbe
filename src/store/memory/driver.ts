/** What the stores in memory have in common: the contract over a table of sessions. */
import type { SessionId } from "../../base/ids.ts";
import { frozenCopy } from "../copy.ts";
import { matches, pageOf } from "../query.ts";
import { cut, hold, newSession, pageFrom, put, recordOf, replace, type StoredSession } from "./session.ts";
import { patched } from "../patch.ts";
import { sessionExists, sessionNotFound } from "../refusals.ts";
import {
  checkAppend,
  checkFork,
  checkLease,
  checkReadOn,
  checkRewrite,
  checkSeal,
  leaseFor,
  takeLease,
} from "../rules.ts";
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
  get(id: SessionId): StoredSession | undefined;
  /** Errors: `STORE_FULL`. */
  add(session: StoredSession): void;
  /** Asked before a session gets these facts and entries. Errors: `STORE_FULL`. */
  admit?(session: StoredSession, facts: NewSession, entries: readonly NewEntry[]): void;
  /** Told after each write to a session. */
  wrote?(session: StoredSession): void;
  delete(id: SessionId): boolean;
  values(): Iterable<StoredSession>;
  /** Figures of its own, for `stats()`. */
  details?(): Readonly<Record<string, number>>;
  close(): void;
}

/** The Store contract over a table of sessions. What it hands out is frozen, so nothing needs to be copied. */
export class MemoryDriver implements StoreDriver {
  readonly name: string;
  readonly changesMetadata = true;
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
    this.#wrote(session, lease);
    return recordOf(session);
  }

  delete(id: SessionId, lease?: Lease): boolean {
    const session = lease === undefined ? undefined : this.#sessions.get(id);
    if (lease !== undefined && session !== undefined) checkLease(id, session.lease, lease);
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
    this.#wrote(session, lease);
    return session.headSeq;
  }

  seal(id: SessionId, range: SealRange, entries: readonly NewEntry[], lease: Lease): number {
    const session = this.#leased(id, lease);
    checkSeal(id, session, range);
    this.#sessions.admit?.(session, session.facts, entries);
    cut(session, range.from);
    put(session, entries);
    session.updatedAtMs = Math.max(session.updatedAtMs, entries.at(-1)?.atMs ?? 0);
    session.sealedSeq = session.headSeq;
    this.#wrote(session, lease);
    return session.headSeq;
  }

  rewrite(id: SessionId, from: number, entries: readonly NewEntry[], lease: Lease): void {
    const session = this.#leased(id, lease);
    const bounds = { baseSeq: session.journal.baseSeq, sealedSeq: session.sealedSeq };
    checkRewrite(id, bounds, from, entries.length);
    this.#sessions.admit?.(session, session.facts, entries);
    replace(session, from, entries);
    this.#wrote(session, lease);
  }

  *read(id: SessionId, range: Required<EntryRange>): Generator<readonly Entry[]> {
    const { journal, headSeq, sealedSeq } = this.#existing(id);
    const through = Math.min(range.through, headSeq);
    let before = { sealedSeq, given: 0 };
    for (let next = range.from; next <= through; next = before.given + 1) {
      const { sealedSeq: finalSeq } = this.#existing(id);
      checkReadOn(id, before, finalSeq);
      const page = pageFrom(journal, next, through);
      if (page.length === 0) return;
      yield page;
      before = { sealedSeq: finalSeq, given: next + page.length - 1 };
    }
  }

  acquire(id: SessionId, request: LeaseRequest): Acquired {
    const session = this.#existing(id);
    const acquired = takeLease(id, session, request, Date.now());
    hold(session, acquired.lease);
    this.#wrote(session);
    return acquired;
  }

  renew(lease: Lease): Lease {
    const { sessionId, holder, fence, turnRunning, ttlMs } = lease;
    const session = this.#leased(sessionId, lease);
    const { sinceMs } = session.lease ?? lease;
    const expiresAtMs = Date.now() + ttlMs;
    const renewed = leaseFor(sessionId, { holder, fence, sinceMs, expiresAtMs, turnRunning }, ttlMs);
    hold(session, renewed);
    this.#wrote(session);
    return renewed;
  }

  release(lease: Lease): void {
    const session = this.#sessions.get(lease.sessionId);
    if (session?.lease?.fence !== lease.fence) return;
    session.lease = undefined;
    this.#wrote(session);
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

  #existing(id: SessionId): StoredSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw sessionNotFound(id);
    return session;
  }

  #leased(id: SessionId, lease: Lease): StoredSession {
    const session = this.#existing(id);
    checkLease(id, session.lease, lease);
    return session;
  }

  /** @param lease the one that it was written under */
  #wrote(session: StoredSession, lease?: Lease): void {
    if (lease !== undefined && session.lease !== undefined) {
      session.lease.expiresAtMs = Date.now() + lease.ttlMs;
      session.lease.turnRunning = lease.turnRunning;
    }
    session.record = undefined;
    this.#sessions.wrote?.(session);
  }

  #forkable(lineage: Lineage): StoredSession {
    const parent = this.#existing(lineage.parentId);
    checkFork(lineage, parent.sealedSeq);
    return parent;
  }
}
