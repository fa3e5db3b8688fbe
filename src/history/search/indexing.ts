/** Reads what is new in sessions and writes it to an index, in batches: memory is bounded by one of them and an entry. */
import type { SessionId } from "../../base/ids.ts";
import type { SessionRecord } from "../../store/contract.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { isSidecarError } from "../../base/errors.ts";
import { isUnreadable } from "../../base/unreadable.ts";
import { findReadable } from "../find-readable.ts";
import { EntryReader } from "./entry-text.ts";
import { factsOf, isSameFacts, sumOf } from "./known-session.ts";
import { indexedWords } from "./indexed-words.ts";
import type { Pace } from "./pace.ts";
import type { IndexedMessage, KnownSession, TextIndex } from "../../store/text-index.ts";

/** What is read before it is written: more at a time takes memory, and the event loop for longer, and is no quicker. */
const [mostMessages, mostSessions, mostChars] = [1000, 1000, 1 << 20];

type Sessions = Pick<SessionRegistry, "read" | "find">;

function isUpToDate(record: SessionRecord, known: KnownSession | undefined): boolean {
  return known?.throughSeq === record.sealedSeq && isSameFacts(known, factsOf(record));
}

/** What costs a session alone. */
function isOfOneSession(error: unknown): boolean {
  return isUnreadable(error) || isSidecarError(error, "SESSION_NOT_FOUND", "STORE_CONFLICT");
}

/** The store has not what was read from it. */
class Restored extends Error {}

export class Indexing {
  readonly unread: SessionId[] = [];
  messages = 0;
  /** The index is not what it was. */
  hasWritten = false;
  /** A session was found that has less or other entries than it had. */
  foundOlder = false;
  readonly #registry: Sessions;
  readonly #index: TextIndex;
  readonly #pace: Pace;
  #sessions: KnownSession[] = [];
  #waiting: IndexedMessage[] = [];
  /** Those that are not written yet. */
  #forks: KnownSession[] = [];
  #chars = 0;
  /** When others who wait for us have their turn, also in the middle of a session. */
  #turnEndsMs = Infinity;

  constructor(registry: Sessions, index: TextIndex, pace: Pace) {
    this.#registry = registry;
    this.#index = index;
    this.#pace = pace;
  }

  async add(records: readonly SessionRecord[]): Promise<void> {
    await this.#pace.rest();
    const known = await this.#index.known(records.map(({ id }) => id));
    if (this.#index.alone === undefined) {
      await this.#all(records, known);
      return;
    }
    let left: readonly SessionRecord[] = records.filter(
      (record) => !isUpToDate(record, known.get(record.id)),
    );
    while (left.length > 0) {
      await this.#index.alone(async () => {
        this.#turnEndsMs = performance.now() + this.#pace.turnMs;
        // Another process may have been here while we waited.
        left = await this.#all(left, await this.#index.known(left.map(({ id }) => id)));
        await this.#write();
        this.#turnEndsMs = Infinity;
      }, this.#pace.step);
      await this.#pace.rest();
    }
  }

  /** Returns those for which the turn was too short; the first of them may have been begun. */
  async #all(
    records: readonly SessionRecord[],
    known: ReadonlyMap<SessionId, KnownSession>,
  ): Promise<readonly SessionRecord[]> {
    for (const [at, record] of records.entries()) {
      if (!(await this.#session(record, known.get(record.id)))) return records.slice(at);
      if (this.#isTurnOver()) return records.slice(at + 1);
    }
    return [];
  }

  #isTurnOver(): boolean {
    return performance.now() >= this.#turnEndsMs;
  }

  async finish(): Promise<void> {
    await this.#write();
  }

  /** Indexes what a session has from one that is gone, back to an entry. Errors: `STORE_…`. */
  async addInherited(session: KnownSession, fromSeq: number): Promise<void> {
    const through = session.fromSeq - 1;
    try {
      await this.#read(session, { from: fromSeq, through });
    } catch (error) {
      if (!isOfOneSession(error)) throw error;
    }
    this.#sessions.push({ ...session, fromSeq: Math.min(fromSeq, session.fromSeq) });
    await this.#write();
  }

  /** Whether all of it is indexed that can be. */
  async #session(record: SessionRecord, known: KnownSession | undefined): Promise<boolean> {
    const facts = factsOf(record);
    // Others than were indexed stand there now.
    if (known !== undefined && known.rewrittenAtMs !== facts.rewrittenAtMs) return this.#anew(record);
    if (known !== undefined && known.throughSeq === record.sealedSeq) {
      if (!isSameFacts(known, facts)) this.#sessions.push({ ...known, ...facts });
      return true;
    }
    try {
      if (known !== undefined && record.sealedSeq < known.throughSeq) {
        const newer = await this.#registry.find(record.id);
        // Another process has seen more of it than there was when it was listed.
        if (newer?.id === record.id && newer.sealedSeq >= known.throughSeq)
          return await this.#session(newer, known);
        throw new Restored();
      }
      return await this.#grown(record, known ?? (await this.#first(record)));
    } catch (error) {
      if (error instanceof Restored) {
        this.foundOlder = true;
        return this.#anew(record);
      }
      if (!isOfOneSession(error)) throw error;
      this.#forget(record.id);
      if (isUnreadable(error)) this.unread.push(record.id);
      return true;
    }
  }

  /** What waits of a session that is not indexed after all: without it, its words would be taken for another's. */
  #forget(id: SessionId): void {
    this.#waiting = this.#waiting.filter((message) => message.id !== id);
    this.#chars = this.#waiting.reduce((sum, { words }) => sum + words.length, 0);
  }

  async #grown(record: SessionRecord, known: KnownSession): Promise<boolean> {
    const isFirst = known.throughSeq < known.fromSeq;
    const from = isFirst ? known.fromSeq : known.throughSeq;
    const through = record.sealedSeq;
    const grown = { ...known, ...factsOf(record) };
    const { sum, isWhole } = await this.#read(grown, { from, through }, isFirst ? undefined : known.sum);
    if (!isWhole) return false;
    this.#sessions.push({ ...grown, throughSeq: through, sum: sum ?? known.sum });
    if (grown.parentId !== undefined) this.#forks.push({ ...grown, throughSeq: through });
    if (this.#sessions.length >= mostSessions) await this.#write();
    return true;
  }

  async #anew(record: SessionRecord): Promise<boolean> {
    await this.#write();
    this.hasWritten = true;
    await this.#index.drop([record.id]);
    return this.#session(record, undefined);
  }

  /** What of a session is its own to be found; what others have of the same is found there. */
  async #first(record: SessionRecord): Promise<KnownSession> {
    const facts = factsOf(record);
    const { parentId, baseSeq } = facts;
    let covered = await this.#coveredByForksOf(record.id);
    if (parentId !== undefined) {
      const parent = await findReadable(this.#registry, parentId);
      const isThere = parent?.id === parentId;
      const above = isThere ? baseSeq : Math.min(baseSeq, await this.#coveredByForksOf(parentId));
      covered = Math.max(covered, above);
    }
    return { ...facts, fromSeq: covered + 1, throughSeq: 0, sum: 0 };
  }

  async #coveredByForksOf(id: SessionId): Promise<number> {
    const forks = [
      ...(await this.#index.forksOf(id)),
      ...this.#forks.filter(({ parentId }) => parentId === id),
    ];
    return forks.reduce(
      (most, { fromSeq, baseSeq }) => (fromSeq <= baseSeq ? Math.max(most, baseSeq) : most),
      0,
    );
  }

  /**
   * Gives the sum of the last entry, unless the turn was over before that; then what was read is written.
   * @param knownSum of the first one, which then is indexed already
   */
  async #read(
    session: KnownSession,
    range: { readonly from: number; readonly through: number },
    knownSum?: number,
  ): Promise<{ readonly sum?: number | undefined; readonly isWhole: boolean }> {
    if (range.through < range.from) return { isWhole: true };
    const reader = new EntryReader();
    let sum: number | undefined;
    for await (const page of this.#registry.read(session.id, range)) {
      for (const entry of page) {
        if (knownSum !== undefined && entry.seq === range.from) {
          if (sumOf(entry) !== knownSum) throw new Restored();
          continue;
        }
        const found = reader.read(entry);
        if (found !== undefined) this.#wait(session.id, entry.seq, indexedWords(found));
      }
      const end = page.at(-1);
      if (end !== undefined) sum = sumOf(end);
      const last = end?.seq ?? 0;
      const isMore = last > session.throughSeq && last >= session.fromSeq;
      const isLate = isMore && last < range.through && this.#isTurnOver();
      if (!isLate && this.#waiting.length < mostMessages && this.#chars < mostChars) {
        await this.#pace.step();
        continue;
      }
      // Looked at again next time, should this be where we end.
      if (isMore) this.#sessions.push({ ...session, throughSeq: last, sum: sum ?? 0, isOpen: true });
      await this.#write();
      if (isLate) return { isWhole: false };
    }
    return { sum, isWhole: true };
  }

  #wait(id: SessionId, seq: number, words: string): void {
    this.#waiting.push({ id, seq, words });
    this.#chars += words.length;
    this.messages += 1;
  }

  async #write(): Promise<void> {
    const batch = { sessions: this.#sessions, messages: this.#waiting };
    [this.#sessions, this.#waiting, this.#forks, this.#chars] = [[], [], [], 0];
    if (batch.sessions.length === 0 && batch.messages.length === 0) return;
    this.hasWritten = true;
    await this.#index.write(batch);
    await (this.#index.alone === undefined ? this.#pace.rest() : this.#pace.step());
  }
}
