/** Session records: creating, reading, patching. */
import type { Database, Statement } from "./engine.ts";
import type { SessionId } from "../../../base/ids.ts";
import { patched } from "../../patch.ts";
import { forkBeyondSealed, sessionExists, sessionNotFound } from "../../refusals.ts";
import type { Lease, Lineage, NewSession, SessionPatch, SessionRecord } from "../../contract.ts";
import type { RecordRow } from "./schema.ts";
import { leaseIn, storedJson, type Sessions } from "./sessions.ts";
import { termsOf } from "./terms.ts";

/** A row of `journals`. */
interface JournalRow {
  readonly no: number;
  readonly parent_no: number | null;
  readonly base_seq: number;
}

export class Records {
  readonly #sessions: Sessions;
  readonly #select: Statement<[string], RecordRow>;
  readonly #selectJournal: Statement<[number], JournalRow>;
  readonly #insertJournal: Statement<[number | null, number]>;
  readonly #insertSession: Statement<[number, string, number, number, number, number]>;
  readonly #insertFacts: Statement<[number, string]>;
  readonly #updateFacts: Statement<[string, number]>;
  readonly #updateActivity: Statement<[number, number]>;
  readonly #insertTerm: Statement<[string, number]>;
  readonly #deleteTerm: Statement<[string, number]>;

  constructor(db: Database, sessions: Sessions) {
    this.#sessions = sessions;
    this.#select = db.prepare("SELECT * FROM sessions JOIN records USING (no) WHERE id = ?");
    this.#selectJournal = db.prepare("SELECT no, parent_no, base_seq FROM journals WHERE no = ?");
    this.#insertJournal = db.prepare("INSERT INTO journals (parent_no, base_seq) VALUES (?, ?)");
    this.#insertSession = db.prepare(
      `INSERT INTO sessions (no, id, updated_at_ms, base_seq, head_seq, sealed_seq) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#insertFacts = db.prepare("INSERT INTO records (no, facts) VALUES (?, ?)");
    this.#updateFacts = db.prepare("UPDATE records SET facts = ? WHERE no = ?");
    this.#updateActivity = db.prepare("UPDATE sessions SET updated_at_ms = ? WHERE no = ?");
    this.#insertTerm = db.prepare("INSERT INTO terms (term, no) VALUES (?, ?)");
    this.#deleteTerm = db.prepare("DELETE FROM terms WHERE term = ? AND no = ?");
  }

  get(id: SessionId): SessionRecord | undefined {
    const row = this.#select.get(id);
    return row && recordIn(row);
  }

  create(given: NewSession): SessionRecord {
    const { id, updatedAtMs, lineage } = given;
    if (this.#sessions.find(id) !== undefined) throw sessionExists(id);
    const atSeq = lineage?.atSeq ?? 0;
    const parent = lineage && this.#journalToShare(lineage);
    const no = Number(this.#insertJournal.run(parent ?? null, atSeq).lastInsertRowid);
    this.#insertSession.run(no, id, updatedAtMs, atSeq, atSeq, atSeq);
    this.#insertFacts.run(no, factsOf(given));
    for (const term of termsOf(given)) this.#insertTerm.run(term, no);
    return this.#existing(id);
  }

  update(id: SessionId, patch: SessionPatch, lease: Lease | undefined): SessionRecord {
    const row = lease === undefined ? this.#sessions.existing(id) : this.#sessions.leased(id, lease);
    const { updatedAtMs, ...others } = patch;
    if (updatedAtMs !== undefined) this.#updateActivity.run(updatedAtMs, row.no);
    if (Object.keys(others).length > 0) this.#updateRecord(row.no, this.#existing(id), others);
    if (lease !== undefined) this.#sessions.extend(row, lease);
    return this.#existing(id);
  }

  /** Removes the session and what finds it; its journal stays. Returns the journal's number. */
  delete(id: SessionId): number | undefined {
    const row = this.#select.get(id);
    if (row === undefined) return undefined;
    for (const term of termsOf(recordIn(row))) this.#deleteTerm.run(term, row.no);
    return row.no;
  }

  #existing(id: SessionId): SessionRecord {
    const record = this.get(id);
    if (record === undefined) throw sessionNotFound(id);
    return record;
  }

  #updateRecord(no: number, before: SessionRecord, patch: SessionPatch): void {
    const after = patched(before, patch);
    this.#updateFacts.run(factsOf(after), no);
    const [old, now] = [new Set(termsOf(before)), new Set(termsOf(after))];
    for (const term of old) if (!now.has(term)) this.#deleteTerm.run(term, no);
    for (const term of now) if (!old.has(term)) this.#insertTerm.run(term, no);
  }

  /** The journal that holds entry `atSeq` of the parent: the parent's own, or one that it inherits from. */
  #journalToShare({ parentId, atSeq }: Lineage): number | undefined {
    const parent = this.#sessions.existing(parentId);
    if (atSeq > parent.sealed_seq) throw forkBeyondSealed(parentId, atSeq, parent.sealed_seq);
    let journal = this.#selectJournal.get(parent.no);
    while (journal !== undefined && journal.base_seq >= atSeq) {
      journal = journal.parent_no === null ? undefined : this.#selectJournal.get(journal.parent_no);
    }
    return journal?.no;
  }
}

export function recordIn(row: RecordRow): SessionRecord {
  const lease = leaseIn(row);
  return {
    id: row.id as SessionId,
    updatedAtMs: row.updated_at_ms,
    ...(storedJson(row.facts, row.id) as Omit<NewSession, "id" | "updatedAtMs">),
    headSeq: row.head_seq,
    sealedSeq: row.sealed_seq,
    ...(lease && { lease }),
  };
}

/** What the `sessions` row does not hold. */
export function factsOf(session: NewSession): string {
  const { createdAtMs, cwd, additionalDirectories, title, client, agent, mcpServerNames } = session;
  const { agentSessionIds, settings, lineage, metadata } = session;
  return JSON.stringify({
    createdAtMs,
    cwd,
    additionalDirectories,
    title,
    client,
    agent,
    mcpServerNames,
    agentSessionIds,
    settings,
    lineage,
    metadata,
  });
}
