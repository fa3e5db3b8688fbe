/** The Store contract as plainly as it can be said: what the model check holds a real store against. */
import type { SessionId } from "../../src/base/ids.ts";
import type { Holder, NewEntry, NewSession, SessionFilter, SessionPatch } from "../../src/store/contract.ts";

export type Outcome = { readonly value: unknown } | { readonly code: string };

/** Leases are told apart by their ordinal in the session, for fencing numbers are the store's own. */
interface PlainLease {
  readonly ordinal: number;
  holder: Holder;
  turnRunning: boolean;
}

interface PlainSession {
  facts: NewSession;
  entries: NewEntry[];
  sealed: number;
  lease: PlainLease | undefined;
}

const ok = (value: unknown): Outcome => ({ value });
const failed = (code: string): Outcome => ({ code });

export class PlainStore {
  readonly #sessions = new Map<SessionId, PlainSession>();

  create(facts: NewSession): Outcome {
    const parent = facts.lineage && this.#sessions.get(facts.lineage.parentId);
    if (this.#sessions.has(facts.id)) return failed("SESSION_EXISTS");
    if (facts.lineage && !parent) return failed("SESSION_NOT_FOUND");
    const sealed = facts.lineage?.atSeq ?? 0;
    if (parent && sealed > parent.sealed) return failed("STORE_CONFLICT");
    const entries = parent?.entries.slice(0, sealed) ?? [];
    this.#sessions.set(facts.id, { facts, entries, sealed, lease: undefined });
    return this.get(facts.id);
  }

  get(id: SessionId): Outcome {
    const session = this.#sessions.get(id);
    if (!session) return ok(undefined);
    const { facts, entries, sealed, lease } = session;
    const held = lease && { holder: lease.holder, turnRunning: lease.turnRunning };
    return ok({ ...facts, headSeq: entries.length, sealedSeq: sealed, ...(held && { lease: held }) });
  }

  update(id: SessionId, patch: SessionPatch): Outcome {
    return this.#with(id, undefined, (session) => {
      const { title = session.facts.title, ...others } = patch;
      const { title: _title, ...facts } = session.facts;
      session.facts = { ...facts, ...others, ...(typeof title === "string" && { title }) };
      return this.get(id);
    });
  }

  delete(id: SessionId): Outcome {
    return ok(this.#sessions.delete(id));
  }

  append(id: SessionId, after: number, entries: NewEntry[], ordinal: number, turnRunning: boolean): Outcome {
    return this.#with(id, ordinal, (session) => {
      if (after !== session.entries.length) return failed("STORE_CONFLICT");
      session.entries.push(...entries);
      const updatedAtMs = entries.at(-1)?.atMs ?? session.facts.updatedAtMs;
      session.facts = { ...session.facts, updatedAtMs };
      if (session.lease) session.lease.turnRunning = turnRunning;
      return ok(session.entries.length);
    });
  }

  seal(id: SessionId, from: number, head: number, entries: NewEntry[], ordinal: number): Outcome {
    return this.#with(id, ordinal, (session) => {
      const length = session.entries.length;
      if (head !== length || from > length + 1 || from <= session.sealed) return failed("STORE_CONFLICT");
      session.entries.splice(from - 1, length, ...entries);
      session.sealed = session.entries.length;
      const updatedAtMs = Math.max(session.facts.updatedAtMs, entries.at(-1)?.atMs ?? 0);
      session.facts = { ...session.facts, updatedAtMs };
      if (session.lease) session.lease.turnRunning = false;
      return ok(session.sealed);
    });
  }

  acquire(id: SessionId, holder: Holder, mayTake: boolean, ordinal: number): Outcome {
    return this.#with(id, undefined, (session) => {
      const previous = session.lease;
      if (previous && !mayTake) return failed("SESSION_BUSY");
      session.lease = { ordinal, holder, turnRunning: previous?.turnRunning === true };
      return ok(previous && { holder: previous.holder, turnRunning: previous.turnRunning });
    });
  }

  renew(id: SessionId, holder: Holder, turnRunning: boolean, ordinal: number): Outcome {
    return this.#with(id, ordinal, (session) => {
      session.lease = { ordinal, holder, turnRunning };
      return ok({ holder, turnRunning });
    });
  }

  release(id: SessionId, ordinal: number): Outcome {
    const session = this.#sessions.get(id);
    if (session?.lease?.ordinal === ordinal) session.lease = undefined;
    return ok(undefined);
  }

  /** Ids in list order. */
  list(filter: SessionFilter): Outcome {
    const found = [...this.#sessions.values()]
      .map(({ facts }) => facts)
      .filter((facts) => filter.cwd === undefined || facts.cwd === filter.cwd)
      .filter((facts) => filter.parentId === undefined || facts.lineage?.parentId === filter.parentId)
      .filter(({ updatedAtMs }) => updatedAtMs < (filter.updatedBeforeMs ?? Infinity))
      .filter((facts) => Object.entries(filter.metadata ?? {}).every(([k, v]) => facts.metadata[k] === v))
      .sort((a, b) => b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : -1));
    return ok(found.map(({ id }) => id));
  }

  read(id: SessionId, from: number, through: number): Outcome {
    return this.#with(id, undefined, ({ entries }) => {
      const numbered = entries.map((entry, i) => ({ seq: i + 1, ...entry }));
      return ok(numbered.filter(({ seq }) => seq >= from && seq <= through));
    });
  }

  #with(id: SessionId, ordinal: number | undefined, doing: (session: PlainSession) => Outcome): Outcome {
    const session = this.#sessions.get(id);
    if (!session) return failed("SESSION_NOT_FOUND");
    if (ordinal !== undefined && session.lease?.ordinal !== ordinal) return failed("LEASE_LOST");
    return doing(session);
  }
}
