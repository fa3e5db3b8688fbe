/** Copying sessions from one store to another: resumable, verified, and the source is left alone. */
import { createHash } from "node:crypto";
import { compactedFrom } from "../acp/compacted.ts";
import { sha256Of } from "../base/sha256.ts";
import { isSidecarError, SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type {
  Entry,
  EntryRange,
  NewEntry,
  NewSession,
  SessionPatch,
  SessionRecord,
  Store,
  Unreadable,
} from "../store/contract.ts";
import { isUnreadable } from "../base/unreadable.ts";
import { mayTake, thisHolder } from "../session/holder.ts";
import { everySession } from "../session/pages.ts";
import { upkeepId } from "../store/keys-id.ts";
import { watched, type Watch } from "./watch.ts";

interface MigrationProgress {
  readonly id: SessionId;
  /** `copied`: all or the rest of it; `skipped`: it was there whole. */
  readonly outcome: "copied" | "skipped";
  readonly done: number;
  readonly total: number;
}

interface MigrationResult {
  readonly copied: number;
  readonly skipped: number;
  /** Own entries that were written. */
  readonly entries: number;
  /** Sessions of `from` that cannot be read, if there are some; all others were copied. */
  readonly unreadable?: readonly Pick<Unreadable, "id" | "code">[];
}

const leaseTtlMs = 60_000;

/**
 * Copies every session of `from` that `to` does not have whole, parents before their forks, and compares
 * contents by hash. Run again after an interruption it goes on where it stopped. Errors: `STORE_CONFLICT`
 * when `to` has other content under the same id, `SESSION_BUSY` when somebody holds it there.
 */
export async function migrateSessions(
  from: Store,
  to: Store,
  onProgress: (progress: MigrationProgress) => void | Promise<void> = () => undefined,
  watch: Omit<Watch, "onProgress"> = {},
): Promise<MigrationResult> {
  const migration = new Migration(from, to, watch);
  const total = await from.count();
  let [copied, skipped] = [0, 0];
  const unreadable: Pick<Unreadable, "id" | "code">[] = [];
  for await (const record of everySession(from, {}, ({ id, code }) => unreadable.push({ id, code }))) {
    watch.signal?.throwIfAborted();
    // Who looks after a store, and what was found there, is its own.
    if (record.id === upkeepId) continue;
    const outcome = await migration.bring(record).catch((error: unknown) => {
      if (!(error instanceof NotRead)) throw error;
      unreadable.push({ id: record.id, code: error.code });
      return undefined;
    });
    if (outcome === undefined) continue;
    if (outcome === "copied") copied += 1;
    else skipped += 1;
    await onProgress({ id: record.id, outcome, done: copied + skipped, total });
  }
  await to.flush();
  const { entries } = migration;
  return { copied, skipped, entries, ...(unreadable.length > 0 && { unreadable }) };
}

/** What is to be copied cannot be read. */
class NotRead extends Error {
  readonly code: Unreadable["code"];

  constructor(cause: Pick<Unreadable, "code">) {
    super("cannot be read", { cause });
    this.code = cause.code;
  }
}

class Migration {
  entries = 0;
  readonly #from: Store;
  readonly #to: Store;
  readonly #watch: Watch;
  readonly #brought = new Map<SessionId, MigrationProgress["outcome"]>();

  constructor(from: Store, to: Store, watch: Watch) {
    this.#from = from;
    this.#to = to;
    this.#watch = watch;
  }

  async bring(record: SessionRecord): Promise<MigrationProgress["outcome"]> {
    const before = this.#brought.get(record.id);
    if (before !== undefined) return before;
    const parent = await this.#parentOf(record);
    if (parent !== undefined) await this.bring(parent);
    const outcome = await this.#copy(record, parent !== undefined);
    this.#brought.set(record.id, outcome);
    return outcome;
  }

  /** A fork of what cannot be read becomes a session of its own, as one of what was deleted does, if its entries can be. */
  async #parentOf({ lineage }: SessionRecord): Promise<SessionRecord | undefined> {
    try {
      return lineage && (await this.#from.get(lineage.parentId));
    } catch (error) {
      if (isUnreadable(error)) return undefined;
      throw error;
    }
  }

  /** @param isFork its parent is there; a fork whose parent was deleted becomes a session of its own */
  async #copy(record: SessionRecord, isFork: boolean): Promise<MigrationProgress["outcome"]> {
    const there = await this.#to.get(record.id);
    const target = there ?? (await this.#made(record, isFork));
    const isWhole =
      target.headSeq === record.headSeq &&
      target.sealedSeq === record.sealedSeq &&
      target.updatedAtMs === record.updatedAtMs;
    try {
      if (!isWhole) await this.#copyEntries(record, target);
      await this.#verify(record);
    } catch (error) {
      // Half of it is nothing that anybody should take for all.
      if (error instanceof NotRead && there === undefined) await this.#to.delete(record.id);
      throw error;
    }
    if (!isWhole) await this.#to.update(record.id, patchOf(record));
    return isWhole && there !== undefined ? "skipped" : "copied";
  }

  /** Errors: `STORE_CONFLICT` where somebody else has just made it. */
  async #made(record: SessionRecord, isFork: boolean): Promise<SessionRecord> {
    try {
      return await this.#to.create(factsOf(record, isFork));
    } catch (error) {
      if (!isSidecarError(error, "SESSION_EXISTS")) throw error;
      const words = "Somebody else copies into it at the same time; run it again when they are done";
      throw new SidecarError("STORE_CONFLICT", words, { cause: error });
    }
  }

  async #copyEntries(record: SessionRecord, target: SessionRecord): Promise<void> {
    const holder = thisHolder();
    const { lease } = await this.#to.acquire(record.id, {
      holder,
      ttlMs: leaseTtlMs,
      mayTake: mayTake("error", holder),
    });
    try {
      let head = target.headSeq;
      // What was not final when it was copied may have been folded since.
      if (head > target.sealedSeq) {
        head = await this.#to.seal(record.id, { from: target.sealedSeq + 1, head }, [], lease);
      }
      // Final page by page: an interrupted copy goes on after the last one.
      const { id, sealedSeq, headSeq } = record;
      for await (const page of this.#read(id, { from: head + 1, through: sealedSeq })) {
        head = await this.#to.seal(id, { from: head + 1, head }, page.map(withoutSeq), lease);
        this.entries += page.length;
      }
      for await (const page of this.#read(id, { from: head + 1, through: headSeq })) {
        head = await this.#to.append(id, head, page.map(withoutSeq), lease);
        this.entries += page.length;
      }
    } finally {
      await this.#to.release(lease);
    }
  }

  /** Errors: `NotRead` for what is damaged there, and not in the target. */
  async *#read(id: SessionId, range: EntryRange): AsyncGenerator<readonly Entry[]> {
    try {
      yield* watched(this.#from.read(id, range), this.#watch);
    } catch (error) {
      throw isUnreadable(error) ? new NotRead(error) : error;
    }
  }

  async #verify({ id, headSeq }: SessionRecord): Promise<void> {
    const range = { through: headSeq };
    // What was compacted since an earlier copy, here or there, is the same: its notes say so.
    for (const hash of [hashOf, hashButCompacted]) {
      const [there, here] = await Promise.all([hash(this.#to.read(id, range)), hash(this.#read(id, range))]);
      if (there === here) return;
    }
    throw new SidecarError(
      "STORE_CONFLICT",
      `Session ${id} differs between the two stores; delete it in the target and run the migration again`,
      { data: { sessionId: id } },
    );
  }
}

function factsOf(record: SessionRecord, isFork: boolean): NewSession {
  const { headSeq: _head, sealedSeq: _sealed, lease: _lease, lineage, ...facts } = record;
  return isFork && lineage !== undefined ? { ...facts, lineage } : facts;
}

/** What may have changed since an earlier copy. */
function patchOf(record: SessionRecord): SessionPatch {
  const { updatedAtMs, additionalDirectories, mcpServerNames, agentSessionIds, settings, metadata } = record;
  const { title = null, client, agent } = record;
  const facts = {
    updatedAtMs,
    additionalDirectories,
    mcpServerNames,
    agentSessionIds,
    settings,
    metadata,
    title,
  };
  return { ...facts, ...(client && { client }), ...(agent && { agent }) };
}

function withoutSeq({ kind, atMs, data }: Entry): NewEntry {
  return { kind, atMs, data };
}

/** Content and order of entries, whatever the pages. */
export function hashOf(pages: AsyncIterable<readonly Entry[]>): Promise<string> {
  return hashBy(pages, ({ data }) => data);
}

/** The same of what they were before they were compacted. */
function hashButCompacted(pages: AsyncIterable<readonly Entry[]>): Promise<string> {
  return hashBy(pages, (entry) => compactedFrom(entry)?.sha256 ?? sha256Of(entry.data));
}

async function hashBy(
  pages: AsyncIterable<readonly Entry[]>,
  dataOf: (entry: Entry) => string,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const page of pages)
    for (const entry of page) {
      const data = dataOf(entry);
      hash.update(`${entry.seq} ${entry.kind} ${entry.atMs} ${data.length} ${data}\n`);
    }
  return hash.digest("hex");
}
