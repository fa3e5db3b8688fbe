/**
 * What entries were before they were compacted. It stands in the store beside the session, in hidden records, a record for
 * each time: groups of entries as they were, before each group one that says which they were. It goes with its session,
 * and when it has been there as long as the trash keeps things.
 */
import { SidecarError } from "../base/errors.ts";
import { newSessionId, type SessionId } from "../base/ids.ts";
import { objectIn } from "../base/json.ts";
import type { Entry, Lease, Metadata, NewEntry, SessionRecord, Store } from "../store/contract.ts";
import { isUnreadable } from "../base/unreadable.ts";
import { buriedAtMs, hiddenAs, whyHidden } from "./hidden.ts";
import { isHeld, thisHolder } from "./holder.ts";
import { NextLook } from "./next-look.ts";
import { everySession, type PassOver } from "./pages.ts";
import { emptySession } from "./registry-options.ts";

/** In the metadata of a session: when it was last compacted, or that was undone. */
const compactedKey = "acp-sidecar.compactedAtMs";
/** In those of its originals: whose they are. */
const ofKey = "acp-sidecar.of";
const seqsMember = "originalsOf";
const leaseTtlMs = 60_000;

/** Each time another number, because by it an index sees that words have changed. 0 for a session that never was. */
export function compactedAtMs({ metadata }: { readonly metadata: Metadata }): number {
  const at = metadata[compactedKey];
  return typeof at === "number" ? at : 0;
}

export function markedCompacted(before: { readonly metadata: Metadata }, nowMs: number): Metadata {
  return { ...before.metadata, [compactedKey]: Math.max(nowMs, compactedAtMs(before) + 1) };
}

/** Other metadata of a session that is compacted here, or not. */
export function compactedAs(here: { readonly metadata: Metadata }, metadata: Metadata): Metadata {
  const at = compactedAtMs(here);
  return at === 0 ? notCompacted(metadata) : { ...metadata, [compactedKey]: at };
}

/** The metadata of a session of which no originals are here: a fork's are its parent's. */
export function notCompacted({ [compactedKey]: _, ...metadata }: Metadata): Metadata {
  return metadata;
}

/** Whose originals a record holds, if it does. */
export function originalsOf(record: SessionRecord): SessionId | undefined {
  return whyHidden(record) === "originals" ? (record.metadata[ofKey] as SessionId) : undefined;
}

/** An entry as it was, with its `seq` in the session. */
type Original = Pick<Entry, "seq" | "kind" | "data">;

/** In order. Errors: `STORE_CORRUPT`. */
async function* originalsIn(
  store: Pick<Store, "read">,
  { id, headSeq }: Pick<SessionRecord, "id" | "headSeq">,
): AsyncGenerator<Original, undefined> {
  let seqs: number[] = [];
  for await (const page of store.read(id, { through: headSeq }))
    for (const { seq, kind, data } of page) {
      const original = seqs.pop();
      if (original !== undefined) yield { seq: original, kind, data };
      else seqs = seqsIn(id, seq, data).reverse();
    }
  return undefined;
}

/** The entries of a session from the first to the last of which an original is there, each with its own, if it has one. */
export async function* besideOriginals(
  store: Pick<Store, "read">,
  session: Pick<SessionRecord, "id" | "sealedSeq">,
  kept: Pick<SessionRecord, "id" | "headSeq">,
): AsyncGenerator<{ readonly entry: Entry; readonly original: Original | undefined }> {
  const originals = originalsIn(store, kept);
  try {
    let next = (await originals.next()).value;
    if (next === undefined) return;
    for await (const page of store.read(session.id, { from: next.seq, through: session.sealedSeq }))
      for (const entry of page) {
        const original: Original | undefined = entry.seq === next?.seq ? next : undefined;
        yield { entry, original };
        if (original === undefined) continue;
        next = (await originals.next()).value;
        if (next === undefined) return;
      }
  } finally {
    await originals.return(undefined);
  }
}

function seqsIn(id: SessionId, seq: number, data: string): number[] {
  const seqs = objectIn(data)?.[seqsMember];
  if (Array.isArray(seqs) && seqs.length > 0 && seqs.every(Number.isSafeInteger)) return seqs as number[];
  throw new SidecarError("STORE_CORRUPT", `Entry ${seq} of session ${id} does not say what it keeps`, {
    data: { sessionId: id, seq },
  });
}

/** Keeps originals, for one session and one time. */
export class OriginalsWriter {
  readonly #store: Store;
  readonly #record: SessionRecord;
  #lease: Lease;
  #head = 0;

  private constructor(store: Store, record: SessionRecord, lease: Lease) {
    [this.#store, this.#record, this.#lease] = [store, record, lease];
  }

  static async begin(store: Store, of: SessionId, nowMs: number): Promise<OriginalsWriter> {
    const record = await store.create({
      ...emptySession,
      id: newSessionId(),
      createdAtMs: nowMs,
      updatedAtMs: buriedAtMs,
      cwd: "/",
      metadata: { ...hiddenAs("originals"), [ofKey]: of },
    });
    const request = { holder: thisHolder(), ttlMs: leaseTtlMs, mayTake: () => false };
    const { lease } = await store.acquire(record.id, request);
    return new OriginalsWriter(store, record, lease);
  }

  async add(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const list = { [seqsMember]: entries.map(({ seq }) => seq) };
    // Without their times, which stay in the session: a record that is hidden has no activity.
    const kept: NewEntry[] = [{ kind: "message", atMs: buriedAtMs, data: JSON.stringify(list) }];
    for (const { kind, data } of entries) kept.push({ kind, atMs: buriedAtMs, data });
    const range = { from: this.#head + 1, head: this.#head };
    this.#head = await this.#store.seal(this.#record.id, range, kept, this.#lease);
  }

  /** They take less room, and are nobody's any more. */
  async finish(): Promise<void> {
    await this.#store.compress(this.#record.id, this.#lease);
    await this.#store.release(this.#lease);
  }

  async discard(): Promise<void> {
    await this.#store.delete(this.#record.id);
  }
}

interface OriginalsOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly passOver: PassOver;
}

/** What is kept of all sessions. */
export class Originals {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #passOver: PassOver;
  readonly #nextLook = new NextLook();

  constructor({ store, now, passOver }: OriginalsOptions) {
    [this.#store, this.#now, this.#passOver] = [store, now, passOver];
  }

  /** Those of a session, the newest first. */
  async of(id: SessionId): Promise<readonly SessionRecord[]> {
    const found: SessionRecord[] = [];
    for await (const record of everySession(this.#store, { metadata: ofSession(id) })) found.push(record);
    return found.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
  }

  /** Whether there may be some of a session that need not be readable. */
  async mayBeOf(id: SessionId): Promise<boolean> {
    try {
      const record = await this.#store.get(id);
      return record !== undefined && compactedAtMs(record) > 0;
    } catch (error) {
      if (isUnreadable(error)) return true;
      throw error;
    }
  }

  /** They go with their session, which is gone for good. */
  async goWith(session: SessionRecord): Promise<void> {
    if (compactedAtMs(session) > 0) await this.forget(session.id);
  }

  async forget(id: SessionId): Promise<void> {
    const filter = { metadata: ofSession(id) };
    const unreadable: SessionId[] = [];
    const all = everySession(this.#store, filter, (each) => unreadable.push(each.id));
    for await (const record of all) await this.#store.delete(record.id);
    for (const each of unreadable) await this.#store.delete(each);
  }

  /** Of how many times there are some that have been kept for so long. */
  async countOlder(forMs: number): Promise<number> {
    const beforeMs = this.#now() - forMs;
    let count = 0;
    for await (const record of this.#all()) if (isDue(record, beforeMs)) count += 1;
    return count;
  }

  /** Deletes what has been kept for so long. Returns of how many times it was. */
  async empty(forMs: number, onGone: () => void | Promise<void> = () => undefined): Promise<number> {
    const beforeMs = this.#now() - forMs;
    let gone = 0;
    let oldestMs = Infinity;
    for await (const record of this.#all()) {
      if (!isDue(record, beforeMs)) oldestMs = Math.min(oldestMs, record.createdAtMs);
      else if (await this.#store.delete(record.id)) {
        gone += 1;
        await onGone();
      }
    }
    this.#nextLook.after(this.#now(), oldestMs, forMs);
    return gone;
  }

  /** The same in rounds, of which few are needed. */
  async round(forMs: number): Promise<number> {
    return this.#nextLook.isDue(this.#now()) ? this.empty(forMs) : 0;
  }

  #all(): AsyncGenerator<SessionRecord> {
    return everySession(this.#store, { metadata: hiddenAs("originals") }, this.#passOver);
  }
}

function ofSession(id: SessionId): Metadata {
  return { ...hiddenAs("originals"), [ofKey]: id };
}

/** Those that somebody is just writing are not. */
function isDue({ createdAtMs, lease }: SessionRecord, beforeMs: number): boolean {
  return createdAtMs <= beforeMs && !isHeld(lease);
}
