/** Journals: appending, sealing, reading pages. */
import type { Database, Statement } from "./engine.ts";
import { SidecarError } from "../../../base/errors.ts";
import type { SessionId } from "../../../base/ids.ts";
import { alreadySealed, journalConflict, leaseLost } from "../../refusals.ts";
import type { Entry, Lease, NewEntry } from "../../contract.ts";
import { wayOut } from "./errors.ts";
import { isEntry, isSummed, kindIn, markOf } from "./mark.ts";
import { leaseIn, type KnownSession, type Sessions } from "./sessions.ts";
import { SoundText } from "./sound-text.ts";

const pageEntries = 500;
const pageChars = 1 << 16;

/** `seq`, `at_ms`, `kind` (see mark.ts), `data`. */
type EntryRow = [number, number, number, string];

/** A stretch of entries that one journal holds. Both ends included. */
export interface Stretch {
  readonly no: number;
  readonly from: number;
  readonly through: number;
}

export class Entries {
  readonly #sessions: Sessions;
  readonly #texts: SoundText;
  readonly #advance: Statement<[number, number, number, number, number, number, number]>;
  readonly #advanceTime: Statement<[number, number, number, number, number, number, number]>;
  readonly #reseal: Statement<[number, number, number, number, number, number]>;
  readonly #insert: Statement<[number, number, number, number, string]>;
  readonly #remove: Statement<[number, number, number, number]>;
  readonly #select: Statement<[number, number, number, number, number], EntryRow>;
  readonly #selectBase: Statement<[number], [number | null, number]>;

  constructor(db: Database, sessions: Sessions) {
    this.#sessions = sessions;
    this.#texts = new SoundText(db);
    this.#advance = db.prepare(
      `UPDATE sessions SET head_seq = ?, expires_at_ms = ?, turn_running = ?
       WHERE no = ? AND fence = ? AND head_seq = ? AND updated_at_ms = ?`,
    );
    this.#advanceTime = db.prepare(
      `UPDATE sessions SET head_seq = ?, updated_at_ms = ?, expires_at_ms = ?, turn_running = ?
       WHERE no = ? AND fence = ? AND head_seq = ?`,
    );
    this.#reseal = db.prepare(
      `UPDATE sessions SET head_seq = ?, sealed_seq = ?, updated_at_ms = max(updated_at_ms, ?),
         expires_at_ms = ?, turn_running = ? WHERE no = ?`,
    );
    this.#insert = db.prepare("INSERT INTO entries (key, at_ms, kind, data) VALUES ((? << 32) | ?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM entries WHERE key BETWEEN (? << 32) | ? AND (? << 32) | ?");
    this.#select = db
      .prepare<[number, number, number, number, number], EntryRow>(
        `SELECT key & 0xffffffff, at_ms, kind, data FROM entries
         WHERE key BETWEEN (? << 32) | ? AND (? << 32) | ? ORDER BY key LIMIT ?`,
      )
      .raw();
    this.#selectBase = db
      .prepare<[number], [number | null, number]>("SELECT parent_no, base_seq FROM journals WHERE no = ?")
      .raw();
  }

  /** The hot path: one UPDATE that checks fence and head and moves head and lease, then the inserts. */
  append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): number {
    const last = entries.at(-1);
    if (last === undefined || lease.sessionId !== id) return this.#appendNothing(id, after, lease);
    const known = this.#sessions.knownOf(id);
    const head = after + entries.length;
    if (!this.#advanceHead(known, after, head, last.atMs, lease)) {
      this.#sessions.forget(id);
      const row = this.#sessions.existing(id);
      if (row.fence !== lease.fence) throw leaseLost(id, leaseIn(row));
      throw journalConflict(id, after, row.head_seq);
    }
    this.#put(known.no, after + 1, entries);
    return head;
  }

  seal(
    id: SessionId,
    range: { readonly from: number; readonly head: number },
    entries: readonly NewEntry[],
    lease: Lease,
  ): number {
    const { from } = range;
    const row = this.#sessions.leased(id, lease);
    const { no, head_seq: head, sealed_seq: sealed } = row;
    if (range.head !== head || from > head + 1) throw journalConflict(id, range.head, head);
    if (from <= sealed) throw alreadySealed(id, from, sealed);
    const newHead = from - 1 + entries.length;
    if (from <= head) this.#remove.run(no, from, no, head);
    this.#put(no, from, entries);
    const expiresAtMs = Date.now() + lease.ttlMs;
    this.#reseal.run(newHead, newHead, entries.at(-1)?.atMs ?? 0, expiresAtMs, Number(lease.turnRunning), no);
    return newHead;
  }

  /** Where the entries `from` … `through` of journal `no` lie: inherited ones in the journals of ancestors. */
  stretches(no: number, from: number, through: number): Stretch[] {
    const found: Stretch[] = [];
    let last = through;
    for (let at: number | null = no; at !== null && last >= from;) {
      const [parentNo, baseSeq]: [number | null, number] = this.#selectBase.get(at) ?? [null, 0];
      if (last > baseSeq) found.unshift({ no: at, from: Math.max(from, baseSeq + 1), through: last });
      last = Math.min(last, baseSeq);
      at = parentNo;
    }
    return found;
  }

  /**
   * The first entries of a stretch, as many as make a page. Nothing stays open when it returns. Errors:
   * `STORE_CORRUPT` with the session that asked, `id`, and the entry.
   */
  page({ no, from, through }: Stretch, id: SessionId): Entry[] {
    const page: Entry[] = [];
    const suspects: Pick<Entry, "seq" | "data">[] = [];
    let chars = 0;
    for (const row of this.#select.iterate(no, from, no, through, pageEntries)) {
      const [seq, atMs, mark, data] = row;
      const kind = kindIn(mark);
      if (kind === undefined || !isEntry(mark, atMs, data)) throw entryDamaged(id, seq);
      page.push({ seq, kind, atMs, data });
      if (!isSummed(mark) && this.#texts.mayBeDamaged(data)) suspects.push({ seq, data });
      chars += data.length;
      if (chars >= pageChars) break;
    }
    // A text goes out to clients as it is.
    for (const { seq, data } of suspects) {
      if (this.#texts.isDamaged(no, seq, data)) throw entryDamaged(id, seq);
    }
    return page;
  }

  /** False when fence or head are not what the writer believes. */
  #advanceHead(known: KnownSession, after: number, head: number, atMs: number, lease: Lease): boolean {
    const expiresAtMs = Date.now() + lease.ttlMs;
    const turnRunning = lease.turnRunning ? 1 : 0;
    const { no } = known;
    // Within one millisecond activity stays where it is: its index need not be written, a third of the bytes.
    if (known.updatedAtMs === atMs) {
      const same = this.#advance.run(head, expiresAtMs, turnRunning, no, lease.fence, after, atMs);
      if (same.changes === 1) return true;
    }
    known.updatedAtMs = atMs;
    return this.#advanceTime.run(head, atMs, expiresAtMs, turnRunning, no, lease.fence, after).changes === 1;
  }

  #put(no: number, first: number, entries: readonly NewEntry[]): void {
    let seq = first;
    for (const { kind, atMs, data } of entries) {
      this.#insert.run(no, seq, atMs, markOf(kind, atMs, data), data);
      seq += 1;
    }
  }

  /** No entries, or the lease of another session: the same checks, at leisure. */
  #appendNothing(id: SessionId, after: number, lease: Lease): number {
    const row = this.#sessions.leased(id, lease);
    if (row.head_seq !== after) throw journalConflict(id, after, row.head_seq);
    this.#sessions.extend(row, lease);
    return after;
  }
}

function entryDamaged(id: SessionId, seq: number): SidecarError {
  return new SidecarError("STORE_CORRUPT", `Entry ${seq} of session ${id} is damaged; ${wayOut}`, {
    data: { sessionId: id, seq },
  });
}
