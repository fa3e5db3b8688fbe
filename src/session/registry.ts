/** Sessions for programs: create, read, change, speak, end, list, count, expire. The relay stands on the same. */
import { reasonOf } from "../base/errors.ts";
import { silentLogger, type Logger } from "../base/log.ts";
import { newSessionId, type SessionId } from "../base/ids.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type {
  Lineage,
  NewSession,
  Page,
  SessionFilter,
  SessionPatch,
  SessionQuery,
  SessionRecord,
  Store,
  StoreStats,
} from "../store/contract.ts";
import { sealBriefly } from "./brief-hold.ts";
import { deleteMatching } from "./expiry.ts";
import { countVisible, shown, visibleOf } from "./hidden.ts";
import { Hooks, type SessionEvent, type SessionHook } from "./hooks.ts";
import { KeyedQueue } from "../base/queue.ts";
import type { Durability } from "./journal.ts";
import { LiveSet } from "./live.ts";
import { messageEntry, messagesOf, type Message, type NewMessage } from "./messages.ts";
import { withPlainCwd } from "./plain-cwd.ts";
import { emptySession, registryDefaults, type RegistryOptions } from "./registry-options.ts";
import { Interval } from "../base/interval.ts";

/** What a session is created with; all else is filled in. */
export type SessionInit = Partial<Omit<NewSession, "id" | "createdAtMs" | "updatedAtMs">> & {
  readonly cwd: string;
};

export interface RegistryStats extends StoreStats {
  readonly live: number;
}

/** Owns its sweeper, not the store: who opened the store closes it, after `close()`. */
export class SessionRegistry {
  readonly store: Store;
  readonly live: LiveSet;
  readonly #options: RegistryOptions;
  readonly #hooks = new Hooks();
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #durability: Durability;
  /** Read-change-write per session, one after the other. */
  readonly #writes = new KeyedQueue<SessionId>();
  #sweeper: Interval | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.store = options.store;
    this.#log = options.log ?? silentLogger;
    this.#now = options.now ?? Date.now;
    this.#durability = options.durability ?? "turn";
    this.live = new LiveSet(options.maxSessions ?? registryDefaults.maxSessions, this.#now);
  }

  /** Calls `hook` at every such event, awaited. Returns the function that ends the subscription. */
  on<E extends SessionEvent>(event: E, hook: SessionHook<E>): () => void {
    return this.#hooks.on(event, hook);
  }

  /** Errors: `SESSION_LIMIT`, `SESSION_NOT_FOUND` for an unknown parent, `STORE_…`. */
  async create(init: SessionInit, id: SessionId = newSessionId()): Promise<SessionRecord> {
    const nowMs = this.#now();
    const wasLive = this.live.has(id);
    this.live.add(id);
    try {
      const plain = withPlainCwd(init);
      const facts = { ...emptySession, ...plain, id, createdAtMs: nowMs, updatedAtMs: nowMs };
      const record = await this.store.create(facts);
      if (this.#durability === "full") await this.store.flush();
      await this.#announce(record);
      return record;
    } catch (error) {
      if (!wasLive) this.live.remove(id);
      throw error;
    }
  }

  /** A new session that shares the parent's entries up to `atSeq` (its head, unless told). */
  async fork(parentId: SessionId, atSeq?: number): Promise<SessionRecord> {
    const parent = await this.get(parentId);
    const lineage: Lineage = { parentId, atSeq: atSeq ?? parent.sealedSeq };
    const { cwd, additionalDirectories, title, client, mcpServerNames, settings, metadata } = parent;
    const shared = { cwd, additionalDirectories, mcpServerNames, settings, metadata: shown(metadata) };
    return this.create({
      ...shared,
      ...(title !== undefined && { title }),
      ...(client && { client }),
      lineage,
    });
  }

  /** A copy that cannot change the store. Errors: `SESSION_NOT_FOUND`. */
  async get(id: SessionId): Promise<SessionRecord> {
    const record = await this.store.get(id);
    if (record === undefined) throw sessionNotFound(id);
    return record;
  }

  exists(id: SessionId): Promise<boolean> {
    return this.store.get(id).then((record) => record !== undefined);
  }

  /** Changes a session by a function of what it is; counts as activity. Errors: `SESSION_NOT_FOUND`. */
  async update(id: SessionId, change: (record: SessionRecord) => SessionPatch): Promise<SessionRecord> {
    return this.#writes.run(id, async () => {
      const patch = change(await this.get(id));
      const record = await this.store.update(id, { updatedAtMs: this.#now(), ...patch });
      this.live.touch(id);
      await this.#hooks.emit("update", { record });
      return record;
    });
  }

  /** Notes activity. Errors: `SESSION_NOT_FOUND`. */
  touch(id: SessionId): Promise<SessionRecord> {
    return this.update(id, () => ({}));
  }

  /**
   * Adds a message. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY` while a turn runs or this process holds it,
   * `ENTRY_LIMIT`, `INVALID_PARAMS`.
   */
  async addMessage(id: SessionId, message: NewMessage): Promise<void> {
    const entry = messageEntry(
      message,
      this.#now(),
      this.#options.maxEntryBytes ?? registryDefaults.maxEntryBytes,
    );
    await this.#writes.run(id, async () => {
      const leaseTtlMs = this.#options.leaseTtlMs ?? registryDefaults.leaseTtlMs;
      await sealBriefly(id, entry, { store: this.store, durability: this.#durability, leaseTtlMs });
      this.live.touch(id);
      await this.#hooks.emit("append", { id, entries: [entry] });
    });
  }

  /** What was said, in order. Errors: `SESSION_NOT_FOUND`. */
  messages(id: SessionId): AsyncIterable<Message> {
    return messagesOf(this.store.read(id));
  }

  /** Deletes a session and returns what it was. Errors: `SESSION_NOT_FOUND`. */
  async end(id: SessionId): Promise<SessionRecord> {
    const record = await this.get(id);
    if (!(await this.delete(id))) throw sessionNotFound(id);
    return record;
  }

  /** True if it was there. On return it will not come back after a power cut either, unless durability is `none`. */
  async delete(id: SessionId): Promise<boolean> {
    const wasThere = await this.store.delete(id);
    await this.settle();
    this.live.remove(id);
    if (wasThere) await this.#hooks.emit("end", { id });
    return wasThere;
  }

  /** What was written before is as safe as durability promises at the end of a turn. */
  async settle(): Promise<void> {
    if (this.#durability !== "none") await this.store.flush();
  }

  list(query: SessionQuery = {}): Promise<Page<SessionRecord>> {
    return visibleOf(this.store, withPlainCwd(query));
  }

  count(filter: SessionFilter = {}): Promise<number> {
    return countVisible(this.store, withPlainCwd(filter));
  }

  async stats(): Promise<RegistryStats> {
    return { ...(await this.store.stats()), live: this.live.size };
  }

  /** Deletes every session without activity for `idleForMs` that nobody holds. Returns how many. */
  expire({ idleForMs }: { readonly idleForMs: number }): Promise<number> {
    const updatedBeforeMs = this.#now() - idleForMs;
    return deleteMatching(this.store, { updatedBeforeMs }, async ({ id }) => {
      // The page may be old by now, and the session in use again.
      const record = await this.store.get(id);
      if (record === undefined || record.updatedAtMs >= updatedBeforeMs) return false;
      const isHeld = record.lease !== undefined && record.lease.expiresAtMs > this.#now();
      if (isHeld || this.live.has(id) || !(await this.store.delete(id))) return false;
      await this.#hooks.emit("expire", { id });
      return true;
    });
  }

  /** Deletes every session that `filter` matches. Returns how many. */
  clear(filter: SessionFilter = {}): Promise<number> {
    return deleteMatching(this.store, withPlainCwd(filter), ({ id }) => this.delete(id));
  }

  /** Starts rounds of `sweep` at the configured interval. */
  startSweeper(): void {
    const intervalMs = this.#options.sweepIntervalMs ?? registryDefaults.sweepIntervalMs;
    this.#sweeper ??= new Interval(intervalMs, () => this.sweep());
  }

  /** One round: idle sessions are no longer live, sessions beyond retention are deleted. Failures are logged. */
  async sweep(): Promise<void> {
    try {
      const idle = await this.#detachIdle();
      const { retentionMs } = this.#options;
      const expired = retentionMs === undefined ? 0 : await this.expire({ idleForMs: retentionMs });
      if (idle + expired > 0) this.#log.info({ idle, expired }, "swept sessions");
    } catch (error) {
      this.#log.error({ error: reasonOf(error) }, "sweeping sessions failed");
    }
  }

  async close(): Promise<void> {
    await this.#sweeper?.close();
  }

  /** Returns how many sessions are no longer live. A hook that finds one busy touches it: then it stays. */
  async #detachIdle(): Promise<number> {
    const beforeMs = this.#now() - (this.#options.idleTimeoutMs ?? registryDefaults.idleTimeoutMs);
    const idle = this.live.idleSince(beforeMs);
    for (const id of idle) {
      try {
        await this.#hooks.emit("idle", { id });
        if (this.live.isIdleSince(id, beforeMs)) this.live.remove(id);
      } catch (error) {
        this.#log.error({ sessionId: id, error: reasonOf(error) }, "an idle session could not be let go");
      }
    }
    return idle.filter((id) => !this.live.has(id)).length;
  }

  /** A session that a hook refuses is not made: nobody would ever learn its id. */
  async #announce(record: SessionRecord): Promise<void> {
    try {
      await this.#hooks.emit("create", { record });
    } catch (error) {
      await this.store.delete(record.id);
      throw error;
    }
  }
}
