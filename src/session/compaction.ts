/**
 * Compacting a session: old entries keep what was said and done and lose what tools gave and agents thought (acp/compacted.ts).
 * What they were is kept beside it until that goes (originals.ts), so it can be undone. Numbers and times stay.
 */
import { compactedEntry, compactedFrom, erasedEntry } from "../acp/compacted.ts";
import { sha256Of } from "../base/sha256.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, EntryRange, SessionRecord, Store } from "../store/contract.ts";
import { isArchived } from "./archived.ts";
import { holdUnused } from "./brief-hold.ts";
import type { OpenedJournal, Taking } from "./journal.ts";
import { endOfOld } from "./old-turns.ts";
import { besideOriginals, markedCompacted, OriginalsWriter, type Originals } from "./originals.ts";
import { RewriteSteps } from "./rewrite-steps.ts";

export interface CompactOptions {
  /** Entries before this one; unless told those before the newest five turns. */
  readonly beforeSeq?: number;
}

/** What compacting does, or would do; of undoing the same the other way round. */
export interface CompactionEffect {
  readonly beforeSeq: number;
  /** Those that are changed, and what they take, as text. */
  readonly entries: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface CompactionUndone extends Omit<CompactionEffect, "beforeSeq"> {
  /** Entries that stay compacted, because their originals are gone. */
  readonly left: number;
}

interface CompactionOptions {
  readonly store: Store;
  readonly originals: Originals;
  readonly now: () => number;
  readonly get: (id: SessionId) => Promise<SessionRecord>;
  readonly take: (id: SessionId, taking: Taking) => Promise<OpenedJournal>;
}

type Known = Pick<SessionRecord, "id" | "headSeq" | "sealedSeq" | "settings" | "lineage">;

export class Compaction {
  readonly #options: CompactionOptions;

  constructor(options: CompactionOptions) {
    this.#options = options;
  }

  /** What `compact` would do. Errors: `SESSION_NOT_FOUND`, `INVALID_PARAMS`. */
  async effect(id: SessionId, { beforeSeq }: CompactOptions = {}): Promise<CompactionEffect> {
    const record = await this.#options.get(id);
    const sums = new Sums();
    const before = await this.#endIn(record, beforeSeq);
    for await (const page of this.#ownPages(record, before))
      for (const entry of page) sums.note(entry, compactedEntry(entry));
    return { beforeSeq: before, ...sums.result };
  }

  /** Errors: as `effect`, `SESSION_BUSY` where anybody holds it, `STORE_UNSUPPORTED`, `STORE_…`. */
  async compact(id: SessionId, { beforeSeq }: CompactOptions = {}): Promise<CompactionEffect> {
    return this.#held(id, async (opened, record) => {
      const before = await this.#endIn(record, beforeSeq);
      const sums = await this.#compact(opened, record, before);
      return { beforeSeq: before, ...sums };
    });
  }

  /** Everything of which the originals are there is as it was. Errors: as `compact`; `INVALID_PARAMS` where none are. */
  async undo(id: SessionId): Promise<CompactionUndone> {
    return this.#held(id, async (opened, record) => {
      const { originals, store } = this.#options;
      const kept = await originals.of(id);
      const sums = new Sums();
      const sound: SessionRecord[] = [];
      if (kept.length > 0) await this.#mark(opened);
      for (const each of kept) if (await this.#restore(opened, record, each, sums)) sound.push(each);
      const isDone = sums.result.entries > 0;
      if (isDone) await this.#finish(opened);
      else if (sound.length < kept.length) throw otherOriginals(id);
      await store.flush();
      for (const each of sound) await store.delete(each.id);
      const left = await this.#countCompacted(record);
      if (!isDone) throw nothingToUndo(id, left);
      return { ...sums.result, left };
    });
  }

  /**
   * Of all its own entries only what they were is left, with a hash of it; nothing brings them back. Errors: as `compact`;
   * `STORE_CONFLICT` where forks have some of these entries, too.
   */
  async erase(id: SessionId): Promise<void> {
    const { store, originals } = this.#options;
    await this.#held(id, async (opened, record) => {
      if ((await store.count({ parentId: id })) > 0) throw forked(id);
      const steps = new RewriteSteps(store, opened.journal);
      await this.#mark(opened);
      for await (const page of this.#ownPages(record))
        for (const entry of page) await steps.add(entry, erasedEntry(entry));
      await steps.write();
      await originals.forget(id);
      await this.#finish(opened);
      await store.flush();
    });
  }

  #held<T>(id: SessionId, act: (opened: OpenedJournal, record: Known) => Promise<T>): Promise<T> {
    const { take } = this.#options;
    return holdUnused(
      async (opened) => {
        const { headSeq, sealedSeq } = opened.journal;
        return act(opened, { ...opened.record, headSeq, sealedSeq });
      },
      (taking) => take(id, taking),
    );
  }

  async #compact(opened: OpenedJournal, record: Known, before: number): Promise<Sums["result"]> {
    const { store, now } = this.#options;
    const { journal } = opened;
    const sums = new Sums();
    let kept: OriginalsWriter | undefined;
    let hasWritten = false;
    const steps = new RewriteSteps(store, journal, async () => {
      // What is taken away must be safe elsewhere first.
      await store.flush();
      hasWritten = true;
    });
    try {
      for await (const page of this.#ownPages(record, before)) {
        const changes = page.map((entry) => ({ entry, less: compactedEntry(entry) }));
        const old = changes.flatMap(({ entry, less }) => (less === undefined ? [] : [entry]));
        if (old.length > 0 && kept === undefined) {
          // From now on whoever deletes the session looks for them.
          await this.#mark(opened);
          kept = await OriginalsWriter.begin(store, record.id, now());
        }
        await kept?.add(old);
        for (const { entry, less } of changes) {
          sums.note(entry, less);
          await steps.add(entry, less);
        }
      }
      await steps.write();
    } catch (error) {
      // What has been written refers to them, and is to be indexed anew.
      if (!hasWritten) await kept?.discard().catch(() => undefined);
      else await Promise.allSettled([kept?.finish(), this.#mark(opened)]);
      throw error;
    }
    if (kept === undefined) return sums.result;
    await kept.finish();
    await this.#finish(opened);
    return sums.result;
  }

  /** What fits its note is as it was. Returns whether all does that is to be restored. */
  async #restore(opened: OpenedJournal, record: Known, kept: SessionRecord, sums: Sums): Promise<boolean> {
    const { store } = this.#options;
    let isSound = true;
    const steps = new RewriteSteps(store, opened.journal);
    for await (const { entry, original } of besideOriginals(store, record, kept)) {
      const note = original && compactedFrom(entry);
      const fits = note !== undefined && note.sha256 === sha256Of(original?.data ?? "");
      if (note !== undefined && !fits) isSound = false;
      const whole = fits ? { ...entry, ...original } : undefined;
      sums.note(entry, whole);
      await steps.add(entry, whole);
    }
    await steps.write();
    return isSound;
  }

  /** An archived session takes as little room as it can. */
  async #finish(opened: OpenedJournal): Promise<void> {
    const record = await this.#mark(opened);
    if (isArchived(record)) await this.#options.store.compress(record.id, opened.journal.lease);
    await opened.journal.settle();
  }

  async #mark({ journal }: OpenedJournal): Promise<SessionRecord> {
    const { get, now } = this.#options;
    return journal.update({ metadata: markedCompacted(await get(journal.id), now()) });
  }

  #endIn(record: Known, wanted: number | undefined): Promise<number> {
    return endOfOld(this.#options.store, record, wanted);
  }

  /** What a fork has from its parent is its parent's. */
  #ownPages({ id, sealedSeq, lineage }: Known, before = Infinity): AsyncIterable<readonly Entry[]> {
    const range = { from: (lineage?.atSeq ?? 0) + 1, through: Math.min(sealedSeq, before - 1) };
    return this.#read(id, range);
  }

  async *#read(id: SessionId, range: Required<EntryRange>): AsyncGenerator<readonly Entry[]> {
    if (range.through >= range.from) yield* this.#options.store.read(id, range);
  }

  async #countCompacted(record: Known): Promise<number> {
    let count = 0;
    for await (const page of this.#ownPages(record))
      for (const entry of page) if (compactedFrom(entry) !== undefined) count += 1;
    return count;
  }
}

function otherOriginals(sessionId: SessionId): SidecarError {
  return new SidecarError(
    "STORE_CORRUPT",
    `What is kept of session ${sessionId} from before it was compacted is not what it was: its hashes differ`,
    { data: { sessionId } },
  );
}

function forked(sessionId: SessionId): SidecarError {
  return new SidecarError(
    "STORE_CONFLICT",
    `Session ${sessionId} has forks, which have its beginning, too: delete them first, or clear it without erasing`,
    { data: { sessionId } },
  );
}

function nothingToUndo(sessionId: SessionId, left: number): SidecarError {
  const why =
    left > 0
      ? "cannot be as it was any more: what was compacted has gone for good, with sessions gc or in its time"
      : "is not compacted: there is nothing to undo";
  return new SidecarError("INVALID_PARAMS", `Session ${sessionId} ${why}`, { data: { sessionId } });
}

class Sums {
  result = { entries: 0, bytesBefore: 0, bytesAfter: 0 };

  note({ data: before }: Pick<Entry, "data">, after: Pick<Entry, "data"> | undefined): void {
    if (after === undefined) return;
    const { entries, bytesBefore, bytesAfter } = this.result;
    this.result = {
      entries: entries + 1,
      bytesBefore: bytesBefore + Buffer.byteLength(before),
      bytesAfter: bytesAfter + Buffer.byteLength(after.data),
    };
  }
}
