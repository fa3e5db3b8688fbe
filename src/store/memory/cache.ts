/** A bounded store in memory: what was not written to for long, or not used lately, is simply gone. */
import { LRUCache } from "lru-cache";
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { StoredJournal, StoredSession } from "./session.ts";
import { defineStore } from "../shell.ts";
import { MemoryDriver, type SessionTable } from "./driver.ts";
import type { NewEntry, NewSession, Store } from "../contract.ts";

export interface CacheStoreOptions {
  /** Time after its last write when a session expires; 1 hour unless told, 0 for never. */
  readonly ttlMs?: number;
  /** Estimated bytes of all sessions together; 256 MiB unless told. */
  readonly maxBytes?: number;
  /** 1,000 unless told. */
  readonly maxSessions?: number;
  /** What tells the time for expiry, monotonic; `performance` unless told. */
  readonly clock?: { now(): number };
}

/** What a session takes beside its texts, and an entry beside its data. */
const sessionBytes = 512;
const entryBytes = 96;

/**
 * Opens a cache: at capacity the least recently used session goes. `stats().details` has `hits`, `misses`,
 * `evictions`, `expirations` and `accountedBytes`. A session that alone is beyond `maxBytes` is refused with
 * `STORE_FULL`, and a write that would make it so.
 */
export function openCacheStore(options: CacheStoreOptions = {}): Store {
  return defineStore(new MemoryDriver("cache", new CacheTable(options)));
}

/** A new object for every size: the library looks at the size only of a new value. */
interface Sized {
  readonly session: StoredSession;
  /** What `factBytes` is the size of; they are replaced when they change. */
  readonly facts: NewSession;
  readonly factBytes: number;
}

class CacheTable implements SessionTable {
  readonly #sessions: LRUCache<SessionId, Sized>;
  readonly #maxBytes: number;
  readonly #sweeper: NodeJS.Timeout | undefined;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #expirations = 0;

  constructor({ ttlMs = 3_600_000, maxBytes = 256 << 20, maxSessions = 1000, clock }: CacheStoreOptions) {
    this.#maxBytes = maxBytes;
    this.#sessions = new LRUCache({
      max: maxSessions,
      maxSize: maxBytes,
      ttl: ttlMs,
      ttlResolution: 0,
      ...(clock && { perf: clock }),
      dispose: (_value, _id, reason) => {
        if (reason === "evict") this.#evictions += 1;
        if (reason === "expire") this.#expirations += 1;
      },
    });
    // Expired sessions that nobody asks for give their memory back too.
    const sweepMs = Math.min(Math.max(ttlMs / 4, 1000), 60_000);
    this.#sweeper = ttlMs > 0 ? setInterval(() => this.#sessions.purgeStale(), sweepMs).unref() : undefined;
  }

  has(id: SessionId): boolean {
    return this.#sessions.has(id);
  }

  get(id: SessionId): StoredSession | undefined {
    const found = this.#sessions.get(id);
    if (found === undefined) this.#misses += 1;
    else this.#hits += 1;
    return found?.session;
  }

  add(session: StoredSession): void {
    const { facts, journal } = session;
    const factBytes = sessionBytes + jsonBytes(facts);
    this.#assertFits(facts, factBytes + journalBytes(journal));
    this.#put(session, factBytes);
  }

  admit({ journal }: StoredSession, facts: NewSession, entries: readonly NewEntry[]): void {
    this.#assertFits(facts, this.#factBytesOf(facts) + journalBytes(journal) + bytesOf(entries));
  }

  wrote(session: StoredSession): void {
    this.#put(session, this.#factBytesOf(session.facts));
  }

  delete(id: SessionId): boolean {
    return this.#sessions.delete(id);
  }

  *values(): Generator<StoredSession> {
    for (const { session } of this.#sessions.values()) yield session;
  }

  details(): Record<string, number> {
    this.#sessions.purgeStale();
    return {
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      expirations: this.#expirations,
      accountedBytes: this.#sessions.calculatedSize,
      maxBytes: this.#maxBytes,
    };
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#sessions.clear();
  }

  #put(session: StoredSession, factBytes: number): void {
    const { facts, journal } = session;
    this.#sessions.set(facts.id, { session, facts, factBytes }, { size: factBytes + journalBytes(journal) });
  }

  #factBytesOf(facts: NewSession): number {
    const known = this.#sessions.peek(facts.id);
    return known?.facts === facts ? known.factBytes : sessionBytes + jsonBytes(facts);
  }

  #assertFits({ id }: NewSession, bytes: number): void {
    const maxBytes = this.#maxBytes;
    if (bytes <= maxBytes) return;
    throw new SidecarError(
      "STORE_FULL",
      `Session ${id} would take ${bytes} of the cache's ${maxBytes} bytes; raise its size (maxBytes)`,
      { data: { sessionId: id, bytes, maxBytes } },
    );
  }
}

function journalBytes(journal: StoredJournal): number {
  let bytes = 0;
  // A fork keeps what it inherits in memory even when its parent has gone.
  for (let each: StoredJournal | undefined = journal; each !== undefined; each = each.parent) {
    bytes += each.bytes + each.entries.length * entryBytes;
  }
  return bytes;
}

/** About the length of its JSON, in a tenth of the time. */
function jsonBytes(value: unknown): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) for (const each of value) bytes += 1 + jsonBytes(each);
  else {
    const fields = value as Readonly<Record<string, unknown>>;
    for (const key in fields) bytes += key.length + 4 + jsonBytes(fields[key]);
  }
  return bytes;
}

function bytesOf(entries: readonly NewEntry[]): number {
  return entries.reduce((sum, { data }) => sum + data.length + entryBytes, 0);
}
